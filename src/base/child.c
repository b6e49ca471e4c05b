/* SPDX-License-Identifier: Apache-2.0 */
/* Starting, watching and reaping child processes. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cancel.h"
#include "base/mem.h"

/* Everything below runs between fork and exec: only async-signal-safe calls, failure = errno through the pipe. */

static bool reset_signals(void)
{
	sigset_t none;

	for (int signum = 1; signum < NSIG; signum++)
		(void)signal(signum, SIG_DFL);
	return sigemptyset(&none) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool take_identity(const struct child_identity *identity)
{
	if (!identity)
		return true;
	return setgroups(identity->n_groups, identity->groups) == 0 &&
	       setresgid(identity->gid, identity->gid, identity->gid) == 0 &&
	       setresuid(identity->uid, identity->uid, identity->uid) == 0;
}

static bool set_std_fds(const int fds[3])
{
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			return false;
	return true;
}

/* Descriptors that our own parent left open to us have no close-on-exec flag yet. */
static bool keep_fds(const struct child_spec *spec)
{
	if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return false;
	for (size_t i = 0; i < spec->n_keep_fds; i++)
		if (fcntl(spec->keep_fds[i], F_SETFD, 0) < 0)
			return false;
	return true;
}

static bool die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return false;
	if (getppid() == parent)
		return true;
	errno = ESRCH; /* the parent died before the line above */
	return false;
}

_Noreturn static void become(const struct child_spec *spec, const int std[3], pid_t parent,
			     int report_fd)
{
	union {
		const char *const *in;
		char *const *out;
	} argv = { .in = spec->argv }, envp = { .in = spec->envp };
	int why;

	if (reset_signals() && (!spec->own_group || setpgid(0, 0) == 0) &&
	    (spec->cwd_fd < 0 || fchdir(spec->cwd_fd) == 0) && set_std_fds(std) && keep_fds(spec) &&
	    take_identity(spec->identity) &&
	    (spec->may_gain_privs || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) &&
	    die_with(parent)) {
		if (spec->envp)
			(void)execvpe(spec->argv[0], argv.out, envp.out);
		else
			(void)execvp(spec->argv[0], argv.out);
	}
	why = errno;
	(void)!write(report_fd, &why, sizeof(why));
	_exit(127);
}

/* Descriptors 0 to 2 are about to be replaced: what we need must live above them. */
static int above_std(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	(void)close(fd);
	return moved;
}

static bool open_std(const struct child_spec *spec, int std[3], struct err *err)
{
	const int given[3] = { spec->stdin_fd, spec->stdout_fd, spec->stderr_fd };

	for (int i = 0; i < 3; i++) {
		std[i] = given[i] >= 0 ? fcntl(given[i], F_DUPFD_CLOEXEC, 3) :
					 above_std(open("/dev/null", O_RDWR | O_CLOEXEC));
		if (std[i] < 0)
			return err_sys(err, errno, "cannot open /dev/null");
	}
	return true;
}

static bool read_report(int fd, int *ret_errno)
{
	ssize_t n;

	do
		n = read(fd, ret_errno, sizeof(*ret_errno));
	while (n < 0 && errno == EINTR);
	return n != (ssize_t)sizeof(*ret_errno); /* EOF: exec closed it */
}

static void reap(pid_t pid)
{
	int ignored;

	while (waitpid(pid, &ignored, 0) < 0 && errno == EINTR)
		;
}

bool child_start(const struct child_spec *spec, struct child *ret, struct err *err)
{
	CLEANUP_CLOSE int std_in = -1;
	CLEANUP_CLOSE int std_out = -1;
	CLEANUP_CLOSE int std_err = -1;
	CLEANUP_CLOSE int report_read = -1;
	CLEANUP_CLOSE int report_write = -1;
	int std[3] = { -1, -1, -1 };
	int report[2];
	int why = 0;
	bool opened = open_std(spec, std, err);
	pid_t parent = getpid();
	pid_t pid;

	std_in = std[0];
	std_out = std[1];
	std_err = std[2];
	if (!opened)
		return false;
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot create a pipe");
	report_read = report[0];
	report_write = above_std(report[1]);
	pid = fork();
	if (pid < 0)
		return err_sys(err, errno, "cannot start '%s'", spec->argv[0]);
	if (pid == 0)
		become(spec, std, parent, report_write);
	(void)close(TAKE_FD(report_write));
	if (!read_report(report_read, &why)) {
		reap(pid);
		return err_sys(err, why, "cannot start '%s'", spec->argv[0]);
	}
	ret->pid = pid;
	ret->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ret->pidfd < 0) {
		why = errno;
		child_kill(ret);
		return err_sys(err, why, "cannot watch '%s'", spec->argv[0]);
	}
	(void)fcntl(ret->pidfd, F_SETFD, FD_CLOEXEC);
	return true;
}

