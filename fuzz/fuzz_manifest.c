/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and image indexes: whatever is accepted keeps the promises of registry/manifest.h. */
#include "base/digest.h"
#include "fuzz.h"
#include "registry/manifest.h"

static void check_digest(const char *digest)
{
	struct span text = span_of(digest);

	fuzz_check(span_starts_with(text, NAME_DIGEST_PREFIX));
	fuzz_check(digest_is_hex(span_from(text, strlen(NAME_DIGEST_PREFIX))));
}

static size_t count(const struct manifest *manifest, enum layer_kind kind)
{
	size_t n = 0;

	vec_each(&manifest->layers, layer)
		n += layer->kind == kind;
	return n;
}

static void check_layer(const struct descriptor *layer)
{
	check_digest(layer->digest);
	fuzz_check(layer->size_bytes <= INT64_MAX);
	if (layer->kind == LAYER_TART_DISK || layer->kind == LAYER_VETU_DISK) {
		check_digest(layer->data_digest);
		fuzz_check(layer->data_bytes / 255 <= layer->size_bytes);
	} else {
		fuzz_check(layer->data_bytes == 0);
	}
	fuzz_check((layer->kind == LAYER_VETU_DISK) == (layer->disk_name != NULL));
}

static void check_manifest(const struct manifest *manifest)
{
	uint64_t sum = 0;

	check_digest(manifest->config.digest);
	fuzz_check(manifest->config.size_bytes <= IMAGE_CONFIG_MAX);
	fuzz_check(manifest->layers.n >= 1 && manifest->layers.n <= MANIFEST_LAYERS_MAX);
	vec_each(&manifest->layers, layer) {
		check_layer(layer);
		sum += layer->data_bytes;
	}
	fuzz_check(sum == manifest->disk_bytes && sum <= INT64_MAX);
	fuzz_check(count(manifest, LAYER_TART_DISK_V1) == 0);
	fuzz_check(count(manifest, LAYER_DISK_INDEX) <= 1);
	fuzz_check(count(manifest, LAYER_TART_CONFIG) == (manifest->kind == IMAGE_TART));
	fuzz_check(count(manifest, LAYER_TART_NVRAM) == (manifest->kind == IMAGE_TART));
	fuzz_check(count(manifest, LAYER_VETU_CONFIG) == (manifest->kind == IMAGE_VETU));
	fuzz_check(count(manifest, LAYER_VETU_KERNEL) == (manifest->kind == IMAGE_VETU));
	if (manifest->kind == IMAGE_CONTAINER)
		fuzz_check(count(manifest, LAYER_TAR) == manifest->layers.n);
}

/* What was read from it, printed as ours and read again, is the same. */
static void check_reads_back(const struct manifest *manifest)
{
	CLEANUP(manifest_done) struct manifest again = { 0 };
	CLEANUP_STR struct str text = { 0 };
	VEC(struct descriptor) disks = { 0 };
	struct manifest_draft draft = {
		.config = manifest->config,
		.vm_config = *manifest_layer(manifest, LAYER_TART_CONFIG),
		.nvram = *manifest_layer(manifest, LAYER_TART_NVRAM),
		.disk_bytes = manifest->disk_bytes,
		.upload_time = manifest->upload_time,
	};
	struct err err = { 0 };

	vec_each(&manifest->layers, layer) {
		if (layer->kind == LAYER_TART_DISK)
			*vec_push(&disks) = *layer;
	}
	draft.disk = disks.v;
	draft.n_disk = disks.n;
	manifest_print(&draft, &text);
	/* Ours may be longer than theirs, which left out what is optional. */
	if (text.len <= MANIFEST_MAX) {
		fuzz_check(manifest_parse(str_span(&text), &again, &err));
		fuzz_check(again.layers.n == disks.n + 2);
		for (size_t i = 0; i < disks.n; i++) {
			fuzz_check(strcmp(again.layers.v[i + 1].digest, disks.v[i].digest) == 0);
			fuzz_check(again.layers.v[i + 1].data_bytes == disks.v[i].data_bytes);
		}
		fuzz_check(again.disk_bytes == manifest->disk_bytes);
	}
	vec_done(&disks);
}

static void try_index(struct span text, enum guest_arch arch)
{
	blob_digest digest = "";
	uint64_t size = 0;
	struct err err = { 0 };

	if (index_choose(text, arch, digest, &size, &err)) {
		check_digest(digest);
		fuzz_check(size <= MANIFEST_MAX);
	} else {
		fuzz_check(err.kind == ERR_GENERAL && err.text[0] && digest[0] == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(manifest_done) struct manifest manifest = { 0 };
	struct span text = span_make((const char *)data, size);
	struct err err = { 0 };

	(void)manifest_is_index(text, NULL);
	try_index(text, ARCH_AMD64);
	try_index(text, ARCH_ARM64);
	if (!manifest_parse(text, &manifest, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && err.text[0] && manifest.layers.n == 0);
		return 0;
	}
	check_manifest(&manifest);
	if (manifest.kind == IMAGE_TART)
		check_reads_back(&manifest);
	return 0;
}
