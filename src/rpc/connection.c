/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: bytes in and out of nghttp2, messages in and out of its streams, windows and bounds. */
#include "rpc/connection.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/call.h"

/* Output is made in pieces of about this size: fewer writes, and little that a cancelled call has already committed. */
#define OUTPUT_BYTES ((size_t)64 << 10)

/* Frames that wait because the other side does not read. An honest one has RPC_CALLS_MAX calls with few frames each. */
#define FRAMES_MAX ((size_t)2048)

#define CONNECTION_WINDOW (4 << 20)

void rpc_must(int result)
{
	if (result == NGHTTP2_ERR_NOMEM)
		mem_exhausted();
	assert(result >= 0);
}

/* Calls. */

struct rpc_call *rpc_call_new(struct rpc_connection *connection, int32_t id)
{
	struct rpc_call *call = xcalloc(1, sizeof(*call));

	call->connection = connection;
	call->id = id;
	call->next = connection->calls;
	connection->calls = call;
	connection->n_calls++;
	return call;
}

static void forget_kept(struct rpc_call *call)
{
	call->connection->unfinished -= call->kept;
	call->kept = 0;
}

static void call_free(struct rpc_call *call)
{
	queue_done(&call->queue);
	framing_done(&call->incoming);
	str_done(&call->http_status);
	str_done(&call->method);
	str_done(&call->path);
	free(call);
}

static void unlink_call(struct rpc_call *call)
{
	struct rpc_call **slot = &call->connection->calls;

	while (*slot != call)
		slot = &(*slot)->next;
	*slot = call->next;
	call->connection->n_calls--;
}

static void close_call(struct rpc_call *call, uint32_t code)
{
	struct rpc_connection *connection = call->connection;

	connection->side->closed(call, code);
	forget_kept(call);
	if (call->unacked > 0)
		rpc_must(nghttp2_session_consume_connection(connection->session, call->unacked));
	unlink_call(call);
	call_free(call);
}

static void settle(struct rpc_call *call)
{
	size_t n = call->unacked > call->held ? call->unacked - call->held : 0;

	if (n == 0)
		return;
	call->unacked -= n;
	rpc_must(nghttp2_session_consume(call->connection->session, call->id, n));
}

void rpc_call_set_over(struct rpc_call *call)
{
	assert(!call->over);
	call->over = true;
	call->held = 0;
	settle(call);
	forget_kept(call);
	framing_done(&call->incoming);
}

void rpc_call_drop_queue(struct rpc_call *call)
{
	queue_done(&call->queue);
}

void rpc_call_reset(struct rpc_call *call, uint32_t code)
{
	rpc_must(nghttp2_submit_rst_stream(call->connection->session, NGHTTP2_FLAG_NONE, call->id,
					   code));
}

void rpc_call_wake(struct rpc_call *call)
{
	if (!call->deferred)
		return;
	call->deferred = false;
	rpc_must(nghttp2_session_resume_data(call->connection->session, call->id));
}

void rpc_call_consumed(struct rpc_call *call, size_t n)
{
	assert(!call->over && n <= call->held);
	call->held -= n;
	settle(call);
}

void rpc_call_send(struct rpc_call *call, struct span message)
{
	const struct rpc_side *side = call->connection->side;

	assert(!call->over && !call->finishing && message.len <= RPC_MESSAGE_MAX);
	if (side->begin_body)
		side->begin_body(call);
	framing_put(&call->queue, message);
	if (rpc_call_queued(call) >= RPC_QUEUE_HIGH)
		call->wants_room = true;
	rpc_call_wake(call);
}

size_t rpc_call_queued(const struct rpc_call *call)
{
	return queue_len(&call->queue);
}

void rpc_call_set_user(struct rpc_call *call, void *user)
{
	call->user = user;
}

