/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of rpc/, fed by a hostile client: what follows HTTP/2's preface. The first byte says how it is cut and
 * what the owner does: its low four bits are the size of a piece (0: all at once), then flags: hoard messages, do not read
 * the output, end each call at its first message. A connection that is free has told of the end of each call it told of.
 */
#include "fuzz.h"
#include "rpc/server.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

struct owner {
	size_t n_open;
	bool hoard, end;
};

static bool on_call(void *ctx, struct rpc_call *call, struct span path, uint64_t timeout_ms,
		    struct rpc_status *refusal)
{
	struct owner *owner = ctx;

	(void)call;
	(void)timeout_ms;
	if (span_is(path, "/no")) {
		rpc_status_set(refusal, RPC_NOT_FOUND, "no");
		return false;
	}
	owner->n_open++;
	fuzz_check(owner->n_open <= RPC_CALLS_MAX);
	return true;
}

static void end(struct owner *owner, struct rpc_call *call)
{
	struct rpc_status status;

	owner->n_open--;
	rpc_status_set(&status, RPC_ABORTED, "enough \x01%%");
	rpc_call_end(call, &status);
}

static void on_message(void *ctx, struct rpc_call *call, struct span message)
{
	struct owner *owner = ctx;

	fuzz_check(owner->n_open > 0 && message.len <= RPC_MESSAGE_MAX);
	if (!owner->hoard) {
		rpc_call_send(call, message);
		rpc_call_consumed(call, message.len);
	}
	if (owner->end)
		end(owner, call);
}

static void on_finished(void *ctx, struct rpc_call *call)
{
	end(ctx, call);
}

static void on_cancelled(void *ctx, struct rpc_call *call)
{
	struct owner *owner = ctx;

	(void)call;
	fuzz_check(owner->n_open > 0);
	owner->n_open--;
}

static void drain(struct rpc_connection *server)
{
	struct span bytes = rpc_output(server);

	while (bytes.len > 0) {
		rpc_wrote(server, bytes.len);
		bytes = rpc_output(server);
	}
}

static void serve(struct rpc_connection *server, struct span rest, size_t piece, bool read)
{
	struct err err = { 0 };

	fuzz_check(rpc_feed(server, span_of(PREFACE), &err));
	while (rest.len > 0) {
		size_t n = rest.len < piece ? rest.len : piece;

		if (!rpc_feed(server, span_first(rest, n), &err)) {
			fuzz_check(err.kind == ERR_TRANSPORT && err.text[0]);
			return;
		}
		rest = span_from(rest, n);
		if (read)
			drain(server);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rpc_server_handlers handlers = {
		.on_call = on_call,
		.on_message = on_message,
		.on_finished = on_finished,
		.on_cancelled = on_cancelled,
	};
	unsigned int how = size > 0 ? data[0] : 0;
	struct owner owner = { .hoard = how & 16, .end = how & 64 };
	struct rpc_connection *server;

	if (size == 0)
		return 0;
	server = rpc_server_new(&handlers, &owner);
	serve(server, span_make((const char *)data + 1, size - 1), how & 15 ? how & 15 : size,
	      !(how & 32));
	rpc_free(server);
	fuzz_check(owner.n_open == 0);
	return 0;
}
