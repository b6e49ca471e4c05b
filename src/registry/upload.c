/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of an upload session. */
#include "registry/upload.h"

#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "http/retry.h"
#include "registry/headers.h"
#include "registry/session_error.h"

void upload_init(struct upload *upload, struct registry *registry, const char *digest)
{
	*upload = (struct upload){
		.registry = registry,
		.digest = digest,
		.reference = xasprintf("@%s", digest),
	};
}

void upload_done(struct upload *upload)
{
	free(upload->reference);
	free(upload->location);
	*upload = (struct upload){ 0 };
}

/* Where the session goes on. An answer without the header leaves it where it is. */
static bool take_location(struct upload *upload, const struct http_exchange *exchange,
			  struct err *err)
{
	const char *header = http_header(exchange, "Location", 0);
	CLEANUP_STR struct str location = { 0 };

	if (!header)
		return true;
	if (!url_resolve(http_url(exchange), span_of(header), &location, err))
		return err_context(err, "the registry's Location");
	free(upload->location);
	upload->location = str_take(&location);
	return true;
}

static bool take_session(struct upload *upload, const struct http_exchange *exchange,
			 struct err *err)
{
	const char *min = http_header(exchange, "OCI-Chunk-Min-Length", 0);

	upload->min_chunk_bytes = 0;
	if (min)
		(void)number_parse_u64(span_of(min), INT64_MAX, &upload->min_chunk_bytes);
	if (!take_location(upload, exchange, err))
		return false;
	if (!upload->location)
		return err_set(
			err, ERR_GENERAL,
			"the registry does not say where the blob goes (no Location): is it one?");
	return true;
}

static bool post(struct upload *upload, const char *query, const int *expected,
		 struct http_exchange **ret, struct err *err)
{
	CLEANUP_FREE char *path = xasprintf("blobs/uploads/%s", query);
	const struct registry_request request = {
		.method = HTTP_POST,
		.path = path,
		.body = HTTP_NO_BODY,
		.doing = "pushing blob (POST)",
		.reference = upload->reference,
		.expected = expected,
	};

	return registry_try(upload->registry, &request, ret, err);
}

bool upload_mount(struct upload *upload, const char *from, bool *ret_mounted, struct err *err)
{
	/* Refusals are about the other repository; what else is wrong, an ordinary upload will show. */
	static const int expected[] = { 201, 202, 400, 401, 403, 404, 405, 0 };
	CLEANUP_STR struct str query = { 0 };
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;

	url_add_query(&query, "mount", span_of(upload->digest));
	url_add_query(&query, "from", span_of(from));
	*ret_mounted = false;
	if (!post(upload, str_text(&query), expected, &exchange, err))
		return err->kind == ERR_GENERAL;
	*ret_mounted = http_status(exchange) == 201;
	return http_status(exchange) != 202 || take_session(upload, exchange, err);
}

bool upload_open(struct upload *upload, const char *mount_from, bool *ret_mounted, struct err *err)
{
	static const int expected[] = { 202, 0 };
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;

	*ret_mounted = false;
	if (mount_from && !upload_mount(upload, mount_from, ret_mounted, err))
		return false;
	if (*ret_mounted || upload->location)
		return true;
	return post(upload, "", expected, &exchange, err) && take_session(upload, exchange, err);
}

static bool has_end(const struct http_exchange *exchange, uint64_t *ret)
{
	const char *header = http_header(exchange, "Range", 0);

	return header && upload_range_parse(span_of(header), ret);
}

static uint64_t body_len(const struct http_body *body)
{
	return body->fd >= 0 ? body->fd_len : body->bytes.len;
}

static char *part_url(const struct upload *upload, const struct upload_part *part)
{
	struct str url = { 0 };

	str_add(&url, upload->location);
	if (part->is_last)
		url_add_query(&url, "digest", span_of(upload->digest));
	return str_take(&url);
}

