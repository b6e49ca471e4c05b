/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: order, removal while dispatching, signals, deadlines, ends of children. */
#include "base/loop.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

static struct loop *new_loop(void)
{
	struct loop *loop = NULL;
	struct err err = { 0 };

	assert_true(loop_new(&loop, &err));
	return loop;
}

static void run(struct loop *loop)
{
	struct err err = { 0 };

	assert_true(loop_run(loop, &err));
}

/* Ends a loop that a test expects to end by itself, so that a failure is no hang. */
static void on_too_late(void *ctx)
{
	(void)ctx;
	fail_msg("nothing happened for ten seconds");
}

static void watchdog(struct loop *loop)
{
	loop_arm(loop_add_deadline(loop, on_too_late, NULL), 10000);
}

struct reader_ctx {
	struct loop *loop;
	struct loop_source *source;
	struct loop_source **victim; /* removed when data arrives */
	int fd;
	int calls;
	bool stop;
};

static void reader_on_ready(void *ctx, uint32_t events)
{
	struct reader_ctx *r = ctx;
	char byte;

	(void)events;
	r->calls++;
	assert_int_equal(read(r->fd, &byte, 1), 1);
	if (r->victim)
		loop_remove(r->victim);
	if (r->stop)
		loop_stop(r->loop);
}

static struct reader_ctx add_reader(struct loop *loop, int *ret_write_fd)
{
	struct reader_ctx r = { .loop = loop };
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	r.fd = fds[0];
	*ret_write_fd = fds[1];
	return r;
}

static void start_reader(struct reader_ctx *r)
{
	struct err err = { 0 };

	assert_true(loop_add_fd(r->loop, r->fd, EPOLLIN, reader_on_ready, r, &r->source, &err));
}

static void put_byte(int fd)
{
	assert_int_equal(write(fd, "x", 1), 1);
}

static void reads_until_stopped(void **state)
{
	CLEANUP_LOOP struct loop *loop = new_loop();
	CLEANUP_CLOSE int write_fd = -1;
	struct reader_ctx r = add_reader(loop, &write_fd);

	(void)state;
	watchdog(loop);
	start_reader(&r);
	r.stop = true;
	put_byte(write_fd);
	run(loop);
	put_byte(write_fd);
	run(loop);
	assert_int_equal(r.calls, 2);
	loop_remove(&r.source);
	assert_null(r.source);
	(void)close(r.fd);
}

static void a_removed_source_is_not_called_in_the_same_turn(void **state)
{
	CLEANUP_LOOP struct loop *loop = new_loop();
	CLEANUP_CLOSE int write_a = -1;
	CLEANUP_CLOSE int write_b = -1;
	struct reader_ctx a = add_reader(loop, &write_a);
	struct reader_ctx b = add_reader(loop, &write_b);

	(void)state;
	watchdog(loop);
	start_reader(&a);
	start_reader(&b);
	a.victim = &b.source;
	b.victim = &a.source;
	a.stop = b.stop = true;
	put_byte(write_a);
	put_byte(write_b);
	run(loop); /* both are ready: whoever comes first removes the other */
	assert_int_equal(a.calls + b.calls, 1);
	(void)close(a.fd);
	(void)close(b.fd);
}

static void a_source_may_remove_itself(void **state)
{
	CLEANUP_LOOP struct loop *loop = new_loop();
	CLEANUP_CLOSE int write_fd = -1;
	struct reader_ctx r = add_reader(loop, &write_fd);

	(void)state;
	watchdog(loop);
	start_reader(&r);
	r.victim = &r.source;
	r.stop = true;
	put_byte(write_fd);
	put_byte(write_fd);
	run(loop);
	assert_int_equal(r.calls, 1);
	(void)close(r.fd);
}

struct replace_ctx {
	struct reader_ctx old;
	struct reader_ctx young;
	int young_write;
};

/* Closes its descriptor and adds a source that gets the same number, in the turn that reported the old one. */
static void replace_on_ready(void *ctx, uint32_t events)
{
	struct replace_ctx *r = ctx;

	(void)events;
	loop_remove(&r->old.source);
	(void)close(r->old.fd);
	r->young = add_reader(r->old.loop, &r->young_write);
	assert_int_equal(r->young.fd, r->old.fd);
	r->young.stop = true;
	start_reader(&r->young);
	put_byte(r->young_write);
}

static void a_descriptor_number_may_be_reused_at_once(void **state)
{
	CLEANUP_LOOP struct loop *loop = new_loop();
	struct replace_ctx r = { 0 };
	struct err err = { 0 };
	int write_fd = -1;

	(void)state;
	watchdog(loop);
	r.old = add_reader(loop, &write_fd);
	assert_true(
		loop_add_fd(loop, r.old.fd, EPOLLIN, replace_on_ready, &r, &r.old.source, &err));
	put_byte(write_fd);
	run(loop);
	assert_int_equal(r.young.calls, 1);
	loop_remove(&r.young.source);
	(void)close(r.young.fd);
	(void)close(r.young_write);
	(void)close(write_fd);
}

static void hangup_on_event(void *ctx, uint32_t events)
{
	struct reader_ctx *r = ctx;

	assert_true(events & EPOLLHUP);
	r->calls++;
	loop_stop(r->loop);
}

