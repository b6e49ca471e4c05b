/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of base/relay.h, in one thread: between two turns of the relay the test plays both sides, until nothing moves. What
 * spins does not come to rest, and is told by the number of turns that moved nothing.
 */
#include "base/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "unit.h"

#define BIG ((size_t)3 << 20)

/* One end that the test holds: bytes it has still to write, and what it has read. Everything in it is non-blocking. */
struct end {
	int fd;
	size_t to_write; /* byte i of a flow is pattern(i) */
	size_t written;
	size_t read;
	bool close_when_written; /* a socket: only its sending half */
	bool deaf;               /* does not read */
	bool saw_end;
};

struct bench {
	struct relay *relay;
	int in_fd, out_fd, socket_fd; /* the relay's */
	struct end user_in;           /* writes what the relay reads as `in` */
	struct end user_out;
	struct end guest;
	unsigned turns;
};

static char pattern(size_t i)
{
	return (char)(i * 7 + i / 251);
}

static void no_wait(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

/* Over the loopback: closing means there what it means for a guest. */
static void tcp_pair(int *ret_a, int *ret_b)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	*ret_a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*ret_a, (struct sockaddr *)&address, sizeof(address)), 0);
	*ret_b = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(*ret_b >= 0);
	(void)close(listener);
}

static void start(struct bench *b)
{
	int in[2];
	int out[2];

	*b = (struct bench){ 0 };
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	b->in_fd = in[0];
	b->user_in.fd = in[1];
	b->out_fd = out[1];
	b->user_out.fd = out[0];
	tcp_pair(&b->socket_fd, &b->guest.fd);
	no_wait(b->user_in.fd);
	no_wait(b->user_out.fd);
	no_wait(b->guest.fd);
	b->relay = relay_new(b->in_fd, b->out_fd, b->socket_fd);
}

static void close_end(struct end *end)
{
	if (end->fd >= 0)
		(void)close(end->fd);
	end->fd = -1;
}

static void stop(struct bench *b)
{
	relay_free(b->relay);
	(void)close(b->in_fd);
	(void)close(b->out_fd);
	(void)close(b->socket_fd);
	close_end(&b->user_in);
	close_end(&b->user_out);
	close_end(&b->guest);
}