void *rpc_call_user(const struct rpc_call *call)
{
	return call->user;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
			 uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
	struct rpc_call *call = source->ptr;
	size_t n = least(len, queue_len(&call->queue));

	(void)session;
	(void)id;
	(void)ctx;
	if (n == 0 && !call->finishing) {
		call->deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	if (n > 0) {
		memcpy(buf, queue_front(&call->queue).ptr, n);
		queue_drop(&call->queue, n);
	}
	if (call->finishing && queue_len(&call->queue) == 0)
		*flags |= call->connection->side->drained(call);
	return (ssize_t)n;
}

nghttp2_data_provider rpc_call_body(struct rpc_call *call)
{
	return (nghttp2_data_provider){ .source = { .ptr = call }, .read_callback = read_body };
}

nghttp2_nv rpc_header(const char *name, struct span value)
{
	return (nghttp2_nv){
		.name = span_lend(span_of(name)),
		.namelen = strlen(name),
		.value = span_lend(value),
		.valuelen = value.len,
	};
}

/* What nghttp2 tells. */

static struct rpc_call *find_call(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct rpc_connection *connection = ctx;
	int32_t id = frame->hd.stream_id;
	struct rpc_call *call = find_call(session, id);

	call = connection->side->headers_begin(connection, call, id);
	if (!call)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	call->header_bytes = 0;
	rpc_must(nghttp2_session_set_stream_user_data(session, id, call));
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *ctx)
{
	struct rpc_connection *connection = ctx;
	struct rpc_call *call = find_call(session, frame->hd.stream_id);

	(void)flags;
	if (!call || call->over)
		return 0;
	call->header_bytes += name_len + value_len + 32; /* RFC 9113, 6.5.2 */
	if (call->header_bytes > RPC_HEADERS_MAX)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	connection->side->header(call, span_make((const char *)name, name_len),
				 span_make((const char *)value, value_len));
	return 0;
}

static void on_end_stream(struct rpc_connection *connection, struct rpc_call *call)
{
	struct rpc_status status;

	if (framing_is_between(&call->incoming)) {
		connection->side->end_stream(call);
		return;
	}
	rpc_status_set(&status, RPC_INTERNAL, "the stream ended inside a message");
	connection->side->misbehaved(call, &status);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct rpc_connection *connection = ctx;
	struct rpc_call *call;
	bool end_stream;

	if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
		connection->ready = true;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		connection->closing = true;
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	end_stream = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	call = find_call(session, frame->hd.stream_id);
	if (call && !call->over && frame->hd.type == NGHTTP2_HEADERS)
		connection->side->headers_end(call, end_stream);
	if (call && !call->over && end_stream)
		on_end_stream(connection, call);
	return 0;
}

static void take_messages(struct rpc_call *call, struct span bytes)
{
	static const char *const texts[] = {
		[FRAMING_TOO_LARGE] = "a message is too large",
		[FRAMING_COMPRESSED] = "compressed messages are not supported",
	};
	enum framing_step step = FRAMING_MESSAGE;
	struct rpc_status status;
	struct span message;

	while (!call->over) {
		step = framing_next(&call->incoming, &bytes, RPC_MESSAGE_MAX, &message);
		if (step != FRAMING_MESSAGE)
			break;
		forget_kept(call);
		call->held += message.len;
		call->connection->side->message(call, message);
	}
	if (call->over || step == FRAMING_MORE)
		return;
	rpc_status_set(&status,
		       step == FRAMING_COMPRESSED ? RPC_UNIMPLEMENTED : RPC_RESOURCE_EXHAUSTED,
		       "%s", texts[step]);
	call->connection->side->misbehaved(call, &status);
}

static void count_kept(struct rpc_call *call)
{
	struct rpc_connection *connection = call->connection;
	struct rpc_status status;

	forget_kept(call);
	call->kept = framing_kept(&call->incoming);
	connection->unfinished += call->kept;
	if (connection->unfinished <= RPC_UNFINISHED_MAX)
		return;
	rpc_status_set(&status, RPC_RESOURCE_EXHAUSTED, "too many unfinished messages");
	connection->side->misbehaved(call, &status);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
		   size_t len, void *ctx)
{
	struct rpc_call *call = find_call(session, id);

	(void)flags;
	(void)ctx;
	if (!call) {
		rpc_must(nghttp2_session_consume(session, id, len));
		return 0;
	}
	call->unacked += len;
	if (!call->over)
		take_messages(call, span_make((const char *)data, len));
	if (!call->over)
		count_kept(call);
	settle(call);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *ctx)
{
	struct rpc_call *call = find_call(session, id);

	(void)ctx;
	if (call)
		close_call(call, code);
	return 0;
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct rpc_connection *connection = ctx;
	int32_t id = frame->hd.stream_id;

	/* nghttp2 gives the connection up: from here on it swallows what comes. */
	if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
		connection->broken = true;
	/* A client that has not half-closed would keep the stream open for ever (guest-agent.md 6.1). */
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat != NGHTTP2_HCAT_REQUEST &&
	    frame->hd.flags & NGHTTP2_FLAG_END_STREAM &&
	    nghttp2_session_get_stream_remote_close(session, id) == 0)
		rpc_must(nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id,
						   NGHTTP2_NO_ERROR));
	return 0;
}

/* Connections. */

static nghttp2_session_callbacks *make_callbacks(void)
{
	nghttp2_session_callbacks *callbacks;

	rpc_must(nghttp2_session_callbacks_new(&callbacks));
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
	return callbacks;
}

