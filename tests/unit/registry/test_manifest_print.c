/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of manifest_print() and image_config_print(): their bytes, and that a manifest reads back as it was drafted. */
#include "base/random.h"
#include "manifests.h"
#include "registry/manifest.h"

#define DISKS_MAX 50

static struct descriptor make(char digit, uint64_t size_bytes)
{
	struct descriptor ret = { .size_bytes = size_bytes };

	memcpy(ret.digest, "sha256:", 7);
	memset(ret.digest + 7, digit, 64);
	return ret;
}

static void bytes_are_these(void **state)
{
	struct descriptor disk = make('2', 1000);
	struct manifest_draft draft = {
		.config = make('0', 120),
		.vm_config = make('1', 300),
		.disk = &disk,
		.n_disk = 1,
		.nvram = make('3', 64),
		.disk_bytes = 8388608,
		.upload_time = "2025-01-02T03:04:05Z",
	};
	CLEANUP_STR struct str text = { 0 };

	(void)state;
	disk.data_bytes = 30954;
	memcpy(disk.data_digest, SHA("d"), sizeof(disk.data_digest));
	manifest_print(&draft, &text);
	assert_string_equal(
		str_text(&text),
		"{\"annotations\":{\"org.cirruslabs.tart.uncompressed-disk-size\":\"8388608\","
		"\"org.cirruslabs.tart.upload-time\":\"2025-01-02T03:04:05Z\"},"
		"\"config\":{\"digest\":\"" SHA(
			"0") "\",\"mediaType\":\"application/vnd.oci.image."
			     "config.v1+json\",\"size\":120},"
			     "\"layers\":[{\"annotations\":{},\"digest\":\"" SHA(
				     "1") "\","
					  "\"mediaType\":\"application/vnd.cirruslabs.tart.config.v1\",\"size\":300},"
					  "{\"annotations\":{\"org.cirruslabs.tart.uncompressed-content-digest\":\"" SHA(
						  "d") "\","
						       "\"org.cirruslabs.tart.uncompressed-size\":\"30954\"},\"digest\":\"" SHA(
							       "2") "\","
								    "\"mediaType\":\"application/vnd.cirruslabs.tart.disk.v2\",\"size\":1000},"
								    "{\"annotations\":{},\"digest\":\"" SHA(
									    "3") "\","
										 "\"mediaType\":\"application/vnd.cirruslabs.tart.nvram.v1\",\"size\":64}],"
										 "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"schemaVersion\":2}");
}

static void random_digest(blob_digest ret)
{
	unsigned char bytes[32];

	random_bytes(bytes, sizeof(bytes));
	(void)snprintf(ret, sizeof(blob_digest), "sha256:");
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(ret + 7 + 2 * i, 3, "%02x", bytes[i]);
}

static struct descriptor random_descriptor(uint32_t size_max)
{
	struct descriptor ret = { .size_bytes = 1 + random_below(size_max) };

	random_digest(ret.digest);
	return ret;
}

static void check_same(const struct descriptor *got, const struct descriptor *want,
		       enum layer_kind kind)
{
	assert_int_equal(got->kind, kind);
	assert_string_equal(got->digest, want->digest);
	assert_int_equal(got->size_bytes, want->size_bytes);
	assert_int_equal(got->data_bytes, want->data_bytes);
	assert_string_equal(got->data_digest, want->data_digest);
	assert_null(got->disk_name);
}

static void check_reads_back(const struct manifest_draft *draft)
{
	CLEANUP(manifest_done) struct manifest manifest = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };
	size_t n = 0;

	manifest_print(draft, &text);
	check(manifest_parse(str_span(&text), &manifest, &err), "%s: %s", err.text,
	      str_text(&text));
	assert_int_equal(manifest.kind, IMAGE_TART);
	check_same(&manifest.config, &draft->config, LAYER_OTHER);
	check_same(&manifest.layers.v[n++], &draft->vm_config, LAYER_TART_CONFIG);
	for (size_t i = 0; i < draft->n_disk; i++)
		check_same(&manifest.layers.v[n++], &draft->disk[i], LAYER_TART_DISK);
	check_same(&manifest.layers.v[n++], &draft->nvram, LAYER_TART_NVRAM);
	if (draft->index.size_bytes > 0)
		check_same(&manifest.layers.v[n++], &draft->index, LAYER_DISK_INDEX);
	assert_int_equal(manifest.layers.n, n);
	assert_int_equal(manifest.disk_bytes, draft->disk_bytes);
	assert_int_equal(manifest.hint_bytes, draft->disk_bytes);
	if (draft->upload_time)
		assert_string_equal(manifest.upload_time, draft->upload_time);
	else
		assert_null(manifest.upload_time);
}

static void drafts_read_back(void **state)
{
	struct descriptor disks[DISKS_MAX];

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct manifest_draft draft = {
			.config = random_descriptor(1 << 20),
			.vm_config = random_descriptor(1 << 20),
			.disk = disks,
			.n_disk = 1 + random_below(DISKS_MAX),
			.nvram = random_descriptor(256 << 20),
			.upload_time = round % 2 ? "2025-01-02T03:04:05Z" : NULL,
		};

		if (round % 3)
			draft.index = random_descriptor(64 << 20);
		for (size_t i = 0; i < draft.n_disk; i++) {
			disks[i] = random_descriptor(UINT32_MAX);
			disks[i].data_bytes = random_below((uint32_t)disks[i].size_bytes);
			random_digest(disks[i].data_digest);
			draft.disk_bytes += disks[i].data_bytes;
		}
		check_reads_back(&draft);
	}
}

static void image_config_has_labels(void **state)
{
	static const struct manifest_label labels[] = {
		{ "z", "last" },
		{ "a", "first" },
		{ "a", "wins \"quoted\"" },
		{ "org.cirruslabs.tart.disk.format", "not this" },
	};
	CLEANUP_STR struct str with = { 0 };
	CLEANUP_STR struct str without = { 0 };

	(void)state;
	image_config_print(ARCH_ARM64, OS_LINUX, labels, ARRAY_LEN(labels), "raw", &with);
	assert_string_equal(str_text(&with),
			    "{\"architecture\":\"arm64\",\"config\":{\"Labels\":{\"a\":\"wins "
			    "\\\"quoted\\\"\",\"org.cirruslabs.tart.disk.format\":\"raw\",\"z\":"
			    "\"last\"}},\"os\":\"linux\"}");
	image_config_print(ARCH_AMD64, OS_DARWIN, NULL, 0, "asif", &without);
	assert_string_equal(str_text(&without),
			    "{\"architecture\":\"amd64\",\"config\":{\"Labels\":{\"org.cirruslabs."
			    "tart.disk.format\":\"asif\"}},\"os\":\"darwin\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_these),
		cmocka_unit_test(drafts_read_back),
		cmocka_unit_test(image_config_has_labels),
	};

	return unit_main(tests);
}
