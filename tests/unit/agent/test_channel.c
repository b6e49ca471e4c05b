/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of agent/channel.h. The VM is a child that listens in a temporary bundle and says what a row wants. */
#include "agent/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "proto/agent.h"
#include "storage/bundle.h"
#include "temp_dir.h"
#include "unit.h"

/* Long, for a busy machine: only the row without an answer gets to its end. */
#define PATIENCE_MS 20000

struct vm {
	const char *
		heard; /* what it wants to be told before it answers; NULL = says what it says at once */
	const char *answer; /* NULL = none, until the client has gone */
	bool stays;         /* after the answer */
};

static void play(int listener, const struct vm *vm)
{
	struct pollfd pollfd = { .fd = listener, .events = POLLIN };
	char bytes[64] = { 0 };
	int fd;

	(void)poll(&pollfd, 1, -1);
	fd = accept(listener, NULL, NULL);
	if (vm->heard &&
	    (recv(fd, bytes, strlen(vm->heard), MSG_WAITALL) < 0 || strcmp(bytes, vm->heard) != 0))
		_exit(1);
	if (vm->answer && send(fd, vm->answer, strlen(vm->answer), MSG_NOSIGNAL) < 0)
		_exit(1);
	if (!vm->answer || vm->stays)
		(void)recv(fd, bytes, 1, 0);
	_exit(0);
}

static pid_t start(int dirfd, const char *name, const struct vm *vm)
{
	struct err err = { 0 };
	int listener = -1;
	pid_t pid;

	assert_true(sock_listen_unix(dirfd, name, &listener, &err));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		play(listener, vm);
	(void)close(listener);
	return pid;
}

static void end(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void answers(void **state)
{
	static const struct {
		const char *name;
		struct vm vm;
		uint64_t patience_ms;
		enum channel_result want;
	} rows[] = {
		{ "connected", { "CONNECT 8080\n", "OK 1024\n", true }, PATIENCE_MS, CHANNEL_OPEN },
		{ "no driver",
		  { "CONNECT 8080\n", "ERR not-ready\n", false },
		  PATIENCE_MS,
		  CHANNEL_NOT_READY },
		{ "refused",
		  { "CONNECT 8080\n", "ERR refused\n", false },
		  PATIENCE_MS,
		  CHANNEL_REFUSED },
		{ "late",
		  { "CONNECT 8080\n", "ERR timeout\n", false },
		  PATIENCE_MS,
		  CHANNEL_TIMEOUT },
		{ "busy", { "CONNECT 8080\n", "ERR busy\n", false }, PATIENCE_MS, CHANNEL_BUSY },
		{ "gone", { "CONNECT 8080\n", "ERR gone\n", false }, PATIENCE_MS, CHANNEL_GONE },
		{ "closed", { "CONNECT 8080\n", "", false }, PATIENCE_MS, CHANNEL_GONE },
		{ "silent", { "CONNECT 8080\n", NULL, true }, 50, CHANNEL_TIMEOUT },
		{ "no answer",
		  { "CONNECT 8080\n", "HTTP/1.1 200\n", true },
		  PATIENCE_MS,
		  CHANNEL_FAILED },
		{ "half of one", { "CONNECT 8080\n", "OK 10", true }, PATIENCE_MS, CHANNEL_FAILED },
		{ "our fault",
		  { "CONNECT 8080\n", "ERR invalid\n", true },
		  PATIENCE_MS,
		  CHANNEL_FAILED },
	};
	const struct temp_dir *dir = *state;

	each_row(rows, row) {
		CLEANUP_CLOSE int fd = -1;
		struct err err = { 0 };
		pid_t pid = start(dir->fd, BUNDLE_VSOCK_SOCKET, &row->vm);
		enum channel_result got = channel_open(
			dir->fd, AGENT_PORT, channel_now_ms() + row->patience_ms, &fd, &err);

		check(got == row->want, "%s: got %d", row->name, (int)got);
		check((got == CHANNEL_FAILED) == (err.kind != ERR_NONE), "%s: says '%s'", row->name,
		      err.text);
		check((fd >= 0) == (got == CHANNEL_OPEN), "%s: descriptor %d", row->name, fd);
		cleanup_close(&fd);
		fd = -1;
		end(pid);
	}
}

/* The guest may speak first: what it says is in the stream, all of it. */
static void bytes_behind_the_answer(void **state)
{
	static const struct vm vm = { "CONNECT 22\n", "OK 1024\nSSH-2.0", true };
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };
	char bytes[16] = { 0 };
	pid_t pid = start(dir->fd, BUNDLE_VSOCK_SOCKET, &vm);

	assert_int_equal(channel_open(dir->fd, CHANNEL_SSH_PORT, channel_now_ms() + PATIENCE_MS,
				      &fd, &err),
			 CHANNEL_OPEN);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), 7);
	assert_string_equal(bytes, "SSH-2.0");
	cleanup_close(&fd);
	fd = -1;
	end(pid);
}

static void without_the_first_socket_the_second(void **state)
{
	static const struct vm vm = { NULL, "hello", true };
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = -1;
	struct pollfd pollfd = { .events = POLLIN };
	struct err err = { 0 };
	char bytes[8] = { 0 };
	pid_t pid = start(dir->fd, BUNDLE_SOCKET, &vm);

	/* It leads to one port only. */
	assert_int_equal(channel_open(dir->fd, CHANNEL_SSH_PORT, 0, &fd, &err), CHANNEL_NO_SOCKET);
	assert_int_equal(channel_open(dir->fd, AGENT_PORT, 0, &fd, &err), CHANNEL_OPEN);
	pollfd.fd = fd;
	assert_int_equal(poll(&pollfd, 1, PATIENCE_MS), 1);
	assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), 5);
	cleanup_close(&fd);
	fd = -1;
	end(pid);
}

static void no_socket_at_all(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int listener = -1;
	struct err err = { 0 };
	int fd = -1;

	assert_int_equal(channel_open(dir->fd, AGENT_PORT, 0, &fd, &err), CHANNEL_NO_SOCKET);
	/* One that was left behind is none. */
	assert_true(sock_listen_unix(dir->fd, BUNDLE_VSOCK_SOCKET, &listener, &err));
	cleanup_close(&listener);
	listener = -1;
	assert_int_equal(channel_open(dir->fd, AGENT_PORT, 0, &fd, &err), CHANNEL_NO_SOCKET);
	assert_int_equal(err.kind, ERR_NONE);
	assert_int_equal(fd, -1);
}

static void descriptions(void **state)
{
	char text[100];

	(void)state;
	channel_describe(CHANNEL_REFUSED, 8080, text, sizeof(text));
	assert_string_equal(text, "nothing listens on vsock port 8080");
	channel_describe(CHANNEL_NOT_READY, 8080, text, sizeof(text));
	assert_string_equal(text, "the guest has not started its vsock driver");
	for (int result = CHANNEL_NO_SOCKET; result < CHANNEL_FAILED; result++) {
		channel_describe((enum channel_result)result, 22, text, sizeof(text));
		check(text[0] != '\0', "%d has no text", result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers, temp_dir_make, temp_dir_remove),
		cmocka_unit_test_setup_teardown(bytes_behind_the_answer, temp_dir_make,
						temp_dir_remove),
		cmocka_unit_test_setup_teardown(without_the_first_socket_the_second, temp_dir_make,
						temp_dir_remove),
		cmocka_unit_test_setup_teardown(no_socket_at_all, temp_dir_make, temp_dir_remove),
		cmocka_unit_test(descriptions),
	};

	return unit_main(tests);
}
