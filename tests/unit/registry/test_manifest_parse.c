/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of manifest_parse(): the images of tests/data/oci, and one good manifest with one thing changed. */
#include "manifests.h"
#include "registry/manifest.h"

/* Parses a manifest, that of the index's arm64 entry if it is an index. */
static bool parse_sample(const struct samples *samples, const char *digest, struct manifest *ret,
			 struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	blob_digest chosen;
	uint64_t size;

	samples_read(samples, digest, &text);
	if (!manifest_is_index(str_span(&text), NULL))
		return manifest_parse(str_span(&text), ret, err);
	if (!index_choose(str_span(&text), ARCH_ARM64, chosen, &size, err))
		return false;
	str_clear(&text);
	samples_read(samples, chosen, &text);
	assert_int_equal(text.len, size);
	return manifest_parse(str_span(&text), ret, err);
}

static enum image_kind kind_of(const struct json *sample)
{
	const char *kind = json_member_text(sample, "kind");

	return strcmp(kind, "tart") == 0 ? IMAGE_TART :
	       strcmp(kind, "vetu") == 0 ? IMAGE_VETU :
					   IMAGE_CONTAINER;
}

static uint64_t disks_of(const struct json *sample)
{
	const struct json *disks = json_member(sample, "disks");
	uint64_t sum = 0;

	for (size_t i = 0; i < json_count(disks); i++) {
		uint64_t size = 0;

		assert_true(json_get_u64(json_member(json_at(disks, i), "size"), &size));
		sum += size;
	}
	return sum;
}

static void check_accepted(const struct json *sample, const struct manifest *manifest)
{
	const char *ref = json_member_text(sample, "ref");
	enum image_kind kind = kind_of(sample);

	check(manifest->kind == kind, "%s: kind %d", ref, (int)manifest->kind);
	if (kind != IMAGE_CONTAINER)
		check(manifest->disk_bytes == disks_of(sample), "%s: %llu bytes", ref,
		      (unsigned long long)manifest->disk_bytes);
	if (kind != IMAGE_TART)
		return;
	check(strcmp(manifest_layer(manifest, LAYER_TART_CONFIG)->digest,
		     json_member_text(sample, "config_sha256")) == 0,
	      "%s: config", ref);
	check(strcmp(manifest_layer(manifest, LAYER_TART_NVRAM)->digest,
		     json_member_text(sample, "nvram_sha256")) == 0,
	      "%s: NVRAM", ref);
}

static void samples_are_judged(void **state)
{
	CLEANUP(samples_done) struct samples samples = samples_open();

	(void)state;
	for (size_t i = 0; i < json_count(samples.cases); i++) {
		const struct json *sample = json_at(samples.cases, i);
		const char *ref = json_member_text(sample, "ref");
		const char *stage = json_member_text(sample, "stage");
		/* What is wrong with this one shows when its config is there. */
		bool refused = stage && strcmp(stage, "manifest") == 0 &&
			       strcmp(ref, "vetu-bad-undeclared") != 0;
		CLEANUP(manifest_done) struct manifest manifest = { 0 };
		struct err err = { 0 };
		bool ok = parse_sample(&samples, json_member_text(sample, "manifest"), &manifest,
				       &err);

		check(ok != refused, "%s: %s", ref, ok ? "accepted" : err.text);
		if (!ok)
			check(err.kind == ERR_GENERAL && !strchr(err.text, '\n') &&
				      manifest.layers.n == 0,
			      "%s: %s", ref, err.text);
		else if (!stage)
			check_accepted(sample, &manifest);
	}
}

#define CONFIG "{\"mediaType\":\"" MEDIA_OCI_CONFIG "\",\"digest\":\"" SHA("0") "\",\"size\":7}"
#define VM_CONFIG \
	"{\"mediaType\":\"" MEDIA_TART_CONFIG "\",\"digest\":\"" SHA("1") "\",\"size\":100}"
#define DISK(digit, size)                                                     \
	"{\"annotations\":{\"org.cirruslabs.tart.uncompressed-size\":\"" size \
	"\",\"org.cirruslabs.tart.uncompressed-content-digest\":\"" SHA(      \
		"d") "\"},"                                                   \
		     "\"mediaType\":\"" MEDIA_TART_DISK                       \
		     "\",\"digest\":\"" SHA(digit) "\",\"size\":1000}"
#define NVRAM "{\"mediaType\":\"" MEDIA_TART_NVRAM "\",\"digest\":\"" SHA("3") "\",\"size\":64}"
#define INDEX                                                                      \
	"{\"mediaType\":\"application/vnd.tart.disk-index.v1\",\"digest\":\"" SHA( \
		"4") "\",\"size\":9}"

