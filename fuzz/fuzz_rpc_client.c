/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of rpc/, fed by a hostile server. The first byte says how the rest is cut and what the caller does: its
 * low four bits are the size of a piece (0: all at once), then flags: hoard messages, half-close, cancel at the first message.
 */
#include <string.h>

#include "fuzz.h"
#include "rpc/client.h"

struct caller {
	struct rpc_call *call;
	bool hoard, cancel;
	bool over;
};

static void on_message(void *ctx, struct rpc_call *call, struct span message)
{
	struct caller *caller = ctx;

	fuzz_check(!caller->over && call == caller->call && message.len <= RPC_MESSAGE_MAX);
	if (!caller->hoard)
		rpc_call_consumed(call, message.len);
	if (caller->cancel) {
		caller->over = true;
		rpc_call_cancel(call);
	}
}

static void on_end(void *ctx, struct rpc_call *call, const struct rpc_status *status)
{
	struct caller *caller = ctx;
	size_t len = strlen(status->text);

	fuzz_check(!caller->over && call == caller->call);
	caller->over = true;
	fuzz_check(len <= RPC_TEXT_MAX && status->code <= RPC_UNAUTHENTICATED);
	fuzz_check(status->exec_errno >= 0);
	for (size_t i = 0; i < len; i++)
		fuzz_check((unsigned char)status->text[i] >= 0x20 && status->text[i] != 0x7f);
}

static void drain(struct rpc_connection *client)
{
	struct span bytes = rpc_output(client);

	while (bytes.len > 0) {
		rpc_wrote(client, bytes.len);
		bytes = rpc_output(client);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rpc_client_handlers handlers = {
		.on_message = on_message,
		.on_end = on_end,
	};
	struct span rest = span_make((const char *)data, size);
	unsigned int how = size > 0 ? data[0] : 0;
	size_t piece = how & 15 ? how & 15 : size;
	CLEANUP(rpc_cleanup) struct rpc_connection *client = rpc_client_new("tart/fuzz");
	struct caller caller = { .hoard = how & 16, .cancel = how & 64 };
	struct err err = { 0 };

	if (size == 0)
		return 0;
	rest = span_from(rest, 1);
	caller.call = rpc_call_start(client, "/Agent/Exec", 0, &handlers, &caller);
	rpc_call_send(caller.call, span_of("hello"));
	if (how & 32)
		rpc_call_finish(caller.call);
	drain(client);
	while (rest.len > 0) {
		size_t n = rest.len < piece ? rest.len : piece;

		if (!rpc_feed(client, span_first(rest, n), &err)) {
			fuzz_check(err.kind == ERR_TRANSPORT && err.text[0]);
			break;
		}
		rest = span_from(rest, n);
		drain(client);
	}
	return 0;
}