static bool end_writes(struct end *end)
{
	char bytes[5000];
	size_t n = end->to_write - end->written;
	ssize_t done;

	if (end->fd < 0)
		return false;
	if (n == 0 && end->close_when_written) {
		end->close_when_written = false;
		if (shutdown(end->fd, SHUT_WR) < 0)
			close_end(end); /* a pipe */
		return true;
	}
	n = n < sizeof(bytes) ? n : sizeof(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = pattern(end->written + i);
	done = n > 0 ? write(end->fd, bytes, n) : 0;
	end->written += done > 0 ? (size_t)done : 0;
	return done > 0;
}

static bool end_reads(struct end *end)
{
	char bytes[7000];
	ssize_t n;

	if (end->fd < 0 || end->deaf || end->saw_end)
		return false;
	n = read(end->fd, bytes, sizeof(bytes));
	end->saw_end = n == 0;
	for (ssize_t i = 0; i < n; i++)
		check(bytes[i] == pattern(end->read + (size_t)i), "byte %zu is another",
		      end->read + (size_t)i);
	end->read += n > 0 ? (size_t)n : 0;
	return n >= 0;
}

/* Everything that the two sides can do now. */
static bool sides_move(struct bench *b)
{
	bool moved = end_writes(&b->user_in);

	moved |= end_writes(&b->user_out); /* where it is a socket, and `in`, too */
	moved |= end_reads(&b->user_out);
	moved |= end_writes(&b->guest);
	moved |= end_reads(&b->guest);
	return moved;
}

/* Until it is over, fails, or nobody has anything to do. The loopback needs a moment for what is under way. */
static bool play(struct bench *b, struct err *err)
{
	unsigned idle_turns = 0;

	for (int still = 0; still < 3 && !relay_is_over(b->relay);) {
		struct pollfd fds[RELAY_FDS];
		bool moved = sides_move(b);

		relay_wants(b->relay, fds);
		if (poll(fds, RELAY_FDS, moved ? 0 : 20) > 0) {
			if (!relay_turn(b->relay, fds, err))
				return false;
			b->turns++;
			idle_turns = moved ? 0 : idle_turns + 1;
			check(idle_turns < 100000, "it spins");
			still = 0;
		} else {
			still = moved ? 0 : still + 1;
		}
	}
	while (sides_move(b))
		;
	return true;
}

static void carries_much_both_ways_at_once(void **state)
{
	struct err err = { 0 };
	struct bench b;

	(void)state;
	start(&b);
	b.user_in.to_write = BIG;
	b.user_in.close_when_written = true;
	b.guest.to_write = BIG + 1;
	b.guest.close_when_written = true;
	check(play(&b, &err), "%s", err.text);
	assert_true(relay_is_over(b.relay));
	assert_int_equal(b.guest.read, BIG);
	assert_true(b.guest.saw_end);
	assert_int_equal(b.user_out.read, BIG + 1);
	assert_true(b.user_out.saw_end);
	stop(&b);
}

/* The user has said all; the guest answers afterwards, for as long as it likes. */
static void user_ends_first(void **state)
{
	struct err err = { 0 };
	struct bench b;

	(void)state;
	start(&b);
	b.user_in.to_write = 10;
	b.user_in.close_when_written = true;
	assert_true(play(&b, &err));
	assert_false(relay_is_over(b.relay));
	assert_int_equal(b.guest.read, 10);
	assert_true(b.guest.saw_end);
	assert_false(b.user_out.saw_end);
	b.turns = 0;
	assert_true(play(&b, &err));
	assert_int_equal(b.turns, 0); /* rests */
	b.guest.to_write = BIG;
	b.guest.close_when_written = true;
	assert_true(play(&b, &err));
	assert_true(relay_is_over(b.relay));
	assert_int_equal(b.user_out.read, BIG);
	assert_true(b.user_out.saw_end);
	stop(&b);
}

static void guest_ends_first(void **state)
{
	struct err err = { 0 };
	struct bench b;

	(void)state;
	start(&b);
	b.guest.to_write = 10;
	b.guest.close_when_written = true;
	assert_true(play(&b, &err));
	assert_false(relay_is_over(b.relay));
	assert_int_equal(b.user_out.read, 10);
	assert_true(b.user_out.saw_end);
	assert_false(b.guest.saw_end);
	b.turns = 0;
	assert_true(play(&b, &err));
	assert_int_equal(b.turns, 0);
	b.user_in.to_write = BIG;
	b.user_in.close_when_written = true;
	assert_true(play(&b, &err));
	assert_true(relay_is_over(b.relay));
	assert_int_equal(b.guest.read, BIG);
	stop(&b);
}

static void who_does_not_read_is_waited_for(void **state)
{
	struct err err = { 0 };
	struct bench b;

	(void)state;
	start(&b);
	b.user_out.deaf = true;
	b.guest.to_write = 4 * BIG;
	b.guest.close_when_written = true;
	b.user_in.to_write = 1000;
	b.user_in.close_when_written = true;
	assert_true(play(&b, &err));
	assert_false(relay_is_over(b.relay));
	assert_int_equal(b.guest.read, 1000); /* the other way is free */
	b.turns = 0;
	assert_true(play(&b, &err));
	assert_int_equal(b.turns, 0);
	b.user_out.deaf = false;
	assert_true(play(&b, &err));
	assert_true(relay_is_over(b.relay));
	assert_int_equal(b.user_out.read, 4 * BIG);
	stop(&b);
}

/* Both sides have said all, and the socket says so each time it is asked; what it had to say still waits for its reader. */
static void rests_after_both_ends(void **state)
{
	struct err err = { 0 };
	struct bench b;

	(void)state;
	start(&b);
	b.user_out.deaf = true;
	b.guest.to_write = 170000;
	b.guest.close_when_written = true;
	b.user_in.close_when_written = true;
	assert_true(play(&b, &err));
	assert_true(b.guest.saw_end);
	assert_int_equal(b.guest.written, 170000);
	b.turns = 0;
	assert_true(play(&b, &err));
	assert_int_equal(b.turns, 0);
	b.user_out.deaf = false;
	assert_true(play(&b, &err));
	assert_true(relay_is_over(b.relay));
	assert_int_equal(b.user_out.read, 170000);
	stop(&b);
}

static void guest_that_does_not_read_is_waited_for(void **state)
{
	struct err err = { 0 };
	struct bench b;

	(void)state;
	start(&b);
	b.guest.deaf = true;
	b.user_in.to_write = 8 * BIG;
	b.user_in.close_when_written = true;
	b.guest.to_write = 1000;
	assert_true(play(&b, &err));
	assert_false(relay_is_over(b.relay));
	assert_int_equal(b.user_out.read, 1000);
	b.turns = 0;
	assert_true(play(&b, &err));
	assert_int_equal(b.turns, 0);
	b.guest.deaf = false;
	b.guest.close_when_written = true;
	assert_true(play(&b, &err));
	assert_true(relay_is_over(b.relay));
	assert_int_equal(b.guest.read, 8 * BIG);
	stop(&b);
}

static void reset(struct end *end)
{
	const struct linger now = { .l_onoff = 1 };

	(void)setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close_end(end);
}

static void broken_connection_is_an_error(void **state)
{
	struct err err = { 0 };
	struct bench b;

	(void)state;
	start(&b);
	b.guest.to_write = 10;
	assert_true(play(&b, &err));
	reset(&b.guest);
	assert_false(play(&b, &err));
	assert_string_equal(err.text, "the connection has broken: Connection reset by peer");
	assert_int_equal(b.user_out.read, 10);
	stop(&b);
}

/* It has said all it had to say, and does not want to hear more: without anything left to send, that is the end. */
static void guest_closes_for_good(void **state)
{
	struct err err = { 0 };
	struct bench b;

	(void)state;
	start(&b);
	b.guest.to_write = 10;
	b.guest.close_when_written = true;
	assert_true(play(&b, &err));
	reset(&b.guest);
	assert_true(play(&b, &err));
	assert_true(relay_is_over(b.relay));
	stop(&b);
}

static void what_the_guest_did_not_want_is_an_error(void **state)
{
	struct err err = { 0 };
	struct bench b;

	(void)state;
	start(&b);
	b.guest.deaf = true;
	b.guest.to_write = 10;
	b.guest.close_when_written = true;
	b.user_in.to_write = 8 * BIG;
	assert_true(play(&b, &err));
	assert_int_equal(b.user_out.read, 10);
	reset(&b.guest);
	assert_false(play(&b, &err));
	assert_string_equal(err.text, "the connection was closed before everything was sent");
	stop(&b);
}

static void reader_that_goes_away_is_an_error(void **state)
{
	struct err err = { 0 };
	struct bench b;

	(void)state;
	start(&b);
	close_end(&b.user_out);
	assert_false(play(&b, &err));
	assert_string_equal(err.text, "cannot write to the standard output: Broken pipe");
	stop(&b);
}

/* As under a program that has one socket as our standard input and output: its end is told by more than closing. */
static void one_socket_for_in_and_out(void **state)
{
	struct err err = { 0 };
	struct bench b;
	int pair[2];
	int out_fd;

	(void)state;
	start(&b);
	relay_free(b.relay);
	close_end(&b.user_in);
	close_end(&b.user_out);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	no_wait(pair[0]);
	out_fd = dup(pair[1]);
	b.user_out.fd = pair[0];
	b.user_out.to_write = BIG;
	b.relay = relay_new(pair[1], out_fd, b.socket_fd);
	b.guest.to_write = 10;
	b.guest.close_when_written = true;
	assert_true(play(&b, &err));
	assert_int_equal(b.user_out.read, 10);
	assert_true(b.user_out.saw_end);
	assert_false(relay_is_over(b.relay));
	b.user_out.close_when_written = true;
	assert_true(play(&b, &err));
	assert_true(relay_is_over(b.relay));
	assert_int_equal(b.guest.read, BIG);
	assert_int_equal(fcntl(pair[1], F_GETFL) & O_NONBLOCK, 0);
	(void)close(pair[1]);
	(void)close(out_fd);
	stop(&b);
}

static void a_file_comes_and_goes(void **state)
{
	CLEANUP_CLOSE int file_fd = -1;
	char path[] = "/tmp/relay.XXXXXX";
	struct err err = { 0 };
	struct stat st;
	struct bench b;

	(void)state;
	start(&b);
	relay_free(b.relay);
	file_fd = mkostemp(path, O_CLOEXEC);
	assert_true(file_fd >= 0);
	(void)unlink(path);
	b.relay = relay_new(b.in_fd, file_fd, b.socket_fd);
	b.guest.to_write = BIG;
	b.guest.close_when_written = true;
	b.user_in.close_when_written = true;
	close_end(&b.user_out);
	assert_int_equal(fstat(file_fd, &st), 0);
	assert_true(play(&b, &err));
	assert_true(relay_is_over(b.relay));
	/* The descriptor is /dev/null now: nothing can be written behind the end by mistake. */
	assert_int_equal(fstat(file_fd, &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_much_both_ways_at_once),
		cmocka_unit_test(user_ends_first),
		cmocka_unit_test(guest_ends_first),
		cmocka_unit_test(who_does_not_read_is_waited_for),
		cmocka_unit_test(rests_after_both_ends),
		cmocka_unit_test(guest_that_does_not_read_is_waited_for),
		cmocka_unit_test(broken_connection_is_an_error),
		cmocka_unit_test(guest_closes_for_good),
		cmocka_unit_test(what_the_guest_did_not_want_is_an_error),
		cmocka_unit_test(reader_that_goes_away_is_an_error),
		cmocka_unit_test(one_socket_for_in_and_out),
		cmocka_unit_test(a_file_comes_and_goes),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return unit_main(tests);
}