static const char good[] =
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"config\":" CONFIG
	",\"layers\":[" VM_CONFIG "," DISK("a", "6000") "," DISK(
		"b",
		"255000") "," NVRAM "," INDEX
			  "],\"annotations\":{\"org.cirruslabs.tart.uncompressed-disk-size\":\"777\","
			  "\"org.cirruslabs.tart.upload-time\":\"2025-01-02T03:04:05Z\"}}";

static void good_one_is_read_whole(void **state)
{
	CLEANUP(manifest_done) struct manifest manifest = { 0 };
	struct err err = { 0 };

	(void)state;
	check(manifest_parse(span_of(good), &manifest, &err), "%s", err.text);
	assert_int_equal(manifest.kind, IMAGE_TART);
	assert_string_equal(manifest.config.digest, SHA("0"));
	assert_int_equal(manifest.config.size_bytes, 7);
	assert_int_equal(manifest.layers.n, 5);
	assert_int_equal(manifest.layers.v[1].kind, LAYER_TART_DISK);
	assert_int_equal(manifest.layers.v[1].data_bytes, 6000);
	assert_int_equal(manifest.layers.v[1].size_bytes, 1000);
	assert_string_equal(manifest.layers.v[2].digest, SHA("b"));
	assert_string_equal(manifest.layers.v[2].data_digest, SHA("d"));
	assert_ptr_equal(manifest_layer(&manifest, LAYER_DISK_INDEX), &manifest.layers.v[4]);
	assert_null(manifest_layer(&manifest, LAYER_VETU_KERNEL));
	assert_int_equal(manifest.disk_bytes, 261000);
	assert_int_equal(manifest.hint_bytes, 777);
	assert_string_equal(manifest.upload_time, "2025-01-02T03:04:05Z");
}

