/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/client.h and rpc/server.h against each other: how calls go and end, and what a side can hold up. */
#include "rpc/peers.h"

#include <string.h>

#include "base/mem.h"
#include "unit.h"

/* A client and a server who talk. */
struct pair {
	struct rpc_connection *client, *server;
	struct echo echo;
};

static void pair_done(struct pair *pair)
{
	rpc_free(pair->client);
	rpc_free(pair->server);
	echo_done(&pair->echo);
}

static void pair_up(struct pair *pair)
{
	pair->client = rpc_client_new("tart/test");
	pair->server = rpc_server_new(&echo_handlers, &pair->echo);
}

static struct rpc_call *start(struct pair *pair, struct caller *caller)
{
	return rpc_call_start(pair->client, "/T/Echo", 0, &caller_handlers, caller);
}

static void log_is(const struct str *log, const char *want)
{
	check(strcmp(str_text(log), want) == 0, "got '%s', want '%s'", str_text(log), want);
}

static void say(struct pair *pair, struct rpc_call *call, const char *text)
{
	rpc_call_send(call, span_of(text));
	talk(pair->client, pair->server, SIZE_MAX);
}

static void messages_and_status(void **state)
{
	static const size_t pieces[] = { 1, 2, 9, 100, SIZE_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		CLEANUP(pair_done) struct pair pair = { .client = NULL };
		CLEANUP(caller_done) struct caller caller = { .ended = false };
		struct rpc_call *call;

		pair_up(&pair);
		call = start(&pair, &caller);
		rpc_call_send(call, span_of("a"));
		rpc_call_send(call, span_of(""));
		rpc_call_send(call, span_of("b"));
		rpc_call_send(call, span_of("fail"));
		talk(pair.client, pair.server, pieces[i]);
		log_is(&caller.log, "a  b end NOT_FOUND n% \xc3\xa4");
		assert_int_equal(caller.status.exec_errno, 2);
		assert_false(caller.status.foreign);
		assert_int_equal(pair.echo.n_open, 0);
	}
}

static void unary(void **state)
{
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	CLEANUP(caller_done) struct caller caller = { .ended = false };
	struct rpc_call *call;

	(void)state;
	pair_up(&pair);
	call = start(&pair, &caller);
	rpc_call_send(call, span_of("x"));
	rpc_call_finish(call);
	talk(pair.client, pair.server, SIZE_MAX);
	log_is(&caller.log, "x end OK ");
	log_is(&pair.echo.log, "call /T/Echo 0 finished ");
}

/* A half-close after all messages are gone is a frame of its own. */
static void finished_late(void **state)
{
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	CLEANUP(caller_done) struct caller caller = { .ended = false };
	struct rpc_call *call;

	(void)state;
	pair_up(&pair);
	call = start(&pair, &caller);
	say(&pair, call, "x");
	assert_false(caller.ended);
	rpc_call_finish(call);
	talk(pair.client, pair.server, SIZE_MAX);
	log_is(&caller.log, "x end OK ");
}

static void one_call_after_another(void **state)
{
	CLEANUP(pair_done) struct pair pair = { .client = NULL };

	(void)state;
	pair_up(&pair);
	for (int i = 0; i < 300; i++) {
		CLEANUP(caller_done) struct caller caller = { .ended = false };

		say(&pair, start(&pair, &caller), "end");
		log_is(&caller.log, "end OK ");
	}
	assert_int_equal(pair.echo.n_open, 0);
}

static void unknown_path(void **state)
{
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	CLEANUP(caller_done) struct caller caller = { .ended = false };

	(void)state;
	pair_up(&pair);
	(void)rpc_call_start(pair.client, "/T/No", 0, &caller_handlers, &caller);
	talk(pair.client, pair.server, SIZE_MAX);
	log_is(&caller.log, "end UNIMPLEMENTED unknown method /T/No");
	log_is(&pair.echo.log, "");
}

