/* SPDX-License-Identifier: Apache-2.0 */
/* The QMP client against a peer that the test plays, line by line, some of them out of place. */
#include "machine/qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/str.h"
#include "unit.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"

/* What the client told, in order: "ready, event STOP, reply 7, failed: …, closed: …". */
struct fixture {
	struct loop *loop;
	struct qmp *qmp;
	int peer_fd;
	struct str log;
	size_t stop_after; /* entries of the log */
	size_t entries;
};

static void note(struct fixture *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void note(struct fixture *f, const char *fmt, ...)
{
	va_list ap;

	if (f->entries > 0)
		str_add(&f->log, ", ");
	va_start(ap, fmt);
	str_vaddf(&f->log, fmt, ap);
	va_end(ap);
	if (++f->entries >= f->stop_after)
		loop_stop(f->loop);
}

static void qmp_on_ready(void *ctx)
{
	note(ctx, "ready");
}

static void qmp_on_event(void *ctx, const char *name, const struct json *data)
{
	const char *reason = json_member_text(data, "reason");

	note(ctx, "event %s%s%s", name, reason ? " " : "", reason ? reason : "");
}

static void qmp_on_closed(void *ctx, enum qmp_end end, const struct err *why)
{
	note(ctx, "%s: %s", end == QMP_LEFT ? "left" : "broken", why->text);
}

static const struct qmp_handlers handlers = { qmp_on_ready, qmp_on_event, qmp_on_closed };

static void on_reply(void *ctx, const struct json *result, const struct err *why)
{
	CLEANUP_STR struct str text = { 0 };

	if (result)
		json_print(result, JSON_COMPACT, &text);
	note(ctx, result ? "reply %s" : "failed: %s", result ? str_text(&text) : why->text);
}

static void on_too_late(void *ctx)
{
	struct fixture *f = ctx;

	fail_msg("nothing more happened for ten seconds; so far: %s", str_text(&f->log));
}

static int set_up_with(void **state, const struct qmp_limits *limits)
{
	static struct fixture f;
	struct err err = { 0 };
	int ours = -1;

	f = (struct fixture){ .peer_fd = -1 };
	if (!loop_new(&f.loop, &err) || !sock_pair(&ours, &f.peer_fd, &err) ||
	    !qmp_new(f.loop, ours, limits, &handlers, &f, &f.qmp, &err))
		return -1;
	loop_arm(loop_add_deadline(f.loop, on_too_late, &f), 10000);
	*state = &f;
	return 0;
}

static int set_up(void **state)
{
	static const struct qmp_limits patient = { .greeting_ms = 60000, .reply_ms = 60000 };

	return set_up_with(state, &patient);
}

static int set_up_hasty(void **state)
{
	static const struct qmp_limits hasty = { .greeting_ms = 50, .reply_ms = 50 };

	return set_up_with(state, &hasty);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	qmp_free(f->qmp);
	loop_free(f->loop);
	str_done(&f->log);
	if (f->peer_fd >= 0)
		(void)close(f->peer_fd);
	return 0;
}

static void say(struct fixture *f, const char *text)
{
	assert_int_equal(write(f->peer_fd, text, strlen(text)), strlen(text));
}

static void hang_up(struct fixture *f)
{
	(void)close(f->peer_fd);
	f->peer_fd = -1;
}

/* Lets the client work until it has told `n` more things. */
static void expect(struct fixture *f, size_t n, const char *want)
{
	struct err err = { 0 };

	str_clear(&f->log);
	f->entries = 0;
	f->stop_after = n;
	assert_true(loop_run(f->loop, &err));
	assert_string_equal(str_text(&f->log), want);
}

/* What the client has sent, with a descriptor if one came along. */
static void expect_sent(struct fixture *f, const char *want, int *ret_fd)
{
	struct pollfd poll_fd = { .fd = f->peer_fd, .events = POLLIN };
	struct err err = { 0 };
	char buf[4096];
	int fds[1] = { -1 };
	size_t len = 0;
	size_t n = 0;

	assert_int_equal(poll(&poll_fd, 1, 10000), 1);
	assert_int_equal(sock_recv(f->peer_fd, buf, sizeof(buf) - 1, &len, fds, 1, &n, &err),
			 SOCK_DONE);
	buf[len] = '\0';
	assert_string_equal(buf, want);
	if (ret_fd)
		*ret_fd = fds[0];
	else
		assert_int_equal(n, 0);
}

static void expect_silence(struct fixture *f)
{
	struct pollfd poll_fd = { .fd = f->peer_fd, .events = POLLIN };

	assert_int_equal(poll(&poll_fd, 1, 0), 0);
}

/* Turns of the loop until the client has sent something. */
static void on_tick(void *ctx)
{
	loop_stop(ctx);
}

static void run_a_turn(struct fixture *f)
{
	struct loop_source *tick = loop_add_deadline(f->loop, on_tick, f->loop);
	struct err err = { 0 };

	loop_arm(tick, 0);
	assert_true(loop_run(f->loop, &err));
	loop_remove(&tick);
}

static void make_ready(struct fixture *f)
{
	say(f, GREETING);
	run_a_turn(f);
	expect_sent(f, "{\"execute\":\"qmp_capabilities\",\"id\":1}\n", NULL);
	say(f, "{\"return\": {}, \"id\": 1}\r\n");
	expect(f, 1, "ready");
	assert_true(qmp_is_ready(f->qmp));
}

static void negotiates_and_then_answers(void **state)
{
	struct fixture *f = *state;

	make_ready(f);
	qmp_send(f->qmp, "query-status", NULL, -1, on_reply, f);
	expect_sent(f, "{\"execute\":\"query-status\",\"id\":2}\n", NULL);
	say(f, "{\"return\": {\"status\": \"running\"}, \"id\": 2}\r\n");
	expect(f, 1, "reply {\"status\":\"running\"}");
}

static void sends_one_command_at_a_time_in_order(void **state)
{
	struct fixture *f = *state;

	make_ready(f);
	qmp_send(f->qmp, "a", NULL, -1, on_reply, f);
	qmp_send(f->qmp, "b", NULL, -1, on_reply, f);
	qmp_send(f->qmp, "c", NULL, -1, NULL, NULL);
	expect_sent(f, "{\"execute\":\"a\",\"id\":2}\n", NULL);
	expect_silence(f);
	say(f, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}, \"id\": 2}\r\n");
	expect(f, 1, "failed: QEMU refused 'a': no");
	expect_sent(f, "{\"execute\":\"b\",\"id\":3}\n", NULL);
	expect_silence(f);
	say(f, "{\"return\": 5, \"id\": 3}\r\n");
	expect(f, 1, "reply 5");
	expect_sent(f, "{\"execute\":\"c\",\"id\":4}\n", NULL);
}

