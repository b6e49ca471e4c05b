/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching a blob: Range requests over broken connections, and the check of every byte. */
#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "registry/blob.h"
#include "registry/headers.h"
#include "registry/session_private.h"

#define DOING "pulling blob"

enum fetch_outcome {
	FETCH_DONE,    /* all bytes of this part, or of the blob */
	FETCH_BROKEN,  /* go on from where it ended */
	FETCH_CORRUPT, /* from the start */
	FETCH_FAILED,
};

struct fetch {
	struct registry *registry;
	const char *digest;
	uint64_t size_bytes;
	struct blob_sink sink;
	void (*received)(void *ctx, uint64_t bytes);
	char *buf;
	/* What has been hashed and handed on, and is not asked for again. */
	struct digest *hash;
	uint64_t done_bytes;
};

static void fetch_done(struct fetch *fetch)
{
	digest_free(fetch->hash);
	free(fetch->buf);
}

/* Of exactly the blob that was asked for, from exactly where we are. */
static bool check_range(const char *header, uint64_t start, uint64_t size, struct err *err)
{
	struct content_range range = { 0 };

	if (header && content_range_parse(span_of(header), &range) && range.first == start &&
	    range.last < size && (!range.has_total || range.total == size))
		return true;
	return err_set(err, ERR_GENERAL,
		       "asked for the bytes from %" PRIu64 " of %" PRIu64
		       ", the registry answers with \"%s\"",
		       start, size, header ? header : "");
}

/* How many bytes of the answer's body come before those that we want. */
static bool check_answer(const struct fetch *fetch, const struct http_exchange *exchange,
			 uint64_t *ret_skip, struct err *err)
{
	switch (http_status(exchange)) {
	case 200:
		*ret_skip = fetch->done_bytes;
		return true;
	case 206:
		*ret_skip = 0;
		return check_range(http_header(exchange, "Content-Range", 0), fetch->done_bytes,
				   fetch->size_bytes, err);
	default:
		return err_set(err, ERR_CORRUPT,
			       "HTTP 416: the registry has fewer than the %" PRIu64
			       " bytes that the manifest promises",
			       fetch->size_bytes);
	}
}

static bool start(struct fetch *fetch, struct http_exchange **ret, struct err *err)
{
	static const int expected[] = { 200, 0 };
	static const int expected_range[] = { 200, 206, 416, 0 };
	CLEANUP_FREE char *path = xasprintf("blobs/%s", fetch->digest);
	CLEANUP_FREE char *reference = xasprintf("@%s", fetch->digest);
	CLEANUP_FREE char *range = xasprintf("bytes=%" PRIu64 "-", fetch->done_bytes);
	const struct http_header header = { "Range", range };
	const bool is_rest = fetch->done_bytes > 0;
	const struct registry_request request = {
		.method = HTTP_GET,
		.path = path,
		.headers = &header,
		.n_headers = is_rest,
		.body = HTTP_NO_BODY,
		.doing = DOING,
		.reference = reference,
		.expected = is_rest ? expected_range : expected,
	};

	return registry_try(fetch->registry, &request, ret, err);
}

/* A sink's errors are its own, whatever they are called. */
static enum fetch_outcome hand_on(struct fetch *fetch, struct span bytes, struct err *err)
{
	if (bytes.len > fetch->size_bytes - fetch->done_bytes) {
		(void)err_set(err, ERR_CORRUPT,
			      "more bytes come than the %" PRIu64 " that the manifest promises",
			      fetch->size_bytes);
		return FETCH_CORRUPT;
	}
	digest_add(fetch->hash, bytes.ptr, bytes.len);
	fetch->done_bytes += bytes.len;
	if (fetch->sink.add(fetch->sink.ctx, bytes, err))
		return FETCH_DONE;
	return err->kind == ERR_CORRUPT ? FETCH_CORRUPT : FETCH_FAILED;
}

/* Hands on what comes after `skip` bytes of one answer. */
static enum fetch_outcome read_part(struct fetch *fetch, struct http_exchange *exchange,
				    uint64_t skip, struct err *err)
{
	size_t len;

	for (;;) {
		enum fetch_outcome outcome;
		size_t unwanted;

		if (!http_read(exchange, fetch->buf, BLOB_READ_BYTES, &len, err))
			return err->kind == ERR_TRANSPORT ? FETCH_BROKEN : FETCH_FAILED;
		if (len == 0)
			return FETCH_DONE;
		if (fetch->received)
			fetch->received(fetch->sink.ctx, len);
		unwanted = skip < len ? (size_t)skip : len;
		skip -= unwanted;
		if (unwanted == len)
			continue;
		outcome = hand_on(fetch, span_make(fetch->buf + unwanted, len - unwanted), err);
		if (outcome != FETCH_DONE)
			return outcome;
	}
}

