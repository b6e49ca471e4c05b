/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to a port of a guest. */
#include "agent/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cancel.h"
#include "base/sock.h"
#include "proto/agent.h"
#include "proto/hybrid.h"
#include "storage/bundle.h"

static const enum channel_result results[] = {
	[HYBRID_OK] = CHANNEL_OPEN,         [HYBRID_NOT_READY] = CHANNEL_NOT_READY,
	[HYBRID_REFUSED] = CHANNEL_REFUSED, [HYBRID_TIMEOUT] = CHANNEL_TIMEOUT,
	[HYBRID_BUSY] = CHANNEL_BUSY,       [HYBRID_GONE] = CHANNEL_GONE,
	[HYBRID_INVALID] = CHANNEL_FAILED,
};

uint64_t channel_now_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void channel_describe(enum channel_result result, uint32_t port, char *buf, size_t size)
{
	const char *text = "";

	switch (result) {
	case CHANNEL_OPEN:
	case CHANNEL_FAILED:
		break;
	case CHANNEL_NO_SOCKET:
		text = "it is not there";
		break;
	case CHANNEL_NOT_READY:
		text = "the guest has not started its vsock driver";
		break;
	case CHANNEL_REFUSED:
		(void)snprintf(buf, size, "nothing listens on vsock port %u", port);
		return;
	case CHANNEL_TIMEOUT:
		text = "the guest does not answer";
		break;
	case CHANNEL_BUSY:
		text = "there are too many connections to the guest";
		break;
	case CHANNEL_GONE:
		text = "the VM is being stopped or suspended";
		break;
	}
	(void)snprintf(buf, size, "%s", text);
}

/* False at the deadline, or with *err when the user wants no more of it. */
static bool wait_readable(int fd, uint64_t deadline_ms, struct err *err)
{
	for (;;) {
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };
		uint64_t now_ms = channel_now_ms();
		uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
		int n = poll(&pollfd, 1, left_ms < 60000 ? (int)left_ms : 60000);

		if (!cancel_check(err))
			return false;
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for the guest");
		if (left_ms == 0)
			return false;
	}
}

/* Takes the answer and nothing behind it, which is the guest's: looks first. The line comes at once, so what is no whole
 * line is none. */
static enum channel_result take_answer(int fd, struct err *err)
{
	char bytes[HYBRID_ANSWER_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	enum hybrid_reason reason = HYBRID_INVALID;
	uint32_t host_port;
	size_t used = 0;

	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return CHANNEL_GONE;
	if (n < 0) {
		(void)err_sys(err, errno, "cannot read from the VM's socket");
		return CHANNEL_FAILED;
	}
	if (hybrid_get_answer(span_make(bytes, (size_t)n), &reason, &host_port, &used) !=
		    HYBRID_LINE ||
	    reason == HYBRID_INVALID || recv(fd, bytes, used, MSG_DONTWAIT) != (ssize_t)used)
		(void)err_set(err, ERR_GENERAL, "the VM's socket does not speak its protocol");
	return results[reason];
}

static enum channel_result wait_answer(int fd, uint64_t deadline_ms, struct err *err)
{
	struct err why = { 0 };

	if (wait_readable(fd, deadline_ms, &why))
		return take_answer(fd, err);
	if (why.kind == ERR_NONE)
		return CHANNEL_TIMEOUT;
	*err = why;
	return CHANNEL_FAILED;
}

/* A socket that nobody listens on any more was left by a run that was killed. */
static enum channel_result open_socket(int bundle_fd, const char *name, int *ret_fd,
				       struct err *err)
{
	struct err why = { 0 };

	if (sock_connect_unix(bundle_fd, name, ret_fd, &why))
		return CHANNEL_OPEN;
	if (why.sys == ENOENT || why.sys == ECONNREFUSED)
		return CHANNEL_NO_SOCKET;
	if (!cancel_check(err))
		return CHANNEL_FAILED;
	if (why.sys == EAGAIN || why.sys == EINTR)
		return CHANNEL_BUSY;
	*err = why;
	return CHANNEL_FAILED;
}

static enum channel_result ask(int fd, uint32_t port, uint64_t deadline_ms, struct err *err)
{
	CLEANUP_STR struct str order = { 0 };
	size_t sent = 0;

	hybrid_put_connect(port, &order);
	switch (sock_send(fd, str_span(&order), NULL, 0, &sent, err)) {
	case SOCK_DONE:
		return wait_answer(fd, deadline_ms, err);
	case SOCK_LATER: /* a socket that was just made has room */
	case SOCK_CLOSED:
		return CHANNEL_GONE;
	case SOCK_FAILED:
		break;
	}
	return CHANNEL_FAILED;
}

enum channel_result channel_open(int bundle_fd, uint32_t port, uint64_t deadline_ms, int *ret_fd,
				 struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	enum channel_result result = open_socket(bundle_fd, BUNDLE_VSOCK_SOCKET, &fd, err);

	if (result == CHANNEL_OPEN)
		result = ask(fd, port, deadline_ms, err);
	else if (result == CHANNEL_NO_SOCKET && port == AGENT_PORT)
		result = open_socket(bundle_fd, BUNDLE_SOCKET, &fd, err);
	if (result == CHANNEL_OPEN)
		*ret_fd = TAKE_FD(fd);
	return result;
}
