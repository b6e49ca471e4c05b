/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: their layers one by one, then what they are together. */
#include <stdint.h>

#include "base/checked.h"
#include "base/number.h"
#include "image/layer_index.h"
#include "registry/manifest_json.h"

/* LZ4 cannot expand further: image-format.md 5.2, 6.1. */
#define RATIO_MAX 255

static const struct {
	const char *media_type;
	enum layer_kind kind;
	enum tar_codec codec;
} types[] = {
	{ MEDIA_TART_CONFIG, LAYER_TART_CONFIG, TAR_PLAIN },
	{ MEDIA_TART_DISK, LAYER_TART_DISK, TAR_PLAIN },
	{ MEDIA_TART_DISK_V1, LAYER_TART_DISK_V1, TAR_PLAIN },
	{ MEDIA_TART_NVRAM, LAYER_TART_NVRAM, TAR_PLAIN },
	{ LAYER_INDEX_MEDIA_TYPE, LAYER_DISK_INDEX, TAR_PLAIN },
	{ MEDIA_VETU_CONFIG, LAYER_VETU_CONFIG, TAR_PLAIN },
	{ MEDIA_VETU_KERNEL, LAYER_VETU_KERNEL, TAR_PLAIN },
	{ MEDIA_VETU_INITRAMFS, LAYER_VETU_INITRAMFS, TAR_PLAIN },
	{ MEDIA_VETU_DISK, LAYER_VETU_DISK, TAR_PLAIN },
	{ "application/vnd.oci.image.layer.v1.tar", LAYER_TAR, TAR_PLAIN },
	{ "application/vnd.oci.image.layer.v1.tar+gzip", LAYER_TAR, TAR_GZIP },
	{ "application/vnd.oci.image.layer.v1.tar+zstd", LAYER_TAR, TAR_ZSTD },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", LAYER_TAR, TAR_GZIP },
};

/* Layers that would make another disk of what the others say: to be ignored they are not. */
static bool may_change_disk(struct span media_type)
{
	return span_starts_with(media_type, MEDIA_TART_PREFIX) &&
	       (strstr(media_type.ptr, "disk") || strstr(media_type.ptr, "overlay"));
}

static bool read_kind(const char *media_type, struct descriptor *layer, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(media_type, types[i].media_type) != 0)
			continue;
		layer->kind = types[i].kind;
		layer->tar_codec = types[i].codec;
		return true;
	}
	if (may_change_disk(span_of(media_type)))
		return err_set(err, ERR_GENERAL,
			       "it is of type \"%.100s\": this version of tart cannot read such "
			       "disks, push the VM again as a plain raw disk",
			       media_type);
	return true;
}

/* *ret = NULL when it is not there. */
static bool read_annotation(const struct json *annotations, const char *key, const char **ret,
			    struct err *err)
{
	const struct json *value = json_member(annotations, key);

	if (json_type(value) != JSON_STRING && json_type(value) != JSON_NULL)
		return err_set(err, ERR_GENERAL, "its annotation %s is not a text", key);
	*ret = json_text(value);
	return true;
}

/* The sizes that a disk layer announces. */
static bool read_data(const struct json *annotations, const char *bytes_key, const char *digest_key,
		      struct descriptor *layer, struct err *err)
{
	const char *bytes;
	const char *digest;
	uint64_t limit;

	if (!read_annotation(annotations, bytes_key, &bytes, err) ||
	    !read_annotation(annotations, digest_key, &digest, err))
		return false;
	if (!bytes || !digest)
		return err_set(err, ERR_GENERAL,
			       "it lacks the annotation %s: made by a foreign or very old tool",
			       bytes ? digest_key : bytes_key);
	if (!number_parse_u64(span_of(bytes), INT64_MAX, &layer->data_bytes) || strlen(bytes) > 19)
		return err_set(err, ERR_GENERAL, "its annotation %s is not a number of bytes",
			       bytes_key);
	if (!manifest_read_digest(digest, layer->data_digest))
		return err_set(err, ERR_GENERAL, "its annotation %s is not a digest", digest_key);
	if (!ckd_mul(&limit, layer->size_bytes, (uint64_t)RATIO_MAX) && layer->data_bytes > limit)
		return err_set(err, ERR_GENERAL,
			       "its %llu bytes cannot hold the %llu that it announces",
			       (unsigned long long)layer->size_bytes,
			       (unsigned long long)layer->data_bytes);
	return true;
}

