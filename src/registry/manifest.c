/* SPDX-License-Identifier: Apache-2.0 */
/* What parsing manifests and indexes has in common, and looking at what was parsed. */
#include "registry/manifest.h"

#include "base/digest.h"
#include "registry/manifest_json.h"

void manifest_done(struct manifest *manifest)
{
	vec_each(&manifest->layers, layer)
		free(layer->disk_name);
	vec_done(&manifest->layers);
	free(manifest->upload_time);
	*manifest = (struct manifest){ 0 };
}

const struct descriptor *manifest_layer(const struct manifest *manifest, enum layer_kind kind)
{
	vec_each(&manifest->layers, layer) {
		if (layer->kind == kind)
			return layer;
	}
	return NULL;
}

bool manifest_open(struct span text, struct json **ret, const char **ret_media_type,
		   struct err *err)
{
	CLEANUP_JSON struct json *tree = NULL;
	const struct json *media_type;
	uint64_t version = 0;

	if (text.len > MANIFEST_MAX)
		return err_set(err, ERR_GENERAL, "larger than %zu bytes", MANIFEST_MAX);
	if (!json_parse(text, &tree, err))
		return false;
	if (!json_is_object(tree))
		return err_set(err, ERR_GENERAL, "not an object");
	if (!json_get_u64(json_member(tree, "schemaVersion"), &version) || version != 2)
		return err_set(err, ERR_GENERAL, "its schemaVersion is not 2");
	media_type = json_member(tree, "mediaType");
	if (json_type(media_type) != JSON_STRING && json_type(media_type) != JSON_NULL)
		return err_set(err, ERR_GENERAL, "its mediaType is not a text");
	*ret_media_type = json_text(media_type);
	*ret = TAKE_PTR(tree);
	return true;
}

static bool is_digest(const char *text)
{
	struct span span = span_of(text);

	return span_starts_with(span, NAME_DIGEST_PREFIX) &&
	       digest_is_hex(span_from(span, strlen(NAME_DIGEST_PREFIX)));
}

bool manifest_read_digest(const char *text, blob_digest ret)
{
	if (!text || !is_digest(text))
		return false;
	memcpy(ret, text, sizeof(blob_digest));
	return true;
}

bool manifest_read_descriptor(const struct json *node, struct descriptor *ret, struct err *err)
{
	if (!json_is_object(node))
		return err_set(err, ERR_GENERAL, "not a descriptor");
	if (!manifest_read_digest(json_member_text(node, "digest"), ret->digest))
		return err_set(err, ERR_GENERAL,
			       "its digest is not \"sha256:\" and 64 lower-case hex digits");
	if (!json_get_u64(json_member(node, "size"), &ret->size_bytes) ||
	    ret->size_bytes > INT64_MAX)
		return err_set(err, ERR_GENERAL, "its size is not a whole number of bytes");
	return true;
}
