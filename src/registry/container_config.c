/* SPDX-License-Identifier: Apache-2.0 */
/* Architecture and rootfs.diff_ids. */
#include "registry/container_config.h"

#include <string.h>

#include "base/digest.h"
#include "base/json.h"

void container_config_done(struct container_config *config)
{
	vec_done(&config->diff_ids);
}

static bool read_arch(const struct json *tree, enum guest_arch *ret, struct err *err)
{
	const char *text = json_member_text(tree, "architecture");
	CLEANUP_STR struct str shown = STR_CAPPED(40);

	if (text && strcmp(text, "amd64") == 0) {
		*ret = ARCH_AMD64;
		return true;
	}
	if (text && strcmp(text, "arm64") == 0) {
		*ret = ARCH_ARM64;
		return true;
	}
	str_add_escaped(&shown, span_of(text ? text : "an unknown architecture"));
	return err_set(err, ERR_GENERAL, "the image is for %s, VMs are for amd64 or arm64",
		       str_text(&shown));
}

static bool is_digest(const char *text)
{
	return text && span_starts_with(span_of(text), NAME_DIGEST_PREFIX) &&
	       digest_is_hex(span_of(text + strlen(NAME_DIGEST_PREFIX)));
}

static bool read_diff_ids(const struct json *tree, size_t n_layers, struct container_config *config,
			  struct err *err)
{
	const struct json *ids = json_member(json_member(tree, "rootfs"), "diff_ids");

	if (json_type(ids) != JSON_ARRAY || json_count(ids) != n_layers)
		return err_set(err, ERR_GENERAL,
			       "the image's config must list a diff_id for each of its %zu layers",
			       n_layers);
	for (size_t i = 0; i < n_layers; i++) {
		const char *text = json_text(json_at(ids, i));

		if (!is_digest(text))
			return err_set(
				err, ERR_GENERAL,
				"the image's config has a diff_id that is no SHA-256 digest");
		memcpy(vec_push(&config->diff_ids), text, sizeof(blob_digest));
	}
	return true;
}

bool container_config_parse(struct span text, size_t n_layers, struct container_config *ret,
			    struct err *err)
{
	CLEANUP_JSON struct json *tree = NULL;
	CLEANUP(container_config_done) struct container_config config = { 0 };

	if (!json_parse(text, &tree, err))
		return err_context(err, "the image's config");
	if (!read_arch(tree, &config.arch, err) || !read_diff_ids(tree, n_layers, &config, err))
		return false;
	*ret = config;
	config = (struct container_config){ 0 };
	return true;
}
