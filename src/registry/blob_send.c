/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending a blob.
 *
 * Parts go out one after the other; `offset` is what the registry has for certain. When a part breaks, the registry is
 * asked how far it got and the upload goes on there. When it does not know the session any more, the blob may be complete
 * (the answer to the last part got lost) or has to be sent again from its start.
 */
#include <inttypes.h>
#include <string.h>

#include "http/retry.h"
#include "registry/blob.h"
#include "registry/session_error.h"
#include "registry/session_private.h"
#include "registry/upload.h"

#define CHECKING "checking blob"

enum send_outcome {
	SEND_DONE,
	SEND_AGAIN, /* what can be kept is kept */
	SEND_FAILED,
};

struct sending {
	const struct blob_upload *blob;
	struct upload upload;
	const char *doing;      /* the last step, for errors */
	const char *mount_from; /* NULL once it was asked for */
	uint64_t len;
	uint64_t offset;
	bool is_unsure;    /* whether offset is right: a part broke */
	bool is_continued; /* this session went on after a break */
	bool was_last;     /* the part that broke: perhaps it has done its work */
	struct attempt_failure failure;
	uint64_t best; /* offset at which attempts were last counted from the beginning */
	/* Of the part on its way. */
	uint64_t part_start;
	uint64_t part_sent;
};

static void sending_done(struct sending *sending)
{
	upload_done(&sending->upload);
}

static void tell_sent(const struct sending *sending)
{
	if (sending->blob->sent)
		sending->blob->sent(sending->blob->ctx, sending->part_start + sending->part_sent);
}

static void part_on_begin(void *ctx)
{
	struct sending *sending = ctx;

	sending->part_sent = 0;
	tell_sent(sending);
}

static void part_on_sent(void *ctx, uint64_t bytes)
{
	struct sending *sending = ctx;

	sending->part_sent += bytes;
	tell_sent(sending);
}

static struct http_body slice(const struct http_body *content, uint64_t start, uint64_t len)
{
	if (content->fd >= 0)
		return (struct http_body){
			.fd = content->fd,
			.fd_offset = content->fd_offset + start,
			.fd_len = len,
		};
	return (struct http_body){
		.fd = -1,
		.bytes = len > 0 ? span_make(content->bytes.ptr + start, (size_t)len) :
				   span_make(NULL, 0),
	};
}

static uint64_t chunk_of(const struct sending *sending)
{
	uint64_t chunk = sending->blob->chunk_bytes;

	if (chunk == 0)
		return UINT64_MAX;
	return chunk > sending->upload.min_chunk_bytes ? chunk : sending->upload.min_chunk_bytes;
}

static enum upload_outcome send_part(struct sending *sending, struct err *err)
{
	const uint64_t rest = sending->len - sending->offset;
	const uint64_t chunk = chunk_of(sending);
	const uint64_t len = rest < chunk ? rest : chunk;
	const struct upload_part part = {
		.body = slice(&sending->blob->content, sending->offset, len),
		.start = sending->offset,
		.is_last = len == rest,
		.is_rest = sending->offset > 0,
		.is_continued = sending->is_continued,
		.begin = part_on_begin,
		.sent = part_on_sent,
		.ctx = sending,
	};

	sending->doing = part.is_last ? "pushing blob (PUT)" : "streaming blob (PATCH)";
	sending->part_start = sending->offset;
	sending->was_last = part.is_last;
	return upload_send(&sending->upload, &part, &sending->offset, &sending->failure.after_s,
			   err);
}

/* Counts a failed attempt and waits. An upload that gets further is not failing. */
static enum send_outcome pause_after(struct sending *sending, struct err *err)
{
	if (sending->offset >= sending->best + BLOB_PROGRESS_BYTES) {
		sending->best = sending->offset;
		sending->failure.attempts = 0;
	}
	sending->failure.attempts++;
	if (sending->failure.after_s > RETRY_AFTER_MAX_S) {
		(void)refusal_add_wait(sending->failure.after_s, err);
		return SEND_FAILED;
	}
	return registry_pause(sending->upload.registry, sending->doing, sending->failure, err) ?
		       SEND_AGAIN :
		       SEND_FAILED;
}

static void start_over(struct sending *sending)
{
	upload_cancel(&sending->upload);
	sending->offset = 0;
	sending->is_unsure = false;
	sending->is_continued = false;
}

