/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exchange of guest-agent.md 5.1, as it was recorded between a client and the stock agent: our client writes the same
 * bytes, our server understands them and answers like the recorded one.
 */
#include "rpc/peers.h"
#include "unit.h"

#define PREFACE         "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a"
#define CLIENT_SETTINGS "00000c 04 00 00000000 0002 00000000 0004 00100000"
#define CLIENT_WINDOW   "000004 08 00 00000000 003f0001"
#define REQUEST                                                              \
	"000035 01 04 00000001 83 86 048862198b5258c1e4a4"                   \
	"4186a0e41d139d09 5f8b1d75d0620d263d4c4d6564 40027465864d833505b11f" \
	"7a8748ec4ac4600b87"
#define COMMAND  "00000e 00 00 00000001 00 00000009 0a07 0a03636174 1801"
#define STDIN    "00000b 00 00 00000001 00 00000006 1204 0a026869"
#define STDIN_0  "000007 00 00 00000001 00 00000002 1200"
#define ACK      "000000 04 01 00000000"
#define PING     "000008 06 00 00000000 0204 1010 090e 0707"
#define PING_ACK "000008 06 01 00000000 0204 1010 090e 0707"
#define RESPONSE "00000e 01 04 00000001 88 5f8b1d75d0620d263d4c4d6564"
#define STDOUT   "00000b 00 00 00000001 00 00000006 1204 0a026869"
#define EXIT_0   "000007 00 00 00000001 00 00000002 0a00"
#define TRAILERS "000018 01 05 00000001 40889acac8b21234da8f 0130 40899acac8b5254207317f 00"
#define RESET    "000004 03 00 00000001 00000000"

#define STOCK_SETTINGS "000006 04 00 00000000 0005 00004000"
#define STOCK_WINDOW   "000004 08 00 00000000 0000000e"

static void send_hex(struct rpc_call *call, const char *hex)
{
	CLEANUP_STR struct str bytes = { 0 };

	unhex(hex, &bytes);
	rpc_call_send(call, str_span(&bytes));
}

static void client_as_recorded(void **state)
{
	CLEANUP(rpc_cleanup) struct rpc_connection *client = rpc_client_new("tart-c/0.1");
	CLEANUP(caller_done) struct caller caller = { .log = { 0 } };
	struct rpc_call *call = rpc_call_start(client, "/Agent/Exec", 0, &caller_handlers, &caller);

	(void)state;
	send_hex(call, "0a07 0a03636174 1801");
	check_output(client, "command", PREFACE CLIENT_SETTINGS CLIENT_WINDOW REQUEST COMMAND);
	send_hex(call, "1204 0a026869");
	check_output(client, "stdin", STDIN);
	send_hex(call, "1200");
	check_output(client, "end of stdin", STDIN_0);
	assert_false(rpc_is_ready(client));
	feed_hex(client, STOCK_SETTINGS ACK);
	assert_true(rpc_is_ready(client));
	check_output(client, "settings", ACK);
	feed_hex(client, STOCK_WINDOW PING);
	check_output(client, "ping", PING_ACK);
	feed_hex(client, RESPONSE STDOUT EXIT_0);
	assert_int_equal(caller.n_messages, 2);
	assert_memory_equal(caller.log.ptr, "\x12\x04\x0a\x02hi \x0a\0 ", 10);
	assert_false(caller.ended);
	feed_hex(client, TRAILERS);
	assert_true(caller.ended);
	assert_int_equal(caller.status.code, RPC_OK);
	assert_string_equal(caller.status.text, "");
	feed_hex(client, RESET);
	check_output(client, "nothing more", "");
}

/* Each byte may come alone. */
static void client_in_single_bytes(void **state)
{
	CLEANUP(rpc_cleanup) struct rpc_connection *client = rpc_client_new("tart-c/0.1");
	CLEANUP(caller_done) struct caller caller = { .log = { 0 } };
	CLEANUP_STR struct str bytes = { 0 };
	struct err err = { 0 };

	(void)state;
	(void)rpc_call_start(client, "/Agent/Exec", 0, &caller_handlers, &caller);
	rpc_wrote(client, rpc_output(client).len);
	unhex(STOCK_SETTINGS ACK STOCK_WINDOW PING RESPONSE STDOUT EXIT_0 TRAILERS RESET, &bytes);
	for (size_t i = 0; i < bytes.len; i++)
		assert_true(rpc_feed(client, span_make(bytes.ptr + i, 1), &err));
	assert_int_equal(caller.n_messages, 2);
	assert_true(caller.ended);
	assert_int_equal(caller.status.code, RPC_OK);
	check_output(client, "settings", ACK);
	check_output(client, "ping", PING_ACK);
}