bool child_wait(struct child *child, int *ret_status, struct err *err)
{
	while (waitpid(child->pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "cannot wait for process %d", (int)child->pid);
	if (child->pidfd >= 0)
		(void)close(child->pidfd);
	*child = (struct child)CHILD_INIT;
	return true;
}

void child_kill(struct child *child)
{
	if (child->pid > 0) {
		(void)kill(child->pid, SIGKILL);
		reap(child->pid);
	}
	if (child->pidfd >= 0)
		(void)close(child->pidfd);
	*child = (struct child)CHILD_INIT;
}

void child_describe_status(int status, struct str *out)
{
	if (WIFSIGNALED(status))
		str_addf(out, "was killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		str_addf(out, "exited with code %d", WEXITSTATUS(status));
}

/* The newest bytes of a stream, for quoting. */
struct tail {
	char text[512];
	size_t len;
};

static void tail_add(struct tail *tail, const char *data, size_t len)
{
	size_t room = sizeof(tail->text);

	if (len > room) {
		data += len - room;
		len = room;
	}
	if (tail->len + len > room) {
		size_t drop = tail->len + len - room;

		memmove(tail->text, tail->text + drop, tail->len - drop);
		tail->len -= drop;
	}
	memcpy(tail->text + tail->len, data, len);
	tail->len += len;
}

static struct span tail_last_line(const struct tail *tail)
{
	struct span text = span_make(tail->text, tail->len);
	size_t start;

	while (text.len > 0 && text.ptr[text.len - 1] == '\n')
		text.len--;
	start = span_rfind(text, '\n');
	return start < text.len ? span_from(text, start + 1) : text;
}

/* One read from a pipe; false at its end. */
static bool drain(int fd, struct str *out, struct tail *tail)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR;
	if (out)
		str_add_span(out, span_make(buf, (size_t)n));
	if (tail)
		tail_add(tail, buf, (size_t)n);
	return n > 0;
}

static bool collect(int out_fd, int err_fd, struct str *out, struct tail *tail, struct err *err)
{
	struct pollfd fds[2] = { { .fd = out_fd, .events = POLLIN },
				 { .fd = err_fd, .events = POLLIN } };

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (!cancel_check(err))
			return false;
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, errno, "cannot poll");
		}
		if (fds[0].fd >= 0 && fds[0].revents && !drain(out_fd, out, NULL))
			fds[0].fd = -1;
		if (fds[1].fd >= 0 && fds[1].revents && !drain(err_fd, NULL, tail))
			fds[1].fd = -1;
		if (out && out->overflow)
			return err_set(err, ERR_GENERAL, "printed more than expected");
	}
	return true;
}

static bool check_status(const char *name, int status, const struct tail *tail, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	child_describe_status(status, &text);
	if (tail->len > 0) {
		str_add(&text, ": ");
		str_add_escaped(&text, tail_last_line(tail));
	}
	return err_set(err, ERR_GENERAL, "%s %s", name, str_text(&text));
}

bool child_run_spec(const struct child_spec *base, size_t max_out, struct str *out, struct err *err)
{
	struct child_spec spec = *base;
	CLEANUP(child_kill) struct child child = CHILD_INIT;
	CLEANUP_STR struct str text = STR_CAPPED(max_out);
	struct tail tail = { .len = 0 };
	int out_pipe[2];
	int err_pipe[2];
	int status = 0;
	bool ok;

	if (pipe2(out_pipe, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot create a pipe");
	if (pipe2(err_pipe, O_CLOEXEC) < 0) {
		(void)close(out_pipe[0]);
		(void)close(out_pipe[1]);
		return err_sys(err, errno, "cannot create a pipe");
	}
	spec.stdin_fd = -1;
	spec.stdout_fd = out_pipe[1];
	spec.stderr_fd = err_pipe[1];
	ok = child_start(&spec, &child, err);
	(void)close(out_pipe[1]);
	(void)close(err_pipe[1]);
	ok = ok && (collect(out_pipe[0], err_pipe[0], out ? &text : NULL, &tail, err) ||
		    err_context(err, "%s", spec.argv[0]));
	(void)close(out_pipe[0]);
	(void)close(err_pipe[0]);
	if (!ok || !child_wait(&child, &status, err) ||
	    !check_status(spec.argv[0], status, &tail, err))
		return false;
	if (out)
		str_add_span(out, str_span(&text));
	return true;
}

bool child_run(const char *const *argv, size_t max_out, struct str *out, struct err *err)
{
	struct child_spec spec = CHILD_SPEC_INIT;

	spec.argv = argv;
	return child_run_spec(&spec, max_out, out, err);
}