static const struct {
	const char *name;
	const char *from, *to; /* in the good one */
} accepted[] = {
	{ "no mediaType", "\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",", "" },
	{ "a null mediaType", "\"" MEDIA_OCI_MANIFEST "\"", "null" },
	{ "Docker's mediaType", MEDIA_OCI_MANIFEST, MEDIA_DOCKER_MANIFEST },
	{ "null annotations", "{\"mediaType\":\"" MEDIA_TART_CONFIG,
	  "{\"annotations\":null,\"mediaType\":\"" MEDIA_TART_CONFIG },
	{ "unknown keys", "\"schemaVersion\":2", "\"future\":[{}],\"schemaVersion\":2" },
	{ "an unknown layer", INDEX,
	  "{\"mediaType\":\"x/y\",\"digest\":\"" SHA("4") "\",\"size\":0}" },
	{ "an unknown layer of Tart's that is no disk", INDEX,
	  "{\"mediaType\":\"" MEDIA_TART_PREFIX
	  "notes.v9\",\"digest\":\"" SHA("4") "\",\"size\":0}" },
	{ "an empty layer", DISK("a", "6000"),
	  "{\"annotations\":{\"org.cirruslabs.tart.uncompressed-size\":\"0\","
	  "\"org.cirruslabs.tart.uncompressed-content-digest\":\"" SHA(
		  "d") "\"},"
		       "\"mediaType\":\"" MEDIA_TART_DISK
		       "\",\"digest\":\"" SHA("a") "\",\"size\":4}" },
	{ "leading zeros", "\"6000\"", "\"0000000000000006000\"" },
	{ "a hint that is no number", "\"777\"", "\"a lot\"" },
	{ "a hint that is no text", "\"777\"", "777" },
	{ "a hint too large", "\"777\"", "\"9223372036854775808\"" },
	{ "the largest NVRAM", "\"size\":64}", "\"size\":268435456}" },
	{ "the largest config", "\"size\":7}", "\"size\":1048576}" },
};

static void harmless_changes_are_accepted(void **state)
{
	(void)state;
	each_row(accepted, row) {
		CLEANUP_FREE char *text = edit(good, row->from, row->to);
		CLEANUP(manifest_done) struct manifest manifest = { 0 };
		struct err err = { 0 };

		check(manifest_parse(span_of(text), &manifest, &err), "%s: %s", row->name,
		      err.text);
		check(manifest.kind == IMAGE_TART && manifest.disk_bytes >= 255000, "%s",
		      row->name);
	}
}

static const struct {
	const char *name;
	const char *from, *to;
	const char *error;
} refused[] = {
	{ "a key twice", "\"size\":100", "\"size\":100,\"size\":100", "a key given twice" },
	{ "a key of no interest twice", "{\"schemaVersion\":2",
	  "{\"x\":1,\"x\":1,\"schemaVersion\":2", "a key given twice" },
	{ "an annotation twice", "{\"org.cirruslabs.tart.uncompressed-disk-size",
	  "{\"x\":\"\",\"x\":\"\",\"org.cirruslabs.tart.uncompressed-disk-size",
	  "a key given twice" },
	{ "version", "\"schemaVersion\":2", "\"schemaVersion\":1", "schemaVersion is not 2" },
	{ "version as a text", "\"schemaVersion\":2", "\"schemaVersion\":\"2\"",
	  "schemaVersion is not 2" },
	{ "no config", "\"config\":", "\"konfig\":", "its config: not a descriptor" },
	{ "config too large", "\"size\":7}", "\"size\":1048577}", "its config is larger than" },
	{ "NVRAM too large", "\"size\":64}", "\"size\":268435457}",
	  "layer 4: its 268435457 bytes are more than the 268435456 that are allowed" },
	{ "VM config too large", "\"size\":100}", "\"size\":1048577}",
	  "layer 1: its 1048577 bytes" },
	{ "size with an exponent", "\"size\":100", "\"size\":1e2", "layer 1: its size" },
	{ "size just too large", "\"size\":100", "\"size\":9223372036854775808",
	  "layer 1: its size is not a whole number of bytes" },
	{ "no digest", "\"digest\":\"" SHA("b"), "\"x\":\"" SHA("b"), "layer 3: its digest" },
	{ "a digest and more", SHA("b"), SHA("b") "0", "layer 3: its digest" },
	{ "no layer type", "\"mediaType\":\"" MEDIA_TART_NVRAM "\",", "",
	  "layer 4: it has no mediaType" },
	{ "one more than can be", "\"255000\"", "\"255001\"",
	  "layer 3: its 1000 bytes cannot hold the 255001 that it announces" },
	{ "twenty digits", "\"6000\"", "\"00000000000000006000\"", "is not a number of bytes" },
	{ "annotations that are a list", "\"annotations\":{\"org.cirruslabs.tart.uncompressed-size",
	  "\"annotations\":[],\"x\":{\"org.cirruslabs.tart.uncompressed-size",
	  "layer 2: its annotations are not an object" },
	{ "an old disk", MEDIA_TART_DISK "\",\"digest\":\"" SHA("b"),
	  MEDIA_TART_DISK_V1 "\",\"digest\":\"" SHA("b"),
	  "push the image again with a current version" },
	{ "a disk of tomorrow", MEDIA_TART_DISK "\",\"digest\":\"" SHA("b"),
	  MEDIA_TART_PREFIX "disk.v3\",\"digest\":\"" SHA("b"),
	  "layer 3: it is of type \"application/vnd.cirruslabs.tart.disk.v3\": this version of "
	  "tart cannot read such disks" },
	{ "a stacked disk", "application/vnd.tart.disk-index.v1",
	  MEDIA_TART_PREFIX "asif-overlay.v1", "cannot read such disks" },
	{ "two NVRAMs", INDEX, NVRAM, "it has 2 layers with NVRAM, there should be one" },
	{ "a kernel of Vetu's", "application/vnd.tart.disk-index.v1", MEDIA_VETU_KERNEL,
	  "layers of Tart and of Vetu" },
	{ "no layers", "\"layers\":[", "\"layers\":[],\"x\":[", "not a VM image" },
	{ "nothing of ours", "\"layers\":[",
	  "\"layers\":[{\"mediaType\":\"x/y\",\"digest\":\"" SHA("4") "\",\"size\":0}],\"x\":[",
	  "not a VM image" },
	{ "text behind it", "05Z\"}}", "05Z\"}}{}", "text after the value" },
};

static void bad_changes_are_refused(void **state)
{
	(void)state;
	each_row(refused, row) {
		CLEANUP_FREE char *text = edit(good, row->from, row->to);
		CLEANUP(manifest_done) struct manifest manifest = { 0 };
		struct err err = { 0 };

		check(!manifest_parse(span_of(text), &manifest, &err), "%s: accepted", row->name);
		check(strstr(err.text, row->error), "%s: %s", row->name, err.text);
		check(manifest.layers.n == 0, "%s: left something", row->name);
	}
}

static void every_prefix_is_refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < strlen(good); len++) {
		CLEANUP(manifest_done) struct manifest manifest = { 0 };
		struct err err = { 0 };

		assert_false(manifest_parse(span_make(good, len), &manifest, &err));
	}
}