static void timeouts(void **state)
{
	static const struct {
		const char *name;
		uint64_t ms, want;
	} rows[] = {
		{ "none", 0, 0 },
		{ "seconds", 3000, 3000 },
		{ "milliseconds", 1500, 1500 },
		{ "more than eight digits", 100000001, 100001000 },
		{ "for ever", UINT64_MAX, 99999999000 },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP(rpc_cleanup) struct rpc_connection *client = rpc_client_new("t");
		CLEANUP(echo_done) struct echo echo = { .n_open = 0 };
		CLEANUP(rpc_cleanup)
		struct rpc_connection *server = rpc_server_new(&echo_handlers, &echo);
		CLEANUP(caller_done) struct caller caller = { .log = { 0 } };
		CLEANUP_STR struct str want = { 0 };

		(void)rpc_call_start(client, "/T/Echo", row->ms, &caller_handlers, &caller);
		talk(client, server, SIZE_MAX);
		str_addf(&want, "call /T/Echo %ju ", (uintmax_t)row->want);
		check(span_equal(str_span(&want), str_span(&echo.log)), "%s: %s", row->name,
		      str_text(&echo.log));
	}
}

/* What the recorded server said, from ours. */
struct stock {
	size_t n;
	struct rpc_call *call;
};

static bool stock_call(void *ctx, struct rpc_call *call, struct span path, uint64_t timeout_ms,
		       struct rpc_status *refusal)
{
	struct stock *stock = ctx;

	(void)refusal;
	assert_true(span_is(path, "/Agent/Exec"));
	assert_int_equal(timeout_ms, 0);
	stock->call = call;
	return true;
}

static void stock_message(void *ctx, struct rpc_call *call, struct span message)
{
	static const char *const wants[] = { "0a07 0a03636174 1801", "1204 0a026869", "1200" };
	struct stock *stock = ctx;
	CLEANUP_STR struct str want = { 0 };

	assert_true(stock->n < ARRAY_LEN(wants));
	unhex(wants[stock->n++], &want);
	assert_true(span_equal(message, str_span(&want)));
	rpc_call_consumed(call, message.len);
}

static void stock_cancelled(void *ctx, struct rpc_call *call)
{
	(void)ctx;
	(void)call;
	fail_msg("cancelled");
}

static void server_as_recorded(void **state)
{
	static const struct rpc_server_handlers handlers = {
		.on_call = stock_call,
		.on_message = stock_message,
		.on_cancelled = stock_cancelled,
	};
	struct stock stock = { .n = 0 };
	CLEANUP(rpc_cleanup) struct rpc_connection *server = rpc_server_new(&handlers, &stock);
	const struct rpc_status ok = { .code = RPC_OK };

	(void)state;
	check_output(server, "settings",
		     "000012 04 00 00000000 0003 00000080 0004 00100000 0006 00004000"
		     "000004 08 00 00000000 003f0001");
	feed_hex(server, PREFACE CLIENT_SETTINGS CLIENT_WINDOW REQUEST COMMAND STDIN STDIN_0);
	assert_int_equal(stock.n, 3);
	check_output(server, "ack", ACK);
	feed_hex(server, ACK PING);
	check_output(server, "ping", PING_ACK);
	send_hex(stock.call, "1204 0a026869");
	check_output(server, "stdout", RESPONSE STDOUT);
	send_hex(stock.call, "0a00");
	check_output(server, "exit", EXIT_0);
	rpc_call_end(stock.call, &ok);
	check_output(server, "trailers", TRAILERS RESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_as_recorded),
		cmocka_unit_test(client_in_single_bytes),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(server_as_recorded),
	};

	return unit_main(tests);
}
