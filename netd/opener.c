/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opener, both sides of it. They talk over a SOCK_SEQPACKET pair: a struct device, answered by a struct answer and, if that
 * says so, the descriptor; as they lie in memory, because one process is a fork of the other.
 *
 * The process trusts no request: the keeper hears callers, and may not be the keeper any more. What can be had from it then is
 * worth something only with the keeper's own capability, but for the macvtaps of VMs. It ends with its socket.
 */
#include "netd/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/mem.h"
#include "base/sock.h"
#include "netd/forked.h"
#include "netd/isolate.h"

/* One that somebody has stopped must not stop us; the first opening of a device may load a module. */
#define ANSWER_MS 5000
#define END_MS    5000

struct answer {
	uint32_t done; /* with the descriptor */
	int32_t sys;
	char why[1024]; /* as long as an error's text */
};

struct opener {
	int fd; /* -1: it has ended */
	struct child process;
	struct loop_source *end;
	opener_ended_fn *ended;
	void *ctx;
};

/* The process. */

static bool answer(int keeper_fd, const struct device *device)
{
	struct answer say = { 0 };
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };
	size_t sent;

	say.done = device_open(device, &fd, &err);
	if (!say.done) {
		say.sys = err.sys;
		(void)snprintf(say.why, sizeof(say.why), "%s", err.text);
	}
	return sock_send(keeper_fd, span_make((const char *)&say, sizeof(say)), &fd,
			 fd >= 0 ? 1 : 0, &sent, &err) == SOCK_DONE;
}

static bool serve(int keeper_fd, struct err *err)
{
	for (;;) {
		struct device device;
		size_t len = 0;
		enum sock_result result = sock_recv(keeper_fd, &device, sizeof(device), &len, NULL,
						    0, NULL, err);

		if (result == SOCK_CLOSED)
			return true;
		if (result != SOCK_DONE || len != sizeof(device) || !answer(keeper_fd, &device))
			return err_set(err, ERR_GENERAL, "the keeper talks nonsense");
	}
}

static bool prepare(int keeper_fd, struct err *err)
{
	static const struct isolate_path keep[] = { { "/dev", true },
						    { "/sys", false },
						    { NULL, false } };
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE };

	forked_default_signals();
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		(void)signal(ignored[i], SIG_IGN); /* its end is that of the socket */
	forked_keep_only(keeper_fd);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_NAME, "tart-netd-open");
	return forked_forget_terminal(err) && isolate_identity(ISOLATE_OPENER, err) &&
	       isolate_calls(ISOLATE_OPENER, keep, err);
}

_Noreturn static void opener_main(int keeper_fd)
{
	struct err err = { 0 };

	if (prepare(keeper_fd, &err) && serve(keeper_fd, &err))
		_exit(0);
	fprintf(stderr, "tart-netd: opener: %s\n", err.text);
	_exit(1);
}

/* The keeper's side. */

static bool fork_opener(int theirs, struct child *ret, struct err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(err, errno, "cannot start a process");
	if (pid == 0)
		opener_main(theirs);
	*ret = (struct child){ .pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0) };
	if (ret->pidfd >= 0)
		return true;
	(void)err_sys(err, errno, "cannot watch a process");
	child_kill(ret);
	return false;
}

bool opener_fork(struct opener **ret, struct err *err)
{
	CLEANUP_CLOSE int ours = -1;
	CLEANUP_CLOSE int theirs = -1;
	CLEANUP_FREE struct opener *opener = xcalloc(1, sizeof(*opener));
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, errno, "cannot create a socket pair");
	ours = fds[0];
	theirs = fds[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot use a socket pair");
	if (!fork_opener(theirs, &opener->process, err))
		return false;
	opener->fd = TAKE_FD(ours);
	*ret = TAKE_PTR(opener);
	return true;
}

static void opener_on_end(void *ctx, int status)
{
	struct opener *opener = ctx;
	CLEANUP_STR struct str why = { 0 };

	opener->end = NULL;
	cleanup_close(&opener->fd);
	opener->fd = -1;
	child_describe_status(status, &why);
	opener->ended(opener->ctx, str_text(&why));
}

bool opener_watch(struct opener *opener, struct loop *loop, opener_ended_fn *fn, void *ctx,
		  struct err *err)
{
	if (!opener)
		return true;
	opener->ended = fn;
	opener->ctx = ctx;
	return loop_add_child(loop, &opener->process, opener_on_end, opener, &opener->end, err);
}

static bool ask(const struct opener *opener, const struct device *device, struct answer *ret,
		int *ret_fd)
{
	struct pollfd ready = { .fd = opener->fd, .events = POLLIN };
	struct err ignored = { 0 };
	size_t n_fds = 0;
	size_t len = 0;

	return sock_send(opener->fd, span_make((const char *)device, sizeof(*device)), NULL, 0,
			 &len, &ignored) == SOCK_DONE &&
	       poll(&ready, 1, ANSWER_MS) == 1 &&
	       sock_recv(opener->fd, ret, sizeof(*ret), &len, ret_fd, 1, &n_fds, &ignored) ==
		       SOCK_DONE &&
	       len == sizeof(*ret) && n_fds == (ret->done ? 1u : 0u);
}

bool opener_open(struct opener *opener, const struct device *device, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct answer answer = { 0 };

	if (!opener || opener->fd < 0)
		return device_open(device, ret_fd, err);
	if (!ask(opener, device, &answer, &fd)) {
		/* A later answer would be that to another question. */
		cleanup_close(&opener->fd);
		opener->fd = -1;
		return device_open(device, ret_fd, err);
	}
	if (answer.done) {
		*ret_fd = TAKE_FD(fd);
		return true;
	}
	answer.why[sizeof(answer.why) - 1] = '\0';
	(void)err_set(err, ERR_GENERAL, "%s", answer.why);
	err->sys = answer.sys;
	return false;
}

void opener_free(struct opener *opener)
{
	struct pollfd end;

	if (!opener)
		return;
	loop_remove(&opener->end);
	cleanup_close(&opener->fd);
	if (opener->process.pid > 0) {
		end = (struct pollfd){ .fd = opener->process.pidfd, .events = POLLIN };
		(void)poll(&end, 1, END_MS);
		(void)waitpid(opener->process.pid, NULL, WNOHANG);
		(void)close(opener->process.pidfd);
	}
	free(opener);
}
