/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal for the guest's virtio console. */
#include "machine/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sock.h"

static bool make_raw(int fd)
{
	struct termios settings;

	if (tcgetattr(fd, &settings) < 0)
		return false;
	cfmakeraw(&settings);
	return cfsetspeed(&settings, B115200) == 0 && tcsetattr(fd, TCSANOW, &settings) == 0;
}

bool tty_open_pty(struct tty *ret, char ret_name[TTY_NAME_SIZE], struct err *err)
{
	CLEANUP_CLOSE int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	CLEANUP_CLOSE int other_fd = -1;
	char name[TTY_NAME_SIZE];

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0)
		return err_sys(err, errno, "cannot create a pseudo-terminal");
	if (ptsname_r(fd, name, sizeof(name)) != 0)
		return err_sys(err, errno, "cannot name a pseudo-terminal");
	other_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (other_fd < 0 || !make_raw(other_fd))
		return err_sys(err, errno, "cannot use '%s'", name);
	memcpy(ret_name, name, sizeof(name));
	*ret = (struct tty)TTY_INIT;
	ret->fd = TAKE_FD(fd);
	ret->other_fd = TAKE_FD(other_fd);
	return true;
}

bool tty_open_path(const char *path, struct tty *ret, struct err *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct termios before;

	/* The interface gives the sentence to the letter. */
	if (fd < 0 || tcgetattr(fd, &before) < 0 || !make_raw(fd))
		return err_set(err, ERR_GENERAL, "Failed to open PTY");
	*ret = (struct tty)TTY_INIT;
	ret->fd = TAKE_FD(fd);
	ret->restore = true;
	ret->before = before;
	return true;
}

/* What each side is waited for follows from what there is room for and what there is to give. */
static void update_wants(struct tty *tty)
{
	bool guest_may_speak = tty->fd < 0 || tty->lossy || tty->queue_len < TTY_QUEUE_SIZE;

	if (tty->guest_source)
		loop_want(tty->guest_source,
			  (guest_may_speak ? EPOLLIN : 0) | (tty->input_len > 0 ? EPOLLOUT : 0));
	if (tty->tty_source)
		loop_want(tty->tty_source, (tty->input_len < TTY_INPUT_SIZE ? EPOLLIN : 0) |
						   (tty->queue_len > 0 ? EPOLLOUT : 0));
	if (tty->queue_len == 0 || tty->lossy)
		loop_disarm(tty->patience);
	else if (!loop_is_armed(tty->patience))
		loop_arm(tty->patience, tty->patience_ms);
}

static void close_terminal(struct tty *tty)
{
	loop_remove(&tty->tty_source);
	if (tty->fd >= 0 && tty->restore)
		(void)tcsetattr(tty->fd, TCSANOW, &tty->before);
	if (tty->fd >= 0)
		(void)close(TAKE_FD(tty->fd));
	if (tty->other_fd >= 0)
		(void)close(TAKE_FD(tty->other_fd));
	tty->restore = false;
	tty->queue_len = 0;
	tty->input_len = 0;
}

static void close_guest(struct tty *tty)
{
	loop_remove(&tty->guest_source);
	if (tty->guest_fd >= 0)
		(void)close(TAKE_FD(tty->guest_fd));
	tty->input_len = 0;
}

static void drop_oldest(struct tty *tty, size_t n)
{
	n = n < tty->queue_len ? n : tty->queue_len;
	tty->queue_start = (tty->queue_start + n) % TTY_QUEUE_SIZE;
	tty->queue_len -= n;
}

/* `text` is no longer than the queue. */
static void enqueue(struct tty *tty, struct span text)
{
	size_t end;
	size_t straight;

	if (tty->queue_len + text.len > TTY_QUEUE_SIZE)
		drop_oldest(tty, tty->queue_len + text.len - TTY_QUEUE_SIZE);
	end = (tty->queue_start + tty->queue_len) % TTY_QUEUE_SIZE;
	straight = TTY_QUEUE_SIZE - end < text.len ? TTY_QUEUE_SIZE - end : text.len;
	memcpy(tty->queue + end, text.ptr, straight);
	memcpy(tty->queue, text.ptr + straight, text.len - straight);
	tty->queue_len += text.len;
}