static void commands_before_the_greeting_wait(void **state)
{
	struct fixture *f = *state;

	qmp_send(f->qmp, "early", NULL, -1, on_reply, f);
	run_a_turn(f);
	expect_silence(f);
	say(f, GREETING);
	run_a_turn(f);
	expect_sent(f, "{\"execute\":\"qmp_capabilities\",\"id\":2}\n", NULL);
	say(f, "{\"return\": {}, \"id\": 2}\r\n");
	expect(f, 1, "ready");
	expect_sent(f, "{\"execute\":\"early\",\"id\":1}\n", NULL);
	say(f, "{\"return\": {}, \"id\": 1}\r\n");
	expect(f, 1, "reply {}");
}

static void passes_a_descriptor(void **state)
{
	struct fixture *f = *state;
	struct json *arguments = json_object();
	struct stat st;
	int sent = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int got = -1;

	make_ready(f);
	(void)json_set(arguments, "fdname", json_string("x"));
	qmp_send(f->qmp, "getfd", arguments, sent, on_reply, f);
	assert_int_equal(fcntl(sent, F_GETFD), -1); /* adopted, and not kept */
	expect_sent(f, "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"x\"},\"id\":2}\n", &got);
	assert_int_equal(fstat(got, &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	(void)close(got);
}

static void tells_events_between_replies(void **state)
{
	struct fixture *f = *state;

	make_ready(f);
	qmp_send(f->qmp, "quit", NULL, -1, on_reply, f);
	say(f,
	    "{\"event\": \"STOP\"}\r\n{\"return\": {}, \"id\": 2}\r\n{\"event\": \"SHUTDOWN\", \"data\": "
	    "{\"reason\": \"host-qmp-quit\"}}\r\n");
	hang_up(f);
	expect(f, 4,
	       "event STOP, reply {}, event SHUTDOWN host-qmp-quit, left: QEMU closed its control connection");
	qmp_send(f->qmp, "late", NULL, -1, on_reply, f); /* harmless, and never answered */
	run_a_turn(f);
}

static void drains_what_has_arrived(void **state)
{
	struct fixture *f = *state;

	make_ready(f);
	say(f, "{\"event\": \"SHUTDOWN\"}\r\n");
	hang_up(f);
	str_clear(&f->log);
	f->entries = 0;
	qmp_drain(f->qmp);
	assert_string_equal(str_text(&f->log),
			    "event SHUTDOWN, left: QEMU closed its control connection");
}

static void survives_a_peer_out_of_step(void **state)
{
	static const struct {
		const char *name;
		bool ready;
		const char *says;
		bool hangs_up;
		const char *want;
	} rows[] = {
		{ "end before the greeting", false, "", true,
		  "left: QEMU closed its control connection without a greeting" },
		{ "end within the greeting", false, "{\"QMP\": ", true,
		  "left: QEMU closed its control connection in the middle of a message" },
		{ "event before the greeting", false, "{\"event\": \"STOP\"}\r\n", false,
		  "broken: QEMU sent an event before its greeting" },
		{ "reply before the greeting", false, "{\"return\": {}}\r\n", false,
		  "broken: QEMU answered without being asked" },
		{ "two greetings", true, GREETING, false, "broken: QEMU greeted twice" },
		{ "reply nobody waits for", true, "{\"return\": {}}\r\n", false,
		  "broken: QEMU answered without being asked" },
		{ "reply to a later id", true, "{\"return\": {}, \"id\": 99}\r\n", false,
		  "broken: QEMU answered a command that it was not given" },
		{ "reply repeated is dropped", true,
		  "{\"return\": {}, \"id\": 1}\r\n{\"event\": \"STOP\"}\r\n", false, "event STOP" },
		{ "garbage", true, "hello\r\n", false,
		  "broken: QEMU does not keep to its protocol: invalid JSON at byte 0: not a JSON value" },
	};

	(void)state;
	each_row(rows, row) {
		void *slot = NULL;
		struct fixture *f;

		assert_int_equal(set_up(&slot), 0);
		f = slot;
		if (row->ready)
			make_ready(f);
		say(f, row->says);
		if (row->hangs_up)
			hang_up(f);
		expect(f, 1, row->want);
		(void)tear_down(&slot);
	}
}

static void a_flood_without_a_line_end_is_cut_off(void **state)
{
	struct fixture *f = *state;
	char block[4096];
	size_t sent = 0;

	make_ready(f);
	memset(block, 'x', sizeof(block));
	str_clear(&f->log);
	f->entries = 0;
	f->stop_after = 1;
	while (f->entries == 0 && sent < 4 * 1024 * 1024) {
		assert_int_equal(write(f->peer_fd, block, sizeof(block)), sizeof(block));
		sent += sizeof(block);
		run_a_turn(f);
	}
	assert_string_equal(
		str_text(&f->log),
		"broken: QEMU does not keep to its protocol: a message of more than 1 MiB");
}

static void a_missing_greeting_has_a_deadline(void **state)
{
	expect(*state, 1, "broken: QEMU does not answer on its control connection");
}

static void a_late_reply_is_dropped(void **state)
{
	struct fixture *f = *state;

	make_ready(f);
	qmp_send(f->qmp, "slow", NULL, -1, on_reply, f);
	qmp_send(f->qmp, "next", NULL, -1, on_reply, f);
	expect(f, 1, "failed: QEMU did not answer 'slow' within 50 ms");
	say(f, "{\"return\": 1, \"id\": 2}\r\n{\"return\": 2, \"id\": 3}\r\n");
	expect(f, 1, "reply 2");
}

static void a_peer_that_does_not_read_loses_nothing(void **state)
{
	struct fixture *f = *state;
	struct json *arguments = json_object();
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_STR struct str got = { 0 };
	int small = 4096;

	make_ready(f);
	for (int i = 0; i < 20000; i++)
		str_add(&text, "0123456789");
	(void)setsockopt(f->peer_fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	(void)json_set(arguments, "text", json_string(str_text(&text)));
	qmp_send(f->qmp, "long", arguments, -1, on_reply, f);
	while (got.len == 0 || got.ptr[got.len - 1] != '\n') {
		char buf[8192];
		ssize_t n = recv(f->peer_fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n > 0)
			str_add_span(&got, span_make(buf, (size_t)n));
		else
			run_a_turn(f);
	}
	assert_true(got.len > text.len);
	say(f, "{\"return\": {}, \"id\": 2}\r\n");
	expect(f, 1, "reply {}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(negotiates_and_then_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sends_one_command_at_a_time_in_order, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(commands_before_the_greeting_wait, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(passes_a_descriptor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_events_between_replies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(drains_what_has_arrived, set_up, tear_down),
		cmocka_unit_test(survives_a_peer_out_of_step),
		cmocka_unit_test_setup_teardown(a_flood_without_a_line_end_is_cut_off, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_missing_greeting_has_a_deadline, set_up_hasty,
						tear_down),
		cmocka_unit_test_setup_teardown(a_late_reply_is_dropped, set_up_hasty, tear_down),
		cmocka_unit_test_setup_teardown(a_peer_that_does_not_read_loses_nothing, set_up,
						tear_down),
	};

	return unit_main(tests);
}
