/* SPDX-License-Identifier: Apache-2.0 */
/* Composing and sending what goes around a disk. */
#include "registry/push_image.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"

void known_manifest_done(struct known_manifest *known)
{
	if (known->bytes.len > 0)
		manifest_done(&known->parsed);
	str_done(&known->bytes);
}

void push_image_done(struct push_image *image)
{
	str_done(&image->vm_config.bytes);
	str_done(&image->oci_config.bytes);
	str_done(&image->index.bytes);
}

void blob_digest_from_hex(const char *hex, blob_digest ret)
{
	(void)snprintf(ret, sizeof(blob_digest), NAME_DIGEST_PREFIX "%s", hex);
}

void blob_digest_of(struct span bytes, blob_digest ret)
{
	char hex[DIGEST_HEX_SIZE];

	digest_of(bytes, hex);
	blob_digest_from_hex(hex, ret);
}

static void seal(struct small_blob *blob)
{
	blob_digest_of(str_span(&blob->bytes), blob->digest);
}

/* Whether these bytes are the VM config of that image. */
static bool is_config_of(const struct known_manifest *original, struct span text)
{
	const struct descriptor *config;
	blob_digest digest;

	if (!original || original->bytes.len == 0)
		return false;
	config = manifest_layer(&original->parsed, LAYER_TART_CONFIG);
	blob_digest_of(text, digest);
	return config && strcmp(config->digest, digest) == 0;
}

static void make_vm_config(const struct push_source *source, const struct known_manifest *original,
			   struct small_blob *ret)
{
	if (is_config_of(original, str_span(&source->config_text)))
		str_add_span(&ret->bytes, str_span(&source->config_text));
	else
		push_source_print_config(source, &ret->bytes);
	seal(ret);
}

bool push_image_make(const struct push_source *source, const struct manifest_label *labels,
		     size_t n_labels, const struct known_manifest *original, struct push_image *ret,
		     struct err *err)
{
	struct push_image image = { .nvram_digest = "" };
	char nvram[DIGEST_HEX_SIZE];

	if (!digest_of_range(source->nvram_fd, 0, source->nvram_bytes, nvram, err))
		return err_context(err, "'%s'", BUNDLE_NVRAM);
	blob_digest_from_hex(nvram, image.nvram_digest);
	make_vm_config(source, original, &image.vm_config);
	image_config_print(source->config.arch, source->config.os, labels, n_labels,
			   source->config.disk_format_text, &image.oci_config.bytes);
	seal(&image.oci_config);
	*ret = image;
	return true;
}

static bool put_small(struct push_target *target, const struct small_blob *blob, struct err *err)
{
	const struct http_body content = { .bytes = str_span(&blob->bytes), .fd = -1 };

	return push_target_put(target, blob->digest, &content, err);
}

bool push_image_put_config(const struct push_image *image, struct push_target *target,
			   struct err *err)
{
	return put_small(target, &image->vm_config, err);
}

bool push_image_put_nvram(const struct push_image *image, const struct push_source *source,
			  struct push_target *target, struct err *err)
{
	const struct http_body content = { .fd = source->nvram_fd, .fd_len = source->nvram_bytes };

	return push_target_put(target, image->nvram_digest, &content, err);
}

bool push_image_put_rest(struct push_image *image, const struct push_plan *plan,
			 struct push_target *target, struct err *err)
{
	struct layer_index index;

	push_plan_index(plan, &index);
	str_clear(&image->index.bytes);
	layer_index_print(&index, &image->index.bytes);
	vec_done(&index.layers);
	if (image->index.bytes.len > LAYER_INDEX_MAX)
		str_done(&image->index.bytes);
	else
		seal(&image->index);
	return (image->index.bytes.len == 0 || put_small(target, &image->index, err)) &&
	       put_small(target, &image->oci_config, err);
}

static struct descriptor describe(const blob_digest digest, uint64_t size_bytes)
{
	struct descriptor blob = { .size_bytes = size_bytes };

	memcpy(blob.digest, digest, sizeof(blob.digest));
	return blob;
}

static struct descriptor describe_small(const struct small_blob *blob)
{
	return describe(blob->digest, blob->bytes.len);
}

static struct descriptor describe_layer(const struct disk_layer *item)
{
	struct descriptor blob = { .size_bytes = item->blob_bytes, .data_bytes = item->data_bytes };

	blob_digest_from_hex(item->blob_digest, blob.digest);
	blob_digest_from_hex(item->data_digest, blob.data_digest);
	return blob;
}

void push_image_print_manifest(const struct push_image *image, const struct push_source *source,
			       const struct push_plan *plan,
			       const struct known_manifest *const *known, size_t n_known,
			       const char *upload_time, struct str *out)
{
	VEC(struct descriptor) disk = { 0 };
	struct manifest_draft draft = {
		.config = describe_small(&image->oci_config),
		.vm_config = describe_small(&image->vm_config),
		.nvram = describe(image->nvram_digest, source->nvram_bytes),
		.disk_bytes = plan->disk_bytes,
	};
	bool is_known = false;

	if (image->index.bytes.len > 0)
		draft.index = describe_small(&image->index);
	vec_each(&plan->layers, layer)
		*vec_push(&disk) = describe_layer(&layer->item);
	draft.disk = disk.v;
	draft.n_disk = disk.n;
	for (size_t i = 0; i < n_known && !is_known; i++) {
		if (!known[i] || known[i]->bytes.len == 0 || !known[i]->parsed.upload_time)
			continue;
		draft.upload_time = known[i]->parsed.upload_time;
		str_clear(out);
		manifest_print(&draft, out);
		is_known = span_equal(str_span(out), str_span(&known[i]->bytes));
	}
	if (!is_known) {
		draft.upload_time = upload_time;
		str_clear(out);
		manifest_print(&draft, out);
	}
	vec_done(&disk);
}
