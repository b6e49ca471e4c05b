/* SPDX-License-Identifier: Apache-2.0 */
#include "base/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

static char bytes[1 << 22];

static void a_pipe_takes_what_surely_fits(void **state)
{
	struct outlet outlet;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	outlet = outlet_of(fds[1]);
	/* Would block for ever if it tried more. */
	assert_int_equal(outlet_write(&outlet, span_make(bytes, sizeof(bytes))), PIPE_BUF);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_socket_takes_what_fits_then_says_later(void **state)
{
	struct outlet outlet;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	outlet = outlet_of(fds[1]);
	while (outlet_write(&outlet, span_make(bytes, sizeof(bytes))) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	(void)close(fds[0]);
	assert_int_equal(outlet_write(&outlet, span_make(bytes, 1)), -1);
	assert_int_equal(errno, EPIPE);
	(void)close(fds[1]);
}

static void a_file_takes_much_at_once(void **state)
{
	CLEANUP_CLOSE int fd = -1;
	struct outlet outlet;

	(void)state;
	fd = memfd_create("outlet", MFD_CLOEXEC);
	assert_true(fd >= 0);
	outlet = outlet_of(fd);
	assert_true(outlet_write(&outlet, span_make(bytes, sizeof(bytes))) > PIPE_BUF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_takes_what_surely_fits),
		cmocka_unit_test(a_socket_takes_what_fits_then_says_later),
		cmocka_unit_test(a_file_takes_much_at_once),
	};

	return unit_main(tests);
}