static bool read_vetu_disk(const struct json *annotations, struct descriptor *layer,
			   struct err *err)
{
	const char *name;

	if (!read_data(annotations, VETU_DATA_BYTES, VETU_DATA_DIGEST, layer, err) ||
	    !read_annotation(annotations, VETU_NAME, &name, err))
		return false;
	if (!name)
		return err_set(err, ERR_GENERAL, "it lacks the annotation %s", VETU_NAME);
	layer->disk_name = xstrdup(name);
	return true;
}

static bool read_annotations(const struct json *annotations, struct descriptor *layer,
			     struct err *err)
{
	if (json_type(annotations) != JSON_NULL && !json_is_object(annotations))
		return err_set(err, ERR_GENERAL, "its annotations are not an object");
	switch (layer->kind) {
	case LAYER_TART_DISK:
		return read_data(annotations, TART_DATA_BYTES, TART_DATA_DIGEST, layer, err);
	case LAYER_VETU_DISK:
		return read_vetu_disk(annotations, layer, err);
	default:
		return true;
	}
}

static bool check_size(const struct descriptor *layer, struct err *err)
{
	uint64_t max = layer->kind == LAYER_TART_CONFIG || layer->kind == LAYER_VETU_CONFIG ?
			       IMAGE_CONFIG_MAX :
		       layer->kind == LAYER_TART_NVRAM ? NVRAM_MAX :
							 INT64_MAX;

	return layer->size_bytes <= max ||
	       err_set(err, ERR_GENERAL, "its %llu bytes are more than the %llu that are allowed",
		       (unsigned long long)layer->size_bytes, (unsigned long long)max);
}

static bool read_layer(const struct json *node, struct descriptor *layer, struct err *err)
{
	const char *media_type = json_member_text(node, "mediaType");

	if (!manifest_read_descriptor(node, layer, err))
		return false;
	if (!media_type)
		return err_set(err, ERR_GENERAL, "it has no mediaType");
	return read_kind(media_type, layer, err) && check_size(layer, err) &&
	       read_annotations(json_member(node, "annotations"), layer, err);
}

static bool read_layers(const struct json *layers, struct manifest *manifest, struct err *err)
{
	if (json_type(layers) != JSON_ARRAY)
		return err_set(err, ERR_GENERAL, "its layers are not an array");
	if (json_count(layers) > MANIFEST_LAYERS_MAX)
		return err_set(err, ERR_GENERAL, "it has more than %d layers", MANIFEST_LAYERS_MAX);
	for (size_t i = 0; i < json_count(layers); i++) {
		struct descriptor *layer = vec_push(&manifest->layers);

		if (!read_layer(json_at(layers, i), layer, err))
			return err_context(err, "layer %zu", i + 1);
		if (ckd_add(&manifest->disk_bytes, manifest->disk_bytes, layer->data_bytes) ||
		    manifest->disk_bytes > INT64_MAX)
			return err_set(err, ERR_GENERAL, "its disk is larger than 2^63 bytes");
	}
	return true;
}

static size_t count(const struct manifest *manifest, enum layer_kind kind)
{
	size_t n = 0;

	vec_each(&manifest->layers, layer)
		n += layer->kind == kind;
	return n;
}

static bool check_one(const struct manifest *manifest, enum layer_kind kind, const char *what,
		      struct err *err)
{
	size_t n = count(manifest, kind);

	return n == 1 ||
	       err_set(err, ERR_GENERAL, "it has %zu layers with %s, there should be one", n, what);
}

/* An index helps; a second one, or one that nobody could load, does not. */
static void forget_bad_indexes(struct manifest *manifest)
{
	bool several = count(manifest, LAYER_DISK_INDEX) > 1;

	vec_each(&manifest->layers, layer) {
		if (layer->kind == LAYER_DISK_INDEX &&
		    (several || layer->size_bytes > LAYER_INDEX_MAX))
			layer->kind = LAYER_OTHER;
	}
}