/* blob_exists() without context in its errors. */
static bool blob_look(struct registry *registry, const char *digest, bool *ret, struct err *err)
{
	static const int expected[] = { 200, 404, 0 };
	CLEANUP_FREE char *path = xasprintf("blobs/%s", digest);
	const struct registry_request request = {
		.method = HTTP_HEAD,
		.path = path,
		.body = HTTP_NO_BODY,
		.doing = CHECKING,
		.expected = expected,
	};
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;

	if (!registry_try(registry, &request, &exchange, err))
		return false;
	*ret = http_status(exchange) == 200;
	return true;
}

/* The session is gone. Perhaps because it has done its work. */
static enum send_outcome replace_session(struct sending *sending, struct err *err)
{
	bool exists = false;

	start_over(sending);
	if (!sending->was_last)
		return SEND_AGAIN;
	sending->doing = CHECKING;
	if (!blob_look(sending->upload.registry, sending->blob->digest, &exists, err))
		return SEND_FAILED;
	return exists ? SEND_DONE : SEND_AGAIN;
}

/* After a part that broke: where to go on. */
static enum send_outcome find_offset(struct sending *sending, struct err *err)
{
	uint64_t end = 0;
	enum upload_outcome outcome = upload_ask(&sending->upload, &end, &sending->failure.after_s,
						 err);

	if (outcome == UPLOAD_FAILED)
		return SEND_FAILED;
	if (outcome == UPLOAD_BROKEN)
		return pause_after(sending, err);
	if (outcome == UPLOAD_LOST || end > sending->len)
		return replace_session(sending, err);
	sending->offset = end;
	sending->is_unsure = false;
	sending->is_continued = true;
	return SEND_AGAIN;
}

static enum send_outcome open_session(struct sending *sending, struct err *err)
{
	bool is_mounted = false;

	sending->doing = "pushing blob (POST)";
	if (!upload_open(&sending->upload, TAKE_PTR(sending->mount_from), &is_mounted, err))
		return SEND_FAILED;
	return is_mounted ? SEND_DONE : SEND_AGAIN;
}

/* One step towards a blob that is there. */
static enum send_outcome step(struct sending *sending, struct err *err)
{
	enum send_outcome outcome;

	if (!sending->upload.location)
		return open_session(sending, err);
	if (sending->is_unsure)
		return find_offset(sending, err);
	switch (send_part(sending, err)) {
	case UPLOAD_TAKEN:
		return sending->was_last ? SEND_DONE : SEND_AGAIN;
	case UPLOAD_BROKEN:
		sending->is_unsure = true;
		return pause_after(sending, err);
	case UPLOAD_LOST:
		outcome = pause_after(sending, err);
		if (outcome == SEND_AGAIN)
			start_over(sending);
		return outcome;
	case UPLOAD_FAILED:
		break;
	}
	return SEND_FAILED;
}

bool blob_send(struct registry *registry, const struct blob_upload *upload, struct err *err)
{
	CLEANUP(sending_done)
	struct sending sending = {
		.blob = upload,
		.mount_from = upload->mount_from,
		.len = upload->content.fd >= 0 ? upload->content.fd_len : upload->content.bytes.len,
	};
	enum send_outcome outcome = SEND_AGAIN;

	upload_init(&sending.upload, registry, upload->digest);
	while (outcome == SEND_AGAIN)
		outcome = step(&sending, err);
	if (outcome == SEND_DONE)
		return true;
	/* Where nobody answers any more, a farewell would only be waited for. */
	if (err->kind != ERR_TRANSPORT && err->kind != ERR_CANCELLED)
		upload_cancel(&sending.upload);
	return registry_context(registry, sending.doing, sending.upload.reference, err);
}

bool blob_mount(struct registry *registry, const blob_digest digest, const char *from_repository,
		bool *ret_mounted, struct err *err)
{
	CLEANUP(upload_done) struct upload upload = { 0 };

	upload_init(&upload, registry, digest);
	if (!upload_mount(&upload, from_repository, ret_mounted, err))
		return registry_context(registry, "mounting blob", upload.reference, err);
	upload_cancel(&upload);
	return true;
}

bool blob_exists(struct registry *registry, const blob_digest digest, bool *ret, struct err *err)
{
	CLEANUP_FREE char *reference = xasprintf("@%s", digest);

	return blob_look(registry, digest, ret, err) ||
	       registry_context(registry, CHECKING, reference, err);
}
