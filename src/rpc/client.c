/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side: requests, and what becomes of them. */
#include "rpc/client.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "rpc/call.h"

/* grpc-timeout has at most eight digits. */
#define TIMEOUT_MAX ((uint64_t)99999999)

static void end(struct rpc_call *call, const struct rpc_status *status)
{
	const struct rpc_status last = *status; /* it may be the call's own */

	rpc_call_set_over(call);
	rpc_call_drop_queue(call);
	call->handlers->on_end(call->ctx, call, &last);
}

/* The call is over for us, not for the other side. */
static void abandon(struct rpc_call *call, const struct rpc_status *status)
{
	rpc_call_reset(call, NGHTTP2_CANCEL);
	end(call, status);
}

static struct rpc_call *headers_begin(struct rpc_connection *connection, struct rpc_call *call,
				      int32_t id)
{
	(void)connection;
	(void)id;
	if (!call)
		return NULL;
	str_clear(&call->http_status);
	call->grpc = false;
	call->has_code = false;
	call->status = (struct rpc_status){ .code = RPC_UNKNOWN };
	return call;
}

static void header(struct rpc_call *call, struct span name, struct span value)
{
	uint64_t number;

	if (span_is(name, ":status")) {
		str_clear(&call->http_status);
		str_add_span(&call->http_status, value);
	} else if (span_is(name, "content-type")) {
		call->grpc = span_starts_with(value, RPC_CONTENT_TYPE);
	} else if (span_is(name, "grpc-status")) {
		call->has_code = true;
		call->status.code = rpc_code_parse(value);
	} else if (span_is(name, "grpc-message")) {
		rpc_text_decode(value, call->status.text);
	} else if (span_is(name, "tart-exec-errno")) {
		if (number_parse_u64(value, INT32_MAX, &number))
			call->status.exec_errno = (int32_t)number;
	}
}

static void end_stream(struct rpc_call *call)
{
	struct rpc_status status;

	if (call->has_code) {
		end(call, &call->status);
		return;
	}
	rpc_status_set(&status, RPC_UNKNOWN, "the call ended without a status");
	end(call, &status);
}

static void headers_end(struct rpc_call *call, bool end_stream_too)
{
	struct rpc_status status;
	struct span code = str_span(&call->http_status);

	(void)end_stream_too;
	if (call->accepted || span_starts_with(code, "1"))
		return; /* trailers; or only the announcement of an answer */
	if (span_is(code, "200") && call->grpc) {
		call->accepted = true;
		return;
	}
	rpc_status_set(&status, RPC_UNKNOWN, "the answer is not gRPC's");
	status.foreign = true;
	abandon(call, &status);
}

static void message(struct rpc_call *call, struct span bytes)
{
	if (call->handlers->on_message)
		call->handlers->on_message(call->ctx, call, bytes);
	else
		rpc_call_consumed(call, bytes.len);
}

static void room(struct rpc_call *call)
{
	if (call->handlers->on_room)
		call->handlers->on_room(call->ctx, call);
}

static uint32_t drained(struct rpc_call *call)
{
	(void)call;
	return NGHTTP2_DATA_FLAG_EOF;
}

/* gRPC's PROTOCOL-HTTP2: what a reset without trailers means. */
static enum rpc_code code_of_reset(uint32_t code)
{
	switch (code) {
	case NGHTTP2_REFUSED_STREAM:
		return RPC_UNAVAILABLE;
	case NGHTTP2_CANCEL:
		return RPC_CANCELLED;
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return RPC_RESOURCE_EXHAUSTED;
	case NGHTTP2_INADEQUATE_SECURITY:
		return RPC_PERMISSION_DENIED;
	default:
		return RPC_INTERNAL;
	}
}

static void closed(struct rpc_call *call, uint32_t code)
{
	struct rpc_status status;

	if (call->over)
		return;
	rpc_status_set(&status, code_of_reset(code), "the stream was reset: %s",
		       nghttp2_http2_strerror(code));
	end(call, &status);
}

static const struct rpc_side client_side = {
	.headers_begin = headers_begin,
	.header = header,
	.headers_end = headers_end,
	.message = message,
	.end_stream = end_stream,
	.room = room,
	.misbehaved = abandon,
	.drained = drained,
	.closed = closed,
};

struct rpc_connection *rpc_client_new(const char *user_agent)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, RPC_WINDOW },
	};
	struct rpc_connection *client = rpc_connection_new(&client_side, false, settings,
							   ARRAY_LEN(settings));

	client->user_agent = xstrdup(user_agent);
	return client;
}

static char *timeout_text(uint64_t ms)
{
	bool in_seconds = ms % 1000 == 0 || ms > TIMEOUT_MAX;
	uint64_t number = in_seconds ? ms / 1000 + (ms % 1000 != 0) : ms;

	return xasprintf("%ju%c", (uintmax_t)(number < TIMEOUT_MAX ? number : TIMEOUT_MAX),
			 in_seconds ? 'S' : 'm');
}

struct rpc_call *rpc_call_start(struct rpc_connection *client, const char *path,
				uint64_t timeout_ms, const struct rpc_client_handlers *handlers,
				void *ctx)
{
	CLEANUP_FREE char *timeout = timeout_text(timeout_ms);
	struct rpc_call *call = rpc_call_new(client, 0);
	nghttp2_data_provider body = rpc_call_body(call);
	const nghttp2_nv headers[] = {
		rpc_header(":method", span_of("POST")),
		rpc_header(":scheme", span_of("http")),
		rpc_header(":path", span_of(path)),
		rpc_header(":authority", span_of("localhost")),
		rpc_header("content-type", span_of(RPC_CONTENT_TYPE)),
		rpc_header("te", span_of("trailers")),
		rpc_header("user-agent", span_of(client->user_agent)),
		rpc_header("grpc-timeout", span_of(timeout)), /* last: left out without one */
	};
	size_t n = ARRAY_LEN(headers) - (timeout_ms > 0 ? 0 : 1);

	call->handlers = handlers;
	call->ctx = ctx;
	call->id = nghttp2_submit_request(client->session, NULL, headers, n, &body, call);
	rpc_must(call->id);
	return call;
}

void rpc_call_finish(struct rpc_call *call)
{
	assert(!call->over);
	call->finishing = true;
	rpc_call_wake(call);
}

void rpc_call_cancel(struct rpc_call *call)
{
	rpc_call_set_over(call);
	rpc_call_drop_queue(call);
	rpc_call_reset(call, NGHTTP2_CANCEL);
}
