/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side: accepting calls, refusing them, ending them. */
#include "rpc/server.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/number.h"
#include "rpc/call.h"

/* HTTP/2's own limit, above RPC_CALLS_MAX: what is between the two gets an answer that says why. */
#define STREAMS_MAX (2 * RPC_CALLS_MAX)

struct trailers {
	nghttp2_nv list[5];
	size_t n;
	char code[16], exec_errno[16];
	struct str text;
};

static void trailers_done(struct trailers *trailers)
{
	str_done(&trailers->text);
}

static void add(struct trailers *trailers, const char *name, struct span value)
{
	trailers->list[trailers->n++] = rpc_header(name, value);
}

static void add_status(struct trailers *trailers, const struct rpc_status *status)
{
	(void)snprintf(trailers->code, sizeof(trailers->code), "%d", (int)status->code);
	add(trailers, "grpc-status", span_of(trailers->code));
	rpc_text_encode(status->text, &trailers->text);
	add(trailers, "grpc-message", str_span(&trailers->text));
	if (status->exec_errno == 0)
		return;
	(void)snprintf(trailers->exec_errno, sizeof(trailers->exec_errno), "%" PRId32,
		       status->exec_errno);
	add(trailers, "tart-exec-errno", span_of(trailers->exec_errno));
}

static void add_http(struct trailers *trailers, const char *http_status)
{
	add(trailers, ":status", span_of(http_status));
	add(trailers, "content-type", span_of(RPC_CONTENT_TYPE));
}

static void submit_only(struct rpc_call *call, const struct trailers *trailers)
{
	call->answered = true;
	rpc_must(nghttp2_submit_response(call->connection->session, call->id, trailers->list,
					 trailers->n, NULL));
}

/* One header list that is all of the answer. */
static void answer_only(struct rpc_call *call, const struct rpc_status *status)
{
	CLEANUP(trailers_done) struct trailers trailers = { .n = 0 };

	add_http(&trailers, "200");
	add_status(&trailers, status);
	submit_only(call, &trailers);
}

static void answer_http(struct rpc_call *call, const char *http_status)
{
	CLEANUP(trailers_done) struct trailers trailers = { .n = 0 };

	rpc_call_set_over(call);
	add(&trailers, ":status", span_of(http_status));
	submit_only(call, &trailers);
}

static void begin_answer(struct rpc_call *call)
{
	CLEANUP(trailers_done) struct trailers trailers = { .n = 0 };
	nghttp2_data_provider body = rpc_call_body(call);

	if (call->answered)
		return;
	call->answered = true;
	add_http(&trailers, "200");
	rpc_must(nghttp2_submit_response(call->connection->session, call->id, trailers.list,
					 trailers.n, &body));
}

void rpc_call_end(struct rpc_call *call, const struct rpc_status *status)
{
	rpc_call_set_over(call);
	if (!call->answered) {
		answer_only(call, status);
		return;
	}
	call->status = *status;
	call->finishing = true;
	rpc_call_wake(call);
}

static uint32_t drained(struct rpc_call *call)
{
	CLEANUP(trailers_done) struct trailers trailers = { .n = 0 };

	add_status(&trailers, &call->status);
	rpc_must(nghttp2_submit_trailer(call->connection->session, call->id, trailers.list,
					trailers.n));
	return NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
}

static struct rpc_call *headers_begin(struct rpc_connection *connection, struct rpc_call *call,
				      int32_t id)
{
	return call ? call : rpc_call_new(connection, id);
}

/* grpc-timeout: up to eight digits and a unit. What cannot be read is no timeout. */
static uint64_t timeout_parse(struct span text)
{
	static const struct {
		char unit;
		uint64_t us;
	} units[] = {
		{ 'H', 3600000000 }, { 'M', 60000000 }, { 'S', 1000000 },
		{ 'm', 1000 },       { 'u', 1 },        { 'n', 0 },
	};
	uint64_t number;

	if (text.len < 2 || text.len > 9 ||
	    !number_parse_u64(span_first(text, text.len - 1), 99999999, &number))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (units[i].unit == text.ptr[text.len - 1])
			return (number * units[i].us + 999) / 1000;
	}
	return 0;
}