/* Writes from the queue what the terminal takes. */
static void write_terminal(struct tty *tty)
{
	while (tty->fd >= 0 && tty->queue_len > 0) {
		size_t straight = TTY_QUEUE_SIZE - tty->queue_start;
		size_t len = tty->queue_len < straight ? tty->queue_len : straight;
		ssize_t n = write(tty->fd, tty->queue + tty->queue_start, len);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			close_terminal(tty);
			return;
		}
		drop_oldest(tty, (size_t)n);
		tty->lossy = false;
		loop_disarm(tty->patience);
	}
}

static void read_terminal(struct tty *tty)
{
	ssize_t n = read(tty->fd, tty->input + tty->input_len, TTY_INPUT_SIZE - tty->input_len);

	if (n > 0)
		tty->input_len += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_terminal(tty); /* a terminal that was unplugged */
}

static void write_guest(struct tty *tty)
{
	struct err ignored = { 0 };
	size_t sent = 0;

	if (tty->guest_fd < 0 || tty->input_len == 0)
		return;
	if (sock_send(tty->guest_fd, span_make(tty->input, tty->input_len), NULL, 0, &sent,
		      &ignored) != SOCK_DONE)
		return; /* later; an end is told by reading */
	memmove(tty->input, tty->input + sent, tty->input_len - sent);
	tty->input_len -= sent;
}

static void read_guest(struct tty *tty)
{
	struct err ignored = { 0 };
	char buf[16 * 1024];
	size_t free_bytes = tty->fd < 0 || tty->lossy ? sizeof(buf) :
							TTY_QUEUE_SIZE - tty->queue_len;
	size_t room = free_bytes < sizeof(buf) ? free_bytes : sizeof(buf);
	size_t len = 0;

	if (room == 0)
		return;
	switch (sock_recv(tty->guest_fd, buf, room, &len, NULL, 0, NULL, &ignored)) {
	case SOCK_DONE:
		if (tty->fd >= 0)
			enqueue(tty, span_make(buf, len));
		break;
	case SOCK_LATER:
		break;
	case SOCK_CLOSED:
	case SOCK_FAILED:
		close_guest(tty);
		break;
	}
}

static void tty_on_ready(void *ctx, uint32_t events)
{
	struct tty *tty = ctx;

	if (events & EPOLLOUT)
		write_terminal(tty);
	if (tty->fd >= 0 && events & (EPOLLHUP | EPOLLERR))
		close_terminal(tty);
	else if (tty->fd >= 0 && events & EPOLLIN && tty->input_len < TTY_INPUT_SIZE)
		read_terminal(tty);
	write_guest(tty);
	update_wants(tty);
}

static void guest_on_ready(void *ctx, uint32_t events)
{
	struct tty *tty = ctx;

	if (events & EPOLLOUT)
		write_guest(tty);
	if (events & (EPOLLHUP | EPOLLERR))
		tty->lossy =
			true; /* QEMU has gone: take its last words, whether there is room or not */
	if (events & ~(uint32_t)EPOLLOUT)
		read_guest(tty);
	write_terminal(tty);
	update_wants(tty);
}

static void patience_on_end(void *ctx)
{
	struct tty *tty = ctx;

	tty->lossy = true;
	update_wants(tty);
}

bool tty_start(struct tty *tty, struct loop *loop, int guest_fd, uint64_t patience_ms,
	       struct err *err)
{
	tty->guest_fd = guest_fd;
	tty->patience_ms = patience_ms;
	tty->lossy = false;
	if (tty->fd >= 0 && !tty->queue)
		tty->queue = xcalloc(TTY_QUEUE_SIZE, 1);
	tty->patience = loop_add_deadline(loop, patience_on_end, tty);
	return loop_add_fd(loop, guest_fd, EPOLLIN, guest_on_ready, tty, &tty->guest_source, err) &&
	       (tty->fd < 0 ||
		loop_add_fd(loop, tty->fd, EPOLLIN, tty_on_ready, tty, &tty->tty_source, err));
}

void tty_stop(struct tty *tty)
{
	if (tty->guest_fd >= 0) {
		tty->lossy = true;
		for (int reads = 0; reads < 64 && tty->guest_fd >= 0; reads++)
			read_guest(tty);
		write_terminal(tty);
	}
	close_guest(tty);
	loop_remove(&tty->tty_source);
	loop_remove(&tty->patience);
}

void tty_done(struct tty *tty)
{
	tty_stop(tty);
	close_terminal(tty);
	free(tty->queue);
	*tty = (struct tty)TTY_INIT;
}