static enum fetch_outcome read_body(struct fetch *fetch, struct http_exchange *exchange,
				    uint64_t skip, struct err *err)
{
	enum fetch_outcome outcome = read_part(fetch, exchange, skip, err);

	/* There is nothing after the last byte to ask for: the digest says whether it was. */
	if (outcome == FETCH_BROKEN && fetch->done_bytes == fetch->size_bytes)
		return FETCH_DONE;
	if (outcome != FETCH_DONE || fetch->done_bytes == fetch->size_bytes)
		return outcome;
	/* Proxies end answers early and call it the end. Whether there is more, a request for the rest will show. */
	(void)err_set(err, ERR_TRANSPORT, "the answer ends after %" PRIu64 " of %" PRIu64 " bytes",
		      fetch->done_bytes, fetch->size_bytes);
	return FETCH_BROKEN;
}

/* The rest, as far as one connection carries. To begin it, attempts were made already: that it failed is final. */
static enum fetch_outcome fetch_rest(struct fetch *fetch, struct err *err)
{
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	uint64_t skip = 0;

	if (!start(fetch, &exchange, err) || !check_answer(fetch, exchange, &skip, err))
		return FETCH_FAILED;
	return read_body(fetch, exchange, skip, err);
}

static enum fetch_outcome check_digest(struct fetch *fetch, struct err *err)
{
	blob_digest digest = "sha256:";

	digest_finish(fetch->hash, digest + strlen("sha256:"));
	if (strcmp(digest, fetch->digest) == 0)
		return FETCH_DONE;
	(void)err_set(err, ERR_CORRUPT, "the digest of its bytes is %s", digest);
	return FETCH_CORRUPT;
}

/* From the first byte to the last. */
static enum fetch_outcome fetch_whole(struct fetch *fetch, struct err *err)
{
	struct attempt_failure failure = { 0 };

	digest_free(fetch->hash);
	fetch->hash = digest_new();
	fetch->done_bytes = 0;
	for (;;) {
		uint64_t before = fetch->done_bytes;
		enum fetch_outcome outcome = fetch_rest(fetch, err);

		if (outcome == FETCH_DONE)
			return check_digest(fetch, err);
		if (outcome != FETCH_BROKEN)
			return outcome;
		if (fetch->done_bytes - before >= BLOB_PROGRESS_BYTES)
			failure.attempts = 0;
		failure.attempts++;
		if (!registry_pause(fetch->registry, DOING, failure, err))
			return FETCH_FAILED;
	}
}

static bool fetch_verified(struct fetch *fetch, struct err *err)
{
	enum fetch_outcome outcome = fetch_whole(fetch, err);

	if (outcome == FETCH_CORRUPT) {
		notice_tell(&fetch->registry->notice,
			    "Error " DOING ": \"%s\", attempting to re-try...", err->text);
		if (!fetch->sink.reset(fetch->sink.ctx, err))
			return false;
		outcome = fetch_whole(fetch, err);
	}
	return outcome == FETCH_DONE;
}

bool blob_fetch(struct registry *registry, const blob_digest digest, uint64_t size_bytes,
		struct blob_sink sink, void (*received)(void *ctx, uint64_t bytes), struct err *err)
{
	CLEANUP(fetch_done)
	struct fetch fetch = {
		.registry = registry,
		.digest = digest,
		.size_bytes = size_bytes,
		.sink = sink,
		.received = received,
		.buf = xcalloc(BLOB_READ_BYTES, 1),
	};
	CLEANUP_FREE char *reference = xasprintf("@%s", digest);

	return fetch_verified(&fetch, err) || registry_context(registry, DOING, reference, err);
}

static bool text_add(void *ctx, struct span bytes, struct err *err)
{
	(void)err;
	str_add_span(ctx, bytes);
	return true;
}

static bool text_reset(void *ctx, struct err *err)
{
	(void)err;
	str_clear(ctx);
	return true;
}

bool blob_fetch_text(struct registry *registry, const blob_digest digest, uint64_t size_bytes,
		     size_t max, struct str *out, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	const struct blob_sink sink = { .add = text_add, .reset = text_reset, .ctx = &text };

	if (size_bytes > max)
		return err_set(err, ERR_GENERAL,
			       "the blob %s has %" PRIu64
			       " bytes, which is more than the %zu that it may",
			       digest, size_bytes, max);
	if (!blob_fetch(registry, digest, size_bytes, sink, NULL, err))
		return false;
	str_add_span(out, str_span(&text));
	return true;
}
