/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of a session's repository: exact bytes, and their digest checked against whatever claims to know it. */
#include <string.h>

#include "base/digest.h"
#include "registry/session_private.h"

#define DIGEST_PREFIX "sha256:"

void fetched_manifest_done(struct fetched_manifest *fetched)
{
	str_done(&fetched->bytes);
	free(fetched->media_type);
	*fetched = (struct fetched_manifest){ 0 };
}

static bool is_digest(const char *reference)
{
	return strncmp(reference, DIGEST_PREFIX, strlen(DIGEST_PREFIX)) == 0;
}

static void digest_bytes(struct span bytes, blob_digest ret)
{
	memcpy(ret, DIGEST_PREFIX, strlen(DIGEST_PREFIX));
	digest_of(bytes, ret + strlen(DIGEST_PREFIX));
}

/* What the registry says the digest is, if it says so in the only kind that we know. */
static bool check_claim(const struct http_exchange *exchange, const char *digest, struct err *err)
{
	const char *claim = http_header(exchange, "Docker-Content-Digest", 0);

	if (!claim || !is_digest(claim) || strcmp(claim, digest) == 0)
		return true;
	return err_set(err, ERR_CORRUPT,
		       "the registry says that its digest is %s, but that of its bytes is %s",
		       claim, digest);
}

static bool check_digest(const struct http_exchange *exchange, const char *reference,
			 const char *digest, struct err *err)
{
	if (is_digest(reference) && strcmp(reference, digest) != 0)
		return err_set(err, ERR_CORRUPT, "the digest of what came is %s", digest);
	return check_claim(exchange, digest, err);
}

static char *media_type_of(const struct http_exchange *exchange)
{
	const char *header = http_header(exchange, "Content-Type", 0);

	return header && header[0] ? xstrndup(header, strcspn(header, "; \t")) : NULL;
}

/* Path and, for errors, the name of a manifest. */
struct manifest_place {
	struct str path;
	struct str reference;
};

static void manifest_place_done(struct manifest_place *place)
{
	str_done(&place->path);
	str_done(&place->reference);
}

static struct manifest_place place_of(const char *reference)
{
	struct manifest_place place = { 0 };

	str_addf(&place.path, "manifests/%s", reference);
	str_addf(&place.reference, "%c%s", is_digest(reference) ? '@' : ':', reference);
	return place;
}

bool registry_get_manifest(struct registry *registry, const char *reference,
			   struct fetched_manifest *ret, bool *ret_found, struct err *err)
{
	static const int expected[] = { 200, 404, 0 };
	static const int expected_found[] = { 200, 0 };
	static const struct http_header accept = {
		"Accept",
		MEDIA_OCI_MANIFEST ", " MEDIA_OCI_INDEX ", " MEDIA_DOCKER_MANIFEST
				   ", " MEDIA_DOCKER_LIST,
	};
	CLEANUP(manifest_place_done) struct manifest_place place = place_of(reference);
	const struct registry_request request = {
		.method = HTTP_GET,
		.path = str_text(&place.path),
		.headers = &accept,
		.n_headers = 1,
		.body = HTTP_NO_BODY,
		.doing = "pulling manifest",
		.reference = str_text(&place.reference),
		.expected = ret_found ? expected : expected_found,
	};
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	CLEANUP_STR struct str bytes = { 0 };
	blob_digest digest;

	if (!registry_get_text(registry, &request, MANIFEST_MAX, &bytes, &exchange, err))
		return false;
	if (ret_found && http_status(exchange) == 404) {
		*ret_found = false;
		return true;
	}
	digest_bytes(str_span(&bytes), digest);
	if (!check_digest(exchange, reference, digest, err))
		return registry_context(registry, request.doing, request.reference, err);
	*ret = (struct fetched_manifest){ .media_type = media_type_of(exchange) };
	memcpy(ret->digest, digest, sizeof(digest));
	str_add_span(&ret->bytes, str_span(&bytes));
	if (ret_found)
		*ret_found = true;
	return true;
}

bool registry_put_manifest(struct registry *registry, const char *reference, const char *media_type,
			   struct span bytes, struct err *err)
{
	static const int expected[] = { 201, 200, 0 };
	const struct http_header content_type = { "Content-Type", media_type };
	CLEANUP(manifest_place_done) struct manifest_place place = place_of(reference);
	const struct registry_request request = {
		.method = HTTP_PUT,
		.path = str_text(&place.path),
		.headers = &content_type,
		.n_headers = 1,
		.body = { .bytes = bytes, .fd = -1 },
		.doing = "pushing manifest",
		.reference = str_text(&place.reference),
		.expected = expected,
	};
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	blob_digest digest;

	if (!registry_start(registry, &request, &exchange, err))
		return false;
	digest_bytes(bytes, digest);
	if (!check_claim(exchange, digest, err))
		return registry_context(registry, request.doing, request.reference, err);
	return true;
}