static bool put_or_patch(struct upload *upload, const struct upload_part *part,
			 struct http_exchange **ret, struct err *err)
{
	/* With those that the caller is told about. */
	static const int expected[] = { 201, 202, 204, 404, 408, 416, 429, 500, 502, 503, 504, 0 };
	static const int expected_continued[] = { 201, 202, 204, 400, 404, 408, 416,
						  429, 500, 502, 503, 504, 0 };
	const uint64_t len = body_len(&part->body);
	CLEANUP_FREE char *url = part_url(upload, part);
	CLEANUP_FREE char *range = xasprintf("%" PRIu64 "-%" PRIu64, part->start,
					     part->start + (len > 0 ? len - 1 : 0));
	const struct http_header headers[] = {
		{ "Content-Type", "application/octet-stream" },
		{ "Content-Range", range },
	};
	const bool has_range = len > 0 && (part->is_rest || !part->is_last);
	const struct registry_request request = {
		.method = part->is_last ? HTTP_PUT : HTTP_PATCH,
		.path = url,
		.headers = headers,
		.n_headers = has_range ? 2 : 1,
		.body = part->body,
		.begin = part->begin,
		.sent = part->sent,
		.ctx = part->ctx,
		.doing = part->is_last ? "pushing blob (PUT)" : "streaming blob",
		.reference = upload->reference,
		.expected = part->is_continued ? expected_continued : expected,
		.once = true,
	};

	return registry_try(upload->registry, &request, ret, err);
}

/* What the registry took of a part that it accepted: all of it, unless it says less. Some count from the start of the part:
 * what makes no sense is not believed, as the digest tells in the end. */
static uint64_t find_end(const struct http_exchange *exchange, const struct upload_part *part)
{
	uint64_t end = part->start + body_len(&part->body);
	uint64_t claim = 0;

	if (!part->is_last && has_end(exchange, &claim) && claim > part->start && claim < end)
		return claim;
	return end;
}

enum upload_outcome upload_send(struct upload *upload, const struct upload_part *part,
				uint64_t *ret_end, uint64_t *ret_after_s, struct err *err)
{
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	int status;

	*ret_after_s = 0;
	if (!put_or_patch(upload, part, &exchange, err))
		return err->kind == ERR_TRANSPORT ? UPLOAD_BROKEN : UPLOAD_FAILED;
	status = http_status(exchange);
	if (status < 400) {
		*ret_end = find_end(exchange, part);
		return take_location(upload, exchange, err) ? UPLOAD_TAKEN : UPLOAD_FAILED;
	}
	*ret_after_s = registry_retry_after(upload->registry, exchange);
	(void)refusal_of(exchange, REFUSAL_PUSH, err);
	return status == 400 || status == 404 ? UPLOAD_LOST : UPLOAD_BROKEN;
}

enum upload_outcome upload_ask(struct upload *upload, uint64_t *ret_end, uint64_t *ret_after_s,
			       struct err *err)
{
	/* Not 500: that some registries answer to the question as such. */
	static const int expected[] = { 200, 202, 204, 408, 429, 502, 503, 504, 0 };
	const struct registry_request request = {
		.method = HTTP_GET,
		.path = upload->location,
		.body = HTTP_NO_BODY,
		.doing = "asking how far a blob got",
		.reference = upload->reference,
		.expected = expected,
		.once = true,
	};
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;

	*ret_after_s = 0;
	if (!registry_try(upload->registry, &request, &exchange, err)) {
		if (err->kind == ERR_CANCELLED)
			return UPLOAD_FAILED;
		return err->kind == ERR_TRANSPORT ? UPLOAD_BROKEN : UPLOAD_LOST;
	}
	if (http_status(exchange) >= 400) {
		*ret_after_s = registry_retry_after(upload->registry, exchange);
		(void)refusal_of(exchange, REFUSAL_PUSH, err);
		return UPLOAD_BROKEN;
	}
	if (!has_end(exchange, ret_end) || !take_location(upload, exchange, err))
		return UPLOAD_LOST;
	return UPLOAD_TAKEN;
}

void upload_cancel(struct upload *upload)
{
	static const int expected[] = { 204, 0 };
	const struct registry_request request = {
		.method = HTTP_DELETE,
		.path = upload->location,
		.body = HTTP_NO_BODY,
		.doing = "cancelling an upload",
		.reference = upload->reference,
		.expected = expected,
		.once = true,
	};
	struct err ignored = { 0 };

	/* Registries drop forgotten sessions by themselves, some only so. */
	if (upload->location)
		(void)registry_do(upload->registry, &request, NULL, &ignored);
	free(TAKE_PTR(upload->location));
}