static void too_many_calls(void **state)
{
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	struct caller callers[RPC_CALLS_MAX + 1] = { 0 };

	(void)state;
	pair_up(&pair);
	for (size_t i = 0; i < ARRAY_LEN(callers); i++)
		(void)start(&pair, &callers[i]);
	talk(pair.client, pair.server, SIZE_MAX);
	assert_int_equal(pair.echo.n_open, RPC_CALLS_MAX);
	assert_false(callers[RPC_CALLS_MAX - 1].ended);
	log_is(&callers[RPC_CALLS_MAX].log, "end RESOURCE_EXHAUSTED too many calls at a time");
	for (size_t i = 0; i < ARRAY_LEN(callers); i++)
		caller_done(&callers[i]);
}

static void cancelled_by_the_client(void **state)
{
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	CLEANUP(caller_done) struct caller caller = { .cancel = true };
	CLEANUP(caller_done) struct caller early = { .cancel = true };

	(void)state;
	pair_up(&pair);
	say(&pair, start(&pair, &caller), "x"); /* from inside a handler */
	log_is(&caller.log, "x ");
	log_is(&pair.echo.log, "call /T/Echo 0 cancelled ");
	rpc_call_cancel(start(&pair, &early)); /* before it was sent */
	talk(pair.client, pair.server, SIZE_MAX);
	log_is(&early.log, "");
	log_is(&pair.echo.log, "call /T/Echo 0 cancelled ");
	assert_int_equal(pair.echo.n_open, 0);
}

static void connection_lost(void **state)
{
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	CLEANUP(caller_done) struct caller caller = { .ended = false };

	(void)state;
	pair_up(&pair);
	say(&pair, start(&pair, &caller), "x");
	rpc_free(pair.server);
	pair.server = NULL;
	log_is(&pair.echo.log, "call /T/Echo 0 cancelled ");
	rpc_free(pair.client);
	pair.client = NULL;
	log_is(&caller.log, "x ");
}

/* Larger than any window, up to the limit. */
static void large_messages(void **state)
{
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	CLEANUP(caller_done) struct caller caller = { .quiet = true };
	CLEANUP_FREE char *bytes = xcalloc(RPC_MESSAGE_MAX, 1);
	struct rpc_call *call;

	(void)state;
	pair_up(&pair);
	call = start(&pair, &caller);
	rpc_call_send(call, span_make(bytes, RPC_MESSAGE_MAX));
	rpc_call_send(call, span_make(bytes, RPC_MESSAGE_MAX));
	talk(pair.client, pair.server, 1000);
	assert_int_equal(caller.n_bytes, 2 * RPC_MESSAGE_MAX);
	assert_int_equal(caller.n_rooms, 1);
	assert_int_equal(pair.echo.n_rooms, 2);
	say(&pair, call, "end");
	log_is(&caller.log, "end OK ");
}

/* Who does not consume, stops the other side within the window, and nobody else. */
static void what_is_not_consumed_blocks(void **state)
{
	enum { CHUNK = 32 << 10, CHUNKS = 100 };
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	CLEANUP(caller_done) struct caller slow = { .hoard = true, .quiet = true };
	CLEANUP(caller_done) struct caller fast = { .quiet = true };
	CLEANUP_FREE char *bytes = xcalloc(CHUNK, 1);
	struct rpc_call *slow_call, *fast_call;

	(void)state;
	pair_up(&pair);
	slow_call = start(&pair, &slow);
	fast_call = start(&pair, &fast);
	for (int i = 0; i < CHUNKS; i++) {
		rpc_call_send(slow_call, span_make(bytes, CHUNK));
		rpc_call_send(fast_call, span_make(bytes, CHUNK));
		talk(pair.client, pair.server, SIZE_MAX);
	}
	assert_int_equal(fast.n_bytes, CHUNKS * CHUNK);
	assert_in_range(slow.n_bytes, RPC_WINDOW - (2 * CHUNK), RPC_WINDOW);
	assert_int_equal(pair.echo.n_bytes, 2 * CHUNKS * CHUNK);
	while (slow.n_bytes < CHUNKS * CHUNK) {
		size_t had = slow.n_bytes;

		rpc_call_consumed(slow_call, CHUNK * 20);
		talk(pair.client, pair.server, SIZE_MAX);
		assert_true(slow.n_bytes > had);
	}
}