static void hang_up_is_told_without_asking(void **state)
{
	CLEANUP_LOOP struct loop *loop = new_loop();
	struct err err = { 0 };
	int write_fd = -1;
	struct reader_ctx r = add_reader(loop, &write_fd);

	(void)state;
	watchdog(loop);
	assert_true(loop_add_fd(loop, r.fd, EPOLLIN, hangup_on_event, &r, &r.source, &err));
	loop_want(r.source, 0);
	(void)close(write_fd);
	run(loop);
	assert_int_equal(r.calls, 1);
	loop_remove(&r.source);
	(void)close(r.fd);
}

struct signal_ctx {
	struct loop *loop;
	int seen[8];
	int n;
	int stop_after;
};

static void signal_on_arrival(void *ctx, int signum)
{
	struct signal_ctx *s = ctx;

	assert_in_range(s->n, 0, 7);
	s->seen[s->n++] = signum;
	if (s->n == s->stop_after)
		loop_stop(s->loop);
}

static void signals_arrive_as_events_even_ignored_ones(void **state)
{
	static const int signums[] = { SIGUSR1, SIGUSR2 };
	CLEANUP_LOOP struct loop *loop = new_loop();
	struct signal_ctx s = { .loop = loop, .stop_after = 2 };
	struct loop_source *source = NULL;
	struct err err = { 0 };
	sigset_t before;
	sigset_t after;

	(void)state;
	watchdog(loop);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &before), 0);
	(void)signal(SIGUSR2, SIG_IGN);
	assert_true(loop_add_signals(loop, signums, 2, signal_on_arrival, &s, &source, &err));
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(raise(SIGUSR2), 0);
	run(loop);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.seen[0] + s.seen[1], SIGUSR1 + SIGUSR2);
	loop_remove(&source);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &after), 0);
	assert_int_equal(sigismember(&after, SIGUSR1), sigismember(&before, SIGUSR1));
	(void)signal(SIGUSR2, SIG_DFL);
}

struct deadline_ctx {
	struct loop *loop;
	struct loop_source *source;
	uint64_t fired_ms[3];
	int n;
};

static void deadline_on_due(void *ctx)
{
	struct deadline_ctx *d = ctx;

	assert_false(loop_is_armed(d->source));
	d->fired_ms[d->n++] = loop_now_ms(d->loop);
	if (d->n == 3)
		loop_stop(d->loop);
	else
		loop_arm(d->source, 20);
}

static void deadlines_fire_once_per_arming_and_not_early(void **state)
{
	CLEANUP_LOOP struct loop *loop = new_loop();
	struct deadline_ctx d = { .loop = loop };
	uint64_t start_ms = loop_now_ms(loop);

	(void)state;
	watchdog(loop);
	d.source = loop_add_deadline(loop, deadline_on_due, &d);
	loop_arm(d.source, 10000000);
	loop_arm(d.source, 20);
	run(loop);
	assert_int_equal(d.n, 3);
	assert_true(d.fired_ms[0] >= start_ms + 20);
	assert_true(d.fired_ms[1] >= d.fired_ms[0] + 20);
	assert_true(d.fired_ms[2] >= d.fired_ms[1] + 20);
}

static void deadline_on_never(void *ctx)
{
	(void)ctx;
	fail_msg("a disarmed deadline fired");
}

static void deadline_on_stop(void *ctx)
{
	loop_stop(ctx);
}

static void a_disarmed_deadline_stays_silent(void **state)
{
	CLEANUP_LOOP struct loop *loop = new_loop();
	struct loop_source *never = loop_add_deadline(loop, deadline_on_never, NULL);
	struct loop_source *removed = loop_add_deadline(loop, deadline_on_never, NULL);

	(void)state;
	loop_arm(never, 1);
	loop_disarm(never);
	loop_arm(removed, 1);
	loop_remove(&removed);
	loop_arm(loop_add_deadline(loop, deadline_on_stop, loop), 30);
	run(loop);
}

struct child_ctx {
	struct loop *loop;
	struct loop_source *source;
	int status;
	int calls;
};

static void child_on_end(void *ctx, int status)
{
	struct child_ctx *c = ctx;

	c->status = status;
	c->calls++;
	loop_stop(c->loop);
}

static void the_end_of_a_child_is_an_event(void **state)
{
	static const char *const argv[] = { "sh", "-c", "exit 7", NULL };
	CLEANUP_LOOP struct loop *loop = new_loop();
	CLEANUP(child_kill) struct child child = CHILD_INIT;
	struct child_spec spec = CHILD_SPEC_INIT;
	struct child_ctx c = { .loop = loop };
	struct err err = { 0 };

	(void)state;
	watchdog(loop);
	spec.argv = argv;
	assert_true(child_start(&spec, &child, &err));
	assert_true(loop_add_child(loop, &child, child_on_end, &c, &c.source, &err));
	run(loop);
	assert_int_equal(c.calls, 1);
	assert_true(WIFEXITED(c.status));
	assert_int_equal(WEXITSTATUS(c.status), 7);
	assert_int_equal(child.pid, 0);
	assert_int_equal(child.pidfd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_until_stopped),
		cmocka_unit_test(a_removed_source_is_not_called_in_the_same_turn),
		cmocka_unit_test(a_source_may_remove_itself),
		cmocka_unit_test(a_descriptor_number_may_be_reused_at_once),
		cmocka_unit_test(hang_up_is_told_without_asking),
		cmocka_unit_test(signals_arrive_as_events_even_ignored_ones),
		cmocka_unit_test(deadlines_fire_once_per_arming_and_not_early),
		cmocka_unit_test(a_disarmed_deadline_stays_silent),
		cmocka_unit_test(the_end_of_a_child_is_an_event),
	};

	return unit_main(tests);
}