static void set(struct str *field, struct span value)
{
	str_clear(field);
	str_add_span(field, value);
}

static void header(struct rpc_call *call, struct span name, struct span value)
{
	if (call->accepted)
		return; /* a client's trailers mean nothing */
	if (span_is(name, ":method"))
		set(&call->method, value);
	else if (span_is(name, ":path"))
		set(&call->path, value);
	else if (span_is(name, "content-type"))
		call->grpc = span_starts_with(value, RPC_CONTENT_TYPE);
	else if (span_is(name, "grpc-timeout"))
		call->timeout_ms = timeout_parse(value);
}

static void offer(struct rpc_call *call)
{
	const struct rpc_connection *server = call->connection;
	struct rpc_status refusal;

	rpc_status_set(&refusal, RPC_UNIMPLEMENTED, "unknown method %s", str_text(&call->path));
	call->accepted = true;
	if (!server->handlers->on_call(server->ctx, call, str_span(&call->path), call->timeout_ms,
				       &refusal))
		rpc_call_end(call, &refusal);
}

static void headers_end(struct rpc_call *call, bool end_stream)
{
	struct rpc_status status;

	(void)end_stream;
	if (call->accepted)
		return;
	if (!span_is(str_span(&call->method), "POST")) {
		answer_http(call, "405");
	} else if (!call->grpc) {
		answer_http(call, "415");
	} else if (call->connection->n_calls > RPC_CALLS_MAX) {
		rpc_status_set(&status, RPC_RESOURCE_EXHAUSTED, "too many calls at a time");
		rpc_call_end(call, &status);
	} else {
		offer(call);
	}
}

static void message(struct rpc_call *call, struct span bytes)
{
	const struct rpc_connection *server = call->connection;

	if (server->handlers->on_message)
		server->handlers->on_message(server->ctx, call, bytes);
	else
		rpc_call_consumed(call, bytes.len);
}

static void end_stream(struct rpc_call *call)
{
	const struct rpc_connection *server = call->connection;

	if (server->handlers->on_finished)
		server->handlers->on_finished(server->ctx, call);
}

static void room(struct rpc_call *call)
{
	const struct rpc_connection *server = call->connection;

	if (server->handlers->on_room)
		server->handlers->on_room(server->ctx, call);
}

static void misbehaved(struct rpc_call *call, const struct rpc_status *status)
{
	const struct rpc_connection *server = call->connection;

	server->handlers->on_cancelled(server->ctx, call);
	rpc_call_end(call, status);
}

static void closed(struct rpc_call *call, uint32_t code)
{
	const struct rpc_connection *server = call->connection;

	(void)code;
	if (!call->over && call->accepted)
		server->handlers->on_cancelled(server->ctx, call);
}

static const struct rpc_side server_side = {
	.begin_body = begin_answer,
	.headers_begin = headers_begin,
	.header = header,
	.headers_end = headers_end,
	.message = message,
	.end_stream = end_stream,
	.room = room,
	.misbehaved = misbehaved,
	.drained = drained,
	.closed = closed,
};

struct rpc_connection *rpc_server_new(const struct rpc_server_handlers *handlers, void *ctx)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, RPC_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, RPC_HEADERS_MAX },
	};
	struct rpc_connection *server = rpc_connection_new(&server_side, true, settings,
							   ARRAY_LEN(settings));

	server->handlers = handlers;
	server->ctx = ctx;
	return server;
}

void rpc_server_close(struct rpc_connection *server)
{
	int32_t last = nghttp2_session_get_last_proc_stream_id(server->session);

	if (server->closing)
		return;
	server->closing = true;
	rpc_must(nghttp2_submit_goaway(server->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR,
				       NULL, 0));
}