static nghttp2_option *make_options(void)
{
	nghttp2_option *option;

	rpc_must(nghttp2_option_new(&option));
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_max_reserved_remote_streams(option, 0);
	return option;
}

struct rpc_connection *rpc_connection_new(const struct rpc_side *side, bool server,
					  const nghttp2_settings_entry *settings, size_t n)
{
	struct rpc_connection *connection = xcalloc(1, sizeof(*connection));
	nghttp2_session_callbacks *callbacks = make_callbacks();
	nghttp2_option *option = make_options();

	connection->side = side;
	if (server)
		rpc_must(nghttp2_session_server_new2(&connection->session, callbacks, connection,
						     option));
	else
		rpc_must(nghttp2_session_client_new2(&connection->session, callbacks, connection,
						     option));
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	rpc_must(nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, n));
	rpc_must(nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0,
						       CONNECTION_WINDOW));
	return connection;
}

void rpc_free(struct rpc_connection *connection)
{
	if (!connection)
		return;
	if (connection->handlers) {
		for (struct rpc_call *call = connection->calls; call; call = call->next) {
			if (!call->over)
				connection->side->closed(call, NGHTTP2_CANCEL);
			call->over = true;
		}
	}
	while (connection->calls) {
		struct rpc_call *call = connection->calls;

		connection->calls = call->next;
		call_free(call);
	}
	nghttp2_session_del(connection->session);
	str_done(&connection->out);
	free(connection->user_agent);
	free(connection);
}

void rpc_cleanup(struct rpc_connection **slot)
{
	rpc_free(*slot);
}

/* True when a handler was called, which may have queued something. */
static bool tell_room(struct rpc_connection *connection)
{
	bool told = false;

	for (struct rpc_call *call = connection->calls; call; call = call->next) {
		if (call->over || !call->wants_room || rpc_call_queued(call) > RPC_QUEUE_LOW)
			continue;
		call->wants_room = false;
		connection->side->room(call);
		told = true;
	}
	return told;
}

static void fill_output(struct rpc_connection *connection)
{
	while (connection->out.len < OUTPUT_BYTES) {
		const uint8_t *data;
		ssize_t n = nghttp2_session_mem_send(connection->session, &data);

		if (n == NGHTTP2_ERR_NOMEM)
			mem_exhausted();
		if (n < 0)
			connection->broken = true;
		if (n <= 0)
			return;
		str_add_span(&connection->out, span_make((const char *)data, (size_t)n));
	}
}

static void make_output(struct rpc_connection *connection)
{
	bool told = true;

	if (connection->written < connection->out.len)
		return;
	str_clear(&connection->out);
	connection->written = 0;
	while (told && connection->out.len < OUTPUT_BYTES) {
		fill_output(connection);
		told = tell_room(connection);
	}
}

struct span rpc_output(struct rpc_connection *connection)
{
	make_output(connection);
	return span_from(str_span(&connection->out), connection->written);
}

void rpc_wrote(struct rpc_connection *connection, size_t n)
{
	assert(n <= connection->out.len - connection->written);
	connection->written += n;
}

static bool fail(const struct rpc_connection *connection, struct err *err)
{
	return err_set(err, ERR_TRANSPORT, "the other side does not %s",
		       connection->ready ? "keep to HTTP/2" : "speak HTTP/2");
}

bool rpc_feed(struct rpc_connection *connection, struct span bytes, struct err *err)
{
	ssize_t n;

	if (connection->broken)
		return fail(connection, err);
	n = nghttp2_session_mem_recv(connection->session, (const uint8_t *)bytes.ptr, bytes.len);
	if (n == NGHTTP2_ERR_NOMEM)
		mem_exhausted();
	connection->broken = n < 0;
	/* What nghttp2 objects to becomes known when it says so to the other side. */
	if (!connection->broken)
		make_output(connection);
	if (connection->broken)
		return fail(connection, err);
	if (nghttp2_session_get_outbound_queue_size(connection->session) <= FRAMES_MAX)
		return true;
	connection->broken = true;
	return err_set(err, ERR_TRANSPORT,
		       "the other side asks for answers and does not read them");
}

bool rpc_is_ready(const struct rpc_connection *connection)
{
	return connection->ready;
}

bool rpc_is_finished(const struct rpc_connection *connection)
{
	if (connection->broken)
		return true;
	if (!connection->closing)
		return false;
	for (const struct rpc_call *call = connection->calls; call; call = call->next) {
		if (!call->over || connection->handlers)
			return false;
	}
	return true;
}