static void server_that_hoards(void **state)
{
	enum { CHUNK = 32 << 10 };
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	CLEANUP(caller_done) struct caller caller = { .quiet = true };
	CLEANUP_FREE char *bytes = xcalloc(CHUNK, 1);
	struct rpc_call *call;

	(void)state;
	pair_up(&pair);
	call = start(&pair, &caller);
	say(&pair, call, "hoard");
	for (int i = 0; i < 50; i++)
		rpc_call_send(call, span_make(bytes, CHUNK));
	talk(pair.client, pair.server, SIZE_MAX);
	assert_in_range(pair.echo.n_bytes, RPC_WINDOW - (2 * CHUNK), RPC_WINDOW);
	assert_true(rpc_call_queued(call) > RPC_QUEUE_HIGH);
	assert_int_equal(caller.n_rooms, 0);
	rpc_call_consumed(pair.echo.last, pair.echo.n_bytes);
	talk(pair.client, pair.server, SIZE_MAX);
	assert_int_equal(rpc_call_queued(call), 0);
	assert_int_equal(caller.n_rooms, 1);
}

/* What is on its way to a call that has ended takes nothing from the connection's window: 100 times 320 KiB of 4 MiB. */
static void late_messages_are_forgotten(void **state)
{
	enum { CHUNK = 32 << 10 };
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	CLEANUP_FREE char *bytes = xcalloc(CHUNK, 1);

	(void)state;
	pair_up(&pair);
	for (int i = 0; i < 100; i++) {
		CLEANUP(caller_done) struct caller caller = { .ended = false };
		struct rpc_call *call = start(&pair, &caller);

		rpc_call_send(call, span_of(i % 2 ? "end" : "hoard"));
		for (int n = 0; n < 10; n++)
			rpc_call_send(call, span_make(bytes, CHUNK));
		talk(pair.client, pair.server, SIZE_MAX);
		if (!caller.ended) {
			rpc_call_cancel(call);
			talk(pair.client, pair.server, SIZE_MAX);
		}
		pair.echo.hoard = false;
	}
	for (int i = 0; i < 2; i++) {
		CLEANUP(caller_done) struct caller caller = { .quiet = true };
		struct rpc_call *call = start(&pair, &caller);

		for (int n = 0; n < 30; n++)
			rpc_call_send(call, span_make(bytes, CHUNK));
		say(&pair, call, "end");
		assert_int_equal(caller.n_bytes, 30 * CHUNK);
		assert_true(caller.ended);
	}
}

static void server_closes(void **state)
{
	CLEANUP(pair_done) struct pair pair = { .client = NULL };
	CLEANUP(caller_done) struct caller open = { .ended = false };
	CLEANUP(caller_done) struct caller late = { .ended = false };
	struct rpc_call *call;

	(void)state;
	pair_up(&pair);
	call = start(&pair, &open);
	say(&pair, call, "x");
	rpc_server_close(pair.server);
	talk(pair.client, pair.server, SIZE_MAX);
	assert_false(rpc_is_finished(pair.client) || rpc_is_finished(pair.server));
	(void)start(&pair, &late);
	talk(pair.client, pair.server, SIZE_MAX);
	assert_int_equal(late.status.code, RPC_UNAVAILABLE);
	assert_true(late.ended);
	say(&pair, call, "end");
	log_is(&open.log, "x end OK ");
	assert_true(rpc_is_finished(pair.client) && rpc_is_finished(pair.server));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_and_status),
		cmocka_unit_test(unary),
		cmocka_unit_test(finished_late),
		cmocka_unit_test(one_call_after_another),
		cmocka_unit_test(unknown_path),
		cmocka_unit_test(too_many_calls),
		cmocka_unit_test(cancelled_by_the_client),
		cmocka_unit_test(connection_lost),
		cmocka_unit_test(large_messages),
		cmocka_unit_test(what_is_not_consumed_blocks),
		cmocka_unit_test(server_that_hoards),
		cmocka_unit_test(late_messages_are_forgotten),
		cmocka_unit_test(server_closes),
	};

	return unit_main(tests);
}
