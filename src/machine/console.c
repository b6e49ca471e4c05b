/* SPDX-License-Identifier: Apache-2.0 */
/* The serial console. */
#include "machine/console.h"

#include <unistd.h>

#include "base/sock.h"

static bool read_some(struct console *console)
{
	struct err ignored = { 0 };
	char buf[16 * 1024];
	size_t len = 0;

	switch (sock_recv(console->fd, buf, sizeof(buf), &len, NULL, 0, NULL, &ignored)) {
	case SOCK_DONE:
		logfile_add(&console->log, span_make(buf, len));
		return true;
	case SOCK_LATER:
		return false;
	case SOCK_CLOSED:
	case SOCK_FAILED:
		break;
	}
	console_stop(console);
	return false;
}

static void console_on_data(void *ctx, uint32_t events)
{
	(void)events;
	(void)read_some(ctx);
}

bool console_start(struct console *console, struct loop *loop, int fd, struct err *err)
{
	console->fd = fd;
	return loop_add_fd(loop, fd, EPOLLIN, console_on_data, console, &console->source, err);
}

void console_drain(struct console *console)
{
	/* More than a socket holds; bounded all the same. */
	for (int reads = 0; reads < 256 && console->fd >= 0 && read_some(console); reads++)
		;
}

void console_stop(struct console *console)
{
	loop_remove(&console->source);
	if (console->fd >= 0)
		(void)close(TAKE_FD(console->fd));
}

void console_done(struct console *console)
{
	console_stop(console);
	logfile_close(&console->log);
}