/* Sizes of single layers that fit, and whose sum does not. */
static void sum_beyond_limit_is_refused(void **state)
{
	CLEANUP_FREE char *one = edit(good, "\"6000\"", "\"9000000000000000000\"");
	CLEANUP_FREE char *two = edit(one, "\"255000\"", "\"300000000000000000\"");
	CLEANUP_FREE char *size = edit(two, "\"size\":1000", "\"size\":90000000000000000");
	CLEANUP_FREE char *text = edit(size, "\"size\":1000", "\"size\":90000000000000000");
	CLEANUP(manifest_done) struct manifest manifest = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_false(manifest_parse(span_of(text), &manifest, &err));
	assert_string_equal(err.text, "its disk is larger than 2^63 bytes");
}

static void text_too_large_is_refused(void **state)
{
	CLEANUP(manifest_done) struct manifest manifest = { 0 };
	CLEANUP(manifest_done) struct manifest fits = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	(void)state;
	str_add(&text, good);
	while (text.len < MANIFEST_MAX)
		str_add_char(&text, '\n');
	check(manifest_parse(str_span(&text), &fits, &err), "%s", err.text);
	str_add_char(&text, '\n');
	assert_false(manifest_parse(str_span(&text), &manifest, &err));
	assert_string_equal(err.text, "larger than 4194304 bytes");
}

static void too_many_layers_are_refused(void **state)
{
	CLEANUP(manifest_done) struct manifest manifest = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	(void)state;
	str_add(&text, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[0");
	for (int i = 0; i < MANIFEST_LAYERS_MAX; i++)
		str_add(&text, ",0");
	str_add(&text, "]}");
	assert_false(manifest_parse(str_span(&text), &manifest, &err));
	assert_string_equal(err.text, "it has more than 65536 layers");
}

/* Skipped like what we do not know, since nothing depends on it. */
static void bad_indexes_are_forgotten(void **state)
{
	CLEANUP_FREE char *two = edit(good, INDEX, INDEX "," INDEX);
	CLEANUP_FREE char *large = edit(good, "\"size\":9}", "\"size\":67108865}");
	const char *const texts[] = { two, large };

	(void)state;
	each_row(texts, text) {
		CLEANUP(manifest_done) struct manifest manifest = { 0 };
		struct err err = { 0 };

		check(manifest_parse(span_of(*text), &manifest, &err), "%s", err.text);
		assert_null(manifest_layer(&manifest, LAYER_DISK_INDEX));
	}
}

static const struct {
	const char *name;
	const char *media_type;
	bool ok;
	enum tar_codec codec;
} tars[] = {
	{ "plain", "application/vnd.oci.image.layer.v1.tar", true, TAR_PLAIN },
	{ "gzip", "application/vnd.oci.image.layer.v1.tar+gzip", true, TAR_GZIP },
	{ "zstd", "application/vnd.oci.image.layer.v1.tar+zstd", true, TAR_ZSTD },
	{ "Docker", "application/vnd.docker.image.rootfs.diff.tar.gzip", true, TAR_GZIP },
	{ "foreign", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", false, 0 },
	{ "more", "application/vnd.oci.image.layer.v1.tar+gzip+x", false, 0 },
};

static void containers_are_known_by_their_tars(void **state)
{
	(void)state;
	each_row(tars, row) {
		CLEANUP_FREE char *text = xasprintf(
			"{\"schemaVersion\":2,\"config\":%s,\"layers\":[{\"mediaType\":\"%s\","
			"\"digest\":\"%s\",\"size\":5}]}",
			CONFIG, row->media_type, SHA("a"));
		CLEANUP(manifest_done) struct manifest manifest = { 0 };
		struct err err = { 0 };
		bool ok = manifest_parse(span_of(text), &manifest, &err);

		check(ok == row->ok, "%s: %s", row->name, err.text);
		if (ok)
			check(manifest.kind == IMAGE_CONTAINER &&
				      manifest.layers.v[0].kind == LAYER_TAR &&
				      manifest.layers.v[0].tar_codec == row->codec,
			      "%s: codec %d", row->name, (int)manifest.layers.v[0].tar_codec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_judged),
		cmocka_unit_test(good_one_is_read_whole),
		cmocka_unit_test(harmless_changes_are_accepted),
		cmocka_unit_test(bad_changes_are_refused),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(sum_beyond_limit_is_refused),
		cmocka_unit_test(text_too_large_is_refused),
		cmocka_unit_test(too_many_layers_are_refused),
		cmocka_unit_test(bad_indexes_are_forgotten),
		cmocka_unit_test(containers_are_known_by_their_tars),
	};

	return unit_main(tests);
}
