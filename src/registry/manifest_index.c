/* SPDX-License-Identifier: Apache-2.0 */
/* Image indexes, and Docker's manifest lists: one manifest of several. */
#include "registry/manifest_json.h"

#define LISTED_MAX 10 /* platforms named in an error */

static bool is_one_of(const char *text, const char *a, const char *b)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

static bool is_index_type(const char *media_type)
{
	return is_one_of(media_type, MEDIA_OCI_INDEX, MEDIA_DOCKER_LIST);
}

bool manifest_is_index(struct span text, const char *media_type)
{
	CLEANUP_JSON struct json *tree = NULL;
	const char *own_type;
	struct err ignored;

	if (media_type && is_index_type(media_type))
		return true;
	if (media_type && is_one_of(media_type, MEDIA_OCI_MANIFEST, MEDIA_DOCKER_MANIFEST))
		return false;
	if (!manifest_open(text, &tree, &own_type, &ignored))
		return false;
	return own_type ? is_index_type(own_type) :
			  json_member(tree, "manifests") && !json_member(tree, "layers");
}

struct platform {
	const char *os;
	const char *arch; /* both borrowed; "" when not given */
};

static struct platform platform_of(const struct json *entry)
{
	const struct json *node = json_member(entry, "platform");
	const char *os = json_member_text(node, "os");
	const char *arch = json_member_text(node, "architecture");

	return (struct platform){ .os = os ? os : "", .arch = arch ? arch : "" };
}

/* What build tools put beside images, such as attestations. */
static bool is_extra(const struct platform *platform)
{
	return strcmp(platform->arch, "unknown") == 0;
}

static bool suits(const struct platform *platform, enum guest_arch arch)
{
	return strcmp(platform->arch, guest_arch_text(arch)) == 0 &&
	       (platform->os[0] == 0 || is_one_of(platform->os, "linux", "darwin"));
}

static const struct json *find(const struct json *manifests, enum guest_arch arch)
{
	const struct json *only = NULL;
	size_t n = 0;

	for (size_t i = 0; i < json_count(manifests); i++) {
		const struct json *entry = json_at(manifests, i);
		struct platform platform = platform_of(entry);

		if (suits(&platform, arch))
			return entry;
		if (is_extra(&platform))
			continue;
		n++;
		only = platform.arch[0] == 0 ? entry : NULL;
	}
	return n == 1 ? only : NULL;
}

static bool err_no_variant(struct err *err, const struct json *manifests, enum guest_arch arch)
{
	CLEANUP_STR struct str list = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < json_count(manifests); i++) {
		struct platform platform = platform_of(json_at(manifests, i));

		if (is_extra(&platform) || ++n > LISTED_MAX)
			continue;
		str_addf(&list, "%s%.20s/%.20s", list.len > 0 ? ", " : "",
			 platform.os[0] ? platform.os : "?",
			 platform.arch[0] ? platform.arch : "?");
	}
	return err_set(err, ERR_GENERAL, "the image has no variant for %s: there is %s%s",
		       guest_arch_text(arch), n > 0 ? str_text(&list) : "none",
		       n > LISTED_MAX ? ", ..." : "");
}

bool index_choose(struct span text, enum guest_arch arch, blob_digest ret_digest,
		  uint64_t *ret_size, struct err *err)
{
	CLEANUP_JSON struct json *tree = NULL;
	struct descriptor chosen = { 0 };
	const struct json *manifests;
	const struct json *entry;
	const char *media_type;

	if (!manifest_open(text, &tree, &media_type, err))
		return false;
	manifests = json_member(tree, "manifests");
	if ((media_type && !is_index_type(media_type)) || json_type(manifests) != JSON_ARRAY)
		return err_set(err, ERR_GENERAL, "not an image index");
	entry = find(manifests, arch);
	if (!entry)
		return err_no_variant(err, manifests, arch);
	media_type = json_member_text(entry, "mediaType");
	if (media_type && is_index_type(media_type))
		return err_set(err, ERR_GENERAL, "an image index inside an image index");
	if (!manifest_read_descriptor(entry, &chosen, err))
		return err_context(err, "the entry for %s", guest_arch_text(arch));
	if (chosen.size_bytes > MANIFEST_MAX)
		return err_set(err, ERR_GENERAL, "the manifest for %s is larger than %zu bytes",
			       guest_arch_text(arch), MANIFEST_MAX);
	memcpy(ret_digest, chosen.digest, sizeof(blob_digest));
	*ret_size = chosen.size_bytes;
	return true;
}
