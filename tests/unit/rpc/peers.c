/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of rpc/ share. */
#include "rpc/peers.h"

#include <string.h>

#include "unit.h"

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, c);

	assert_true(c && at);
	return (int)(at - digits);
}

void unhex(const char *hex, struct str *out)
{
	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		str_add_char(out, (char)(unsigned char)(digit(hex[0]) << 4 | digit(hex[1])));
		hex++;
	}
}

static void hex_of(struct span bytes, struct str *out)
{
	for (size_t i = 0; i < bytes.len; i++)
		str_addf(out, "%02x", (unsigned char)bytes.ptr[i]);
}

void check_output(struct rpc_connection *connection, const char *name, const char *want_hex)
{
	CLEANUP_STR struct str want = { 0 };
	CLEANUP_STR struct str want_again = { 0 };
	CLEANUP_STR struct str got = { 0 };
	struct span bytes = rpc_output(connection);

	unhex(want_hex, &want);
	hex_of(str_span(&want), &want_again);
	hex_of(bytes, &got);
	rpc_wrote(connection, bytes.len);
	check(span_equal(str_span(&got), str_span(&want_again)), "%s:\ngot  %s\nwant %s", name,
	      str_text(&got), str_text(&want_again));
}

void feed_hex(struct rpc_connection *connection, const char *hex)
{
	CLEANUP_STR struct str bytes = { 0 };
	struct err err = { 0 };

	unhex(hex, &bytes);
	check(rpc_feed(connection, str_span(&bytes), &err), "%s", err.text);
}

bool carry(struct rpc_connection *from, struct rpc_connection *to, size_t piece, struct err *err)
{
	struct span bytes = rpc_output(from);

	while (bytes.len > 0) {
		size_t n = bytes.len < piece ? bytes.len : piece;

		if (!rpc_feed(to, span_first(bytes, n), err))
			return false;
		rpc_wrote(from, n);
		bytes = rpc_output(from);
	}
	return true;
}

void talk(struct rpc_connection *a, struct rpc_connection *b, size_t piece)
{
	struct err err = { 0 };

	do {
		check(carry(a, b, piece, &err), "%s", err.text);
		check(carry(b, a, piece, &err), "%s", err.text);
	} while (rpc_output(a).len > 0 || rpc_output(b).len > 0);
}

static void caller_message(void *ctx, struct rpc_call *call, struct span message)
{
	struct caller *caller = ctx;

	assert_false(caller->ended);
	caller->n_messages++;
	caller->n_bytes += message.len;
	if (!caller->quiet) {
		str_add_span(&caller->log, message);
		str_add_char(&caller->log, ' ');
	}
	if (!caller->hoard)
		rpc_call_consumed(call, message.len);
	if (caller->cancel)
		rpc_call_cancel(call);
}

static void caller_room(void *ctx, struct rpc_call *call)
{
	struct caller *caller = ctx;

	assert_true(rpc_call_queued(call) <= RPC_QUEUE_LOW);
	caller->n_rooms++;
}

static void caller_end(void *ctx, struct rpc_call *call, const struct rpc_status *status)
{
	struct caller *caller = ctx;

	(void)call;
	assert_false(caller->ended);
	caller->ended = true;
	caller->status = *status;
	str_addf(&caller->log, "end %s %s", rpc_code_name(status->code), status->text);
}

const struct rpc_client_handlers caller_handlers = {
	.on_message = caller_message,
	.on_room = caller_room,
	.on_end = caller_end,
};

void caller_done(struct caller *caller)
{
	str_done(&caller->log);
}

static bool echo_call(void *ctx, struct rpc_call *call, struct span path, uint64_t timeout_ms,
		      struct rpc_status *refusal)
{
	struct echo *echo = ctx;

	(void)refusal;
	if (!span_is(path, "/T/Echo"))
		return false;
	str_addf(&echo->log, "call %.*s %ju ", SPAN_ARG(path), (uintmax_t)timeout_ms);
	echo->n_open++;
	echo->last = call;
	return true;
}

static void echo_end(struct echo *echo, struct rpc_call *call, const struct rpc_status *status)
{
	echo->n_open--;
	rpc_call_end(call, status);
}

static void echo_message(void *ctx, struct rpc_call *call, struct span message)
{
	struct echo *echo = ctx;
	struct rpc_status status = { .code = RPC_OK };

	echo->n_bytes += message.len;
	if (span_is(message, "end")) {
		echo_end(echo, call, &status);
		return;
	}
	if (span_is(message, "fail")) {
		rpc_status_set(&status, RPC_NOT_FOUND, "n%% \xc3\xa4\n");
		status.exec_errno = 2;
		echo_end(echo, call, &status);
		return;
	}
	echo->hoard = echo->hoard || span_is(message, "hoard");
	if (echo->hoard)
		return;
	rpc_call_send(call, message);
	rpc_call_consumed(call, message.len);
}

static void echo_finished(void *ctx, struct rpc_call *call)
{
	struct echo *echo = ctx;
	const struct rpc_status ok = { .code = RPC_OK };

	str_add(&echo->log, "finished ");
	echo_end(echo, call, &ok);
}

static void echo_room(void *ctx, struct rpc_call *call)
{
	struct echo *echo = ctx;

	(void)call;
	echo->n_rooms++;
}

static void echo_cancelled(void *ctx, struct rpc_call *call)
{
	struct echo *echo = ctx;

	(void)call;
	echo->n_open--;
	str_add(&echo->log, "cancelled ");
}

const struct rpc_server_handlers echo_handlers = {
	.on_call = echo_call,
	.on_message = echo_message,
	.on_finished = echo_finished,
	.on_room = echo_room,
	.on_cancelled = echo_cancelled,
};

void echo_done(struct echo *echo)
{
	str_done(&echo->log);
}