static bool check_tart(const struct manifest *manifest, struct err *err)
{
	if (count(manifest, LAYER_TART_DISK_V1) > 0)
		return err_set(err, ERR_GENERAL,
			       "its disk layers are of the old type %s: push the image again with "
			       "a current version of Tart",
			       MEDIA_TART_DISK_V1);
	if (!check_one(manifest, LAYER_TART_CONFIG, "a VM's configuration", err) ||
	    !check_one(manifest, LAYER_TART_NVRAM, "NVRAM", err))
		return false;
	return count(manifest, LAYER_TART_DISK) > 0 ||
	       err_set(err, ERR_GENERAL, "it has no disk layers");
}

static bool check_vetu(const struct manifest *manifest, struct err *err)
{
	if (!check_one(manifest, LAYER_VETU_CONFIG, "a VM's configuration", err) ||
	    !check_one(manifest, LAYER_VETU_KERNEL, "a kernel", err))
		return false;
	return count(manifest, LAYER_VETU_INITRAMFS) <= 1 ||
	       check_one(manifest, LAYER_VETU_INITRAMFS, "an initramfs", err);
}

static bool has_kind_between(const struct manifest *manifest, enum layer_kind first,
			     enum layer_kind last)
{
	vec_each(&manifest->layers, layer) {
		if (layer->kind >= first && layer->kind <= last)
			return true;
	}
	return false;
}

/* What the image is follows from its layers: image-format.md 10, 11. */
static bool check_kind(struct manifest *manifest, struct err *err)
{
	bool tart = has_kind_between(manifest, LAYER_TART_CONFIG, LAYER_TART_NVRAM);
	bool vetu = has_kind_between(manifest, LAYER_VETU_CONFIG, LAYER_VETU_DISK);

	if (tart && vetu)
		return err_set(err, ERR_GENERAL, "it has layers of Tart and of Vetu");
	manifest->kind = tart ? IMAGE_TART : vetu ? IMAGE_VETU : IMAGE_CONTAINER;
	if (tart)
		return check_tart(manifest, err);
	if (vetu)
		return check_vetu(manifest, err);
	if (manifest->layers.n > 0 && count(manifest, LAYER_TAR) == manifest->layers.n)
		return true;
	return err_set(err, ERR_GENERAL,
		       "not a VM image: it has layers neither of Tart, nor of Vetu, nor of a "
		       "container with a disk");
}

static bool is_manifest_type(const char *media_type)
{
	return !media_type || strcmp(media_type, MEDIA_OCI_MANIFEST) == 0 ||
	       strcmp(media_type, MEDIA_DOCKER_MANIFEST) == 0;
}

static bool read_config(const struct json *node, struct descriptor *ret, struct err *err)
{
	if (!manifest_read_descriptor(node, ret, err))
		return err_context(err, "its config");
	return ret->size_bytes <= IMAGE_CONFIG_MAX ||
	       err_set(err, ERR_GENERAL, "its config is larger than %zu bytes", IMAGE_CONFIG_MAX);
}

/* Hints: whatever is wrong with them counts as nothing. */
static void read_hints(const struct json *annotations, struct manifest *manifest)
{
	const char *bytes = json_member_text(annotations, TART_DISK_BYTES);
	const char *time = json_member_text(annotations, TART_UPLOAD_TIME);

	if (!bytes || !number_parse_u64(span_of(bytes), INT64_MAX, &manifest->hint_bytes))
		manifest->hint_bytes = 0;
	manifest->upload_time = time ? xstrdup(time) : NULL;
}

bool manifest_parse(struct span text, struct manifest *ret, struct err *err)
{
	CLEANUP_JSON struct json *tree = NULL;
	CLEANUP(manifest_done) struct manifest manifest = { 0 };
	const char *media_type;

	if (!manifest_open(text, &tree, &media_type, err))
		return false;
	if (!is_manifest_type(media_type))
		return err_set(err, ERR_GENERAL, "its mediaType \"%.100s\" is not a manifest's",
			       media_type);
	if (!read_config(json_member(tree, "config"), &manifest.config, err) ||
	    !read_layers(json_member(tree, "layers"), &manifest, err))
		return false;
	forget_bad_indexes(&manifest);
	if (!check_kind(&manifest, err))
		return false;
	read_hints(json_member(tree, "annotations"), &manifest);
	*ret = manifest;
	manifest = (struct manifest){ 0 };
	return true;
}
