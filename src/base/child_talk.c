/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes to and from a child, under a deadline. */
#include "base/child_talk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/cancel.h"
#include "base/child.h"
#include "base/secret.h"

#define COMPLAINT_MAX 4096 /* of stderr; what comes before the last line of more is not looked at */
/* Cancellation interrupts a poll in one thread only: others look at it this often. */
#define SLICE_MS 100

enum { IN, OUT, ERR, END, N_FDS };

struct session {
	const struct child_talk *talk;
	struct child child;
	int fds[N_FDS]; /* our ends of its three pipes, and its pidfd; -1 = closed */
	struct span input;
	struct str out;
	struct str complaint;
	uint64_t deadline_ms;
	bool ended;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(TAKE_FD(*fd));
}

static void session_done(struct session *s)
{
	if (s->child.pid > 0)
		(void)kill(-s->child.pid, SIGKILL);
	child_kill(&s->child);
	for (int i = IN; i <= ERR; i++)
		close_fd(&s->fds[i]);
	secret_str_done(&s->out);
	str_done(&s->complaint);
}

static bool make_pipe(int *ours, int *theirs, bool we_write, struct err *err)
{
	int both[2];

	/* Both ends would not block if pipe2() said so; the program expects that its own do. */
	if (pipe2(both, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot create a pipe");
	*ours = both[we_write];
	*theirs = both[!we_write];
	(void)fcntl(*ours, F_SETFL, O_NONBLOCK);
	return true;
}

static bool start(struct session *s, struct err *err)
{
	struct child_spec spec = CHILD_SPEC_INIT;
	CLEANUP_CLOSE int in = -1;
	CLEANUP_CLOSE int out = -1;
	CLEANUP_CLOSE int complaints = -1;

	if (!make_pipe(&s->fds[IN], &in, true, err) || !make_pipe(&s->fds[OUT], &out, false, err) ||
	    !make_pipe(&s->fds[ERR], &complaints, false, err))
		return false;
	spec.argv = s->talk->argv;
	spec.stdin_fd = in;
	spec.stdout_fd = out;
	spec.stderr_fd = complaints;
	spec.own_group = true;
	return child_start(&spec, &s->child, err);
}

/* What the program does not want to know, it need not read. */
static void tell(struct session *s)
{
	ssize_t n = write(s->fds[IN], s->input.ptr, s->input.len);

	if (n >= 0)
		s->input = span_from(s->input, (size_t)n);
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || s->input.len == 0)
		close_fd(&s->fds[IN]);
}

/* What is there now, at most as much as a pipe holds: one that is never empty must not keep us past the deadline. */
static void listen_to(int *fd, struct str *out)
{
	char buf[4096];
	ssize_t n = 0;

	for (int i = 0; i < 16 && !out->overflow; i++) {
		n = read(*fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		if (out->cap == COMPLAINT_MAX && out->len + (size_t)n > COMPLAINT_MAX)
			str_clear(out);
		secret_reserve(out, (size_t)n);
		str_add_span(out, span_make(buf, (size_t)n));
	}
	explicit_bzero(buf, sizeof(buf));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(fd);
}

static void serve(struct session *s, const struct pollfd polled[N_FDS])
{
	if (s->fds[IN] >= 0 && polled[IN].revents)
		tell(s);
	if (s->fds[OUT] >= 0 && (polled[OUT].revents || polled[END].revents))
		listen_to(&s->fds[OUT], &s->out);
	if (s->fds[ERR] >= 0 && (polled[ERR].revents || polled[END].revents))
		listen_to(&s->fds[ERR], &s->complaint);
	s->ended = polled[END].revents != 0;
}

static enum child_talk_result turn(struct session *s, struct err *err)
{
	struct pollfd polled[N_FDS] = {
		[IN] = { .fd = s->fds[IN], .events = POLLOUT },
		[OUT] = { .fd = s->fds[OUT], .events = POLLIN },
		[ERR] = { .fd = s->fds[ERR], .events = POLLIN },
		[END] = { .fd = s->child.pidfd, .events = POLLIN },
	};
	uint64_t now = now_ms();
	uint64_t left = now < s->deadline_ms ? s->deadline_ms - now : 0;

	if (!cancel_check(err))
		return CHILD_TALK_FAILED;
	if (left == 0) {
		(void)err_set(err, ERR_GENERAL, "did not answer within %llu seconds",
			      (unsigned long long)s->talk->timeout_ms / 1000);
		return CHILD_TALK_SILENT;
	}
	if (poll(polled, N_FDS, (int)(left < SLICE_MS ? left : SLICE_MS)) < 0) {
		if (errno == EINTR)
			return CHILD_TALK_DONE;
		(void)err_sys(err, errno, "cannot poll");
		return CHILD_TALK_FAILED;
	}
	serve(s, polled);
	if (s->out.overflow) {
		(void)err_set(err, ERR_GENERAL, "printed more than expected");
		return CHILD_TALK_FAILED;
	}
	return CHILD_TALK_DONE;
}

static enum child_talk_result converse(struct session *s, struct err *err)
{
	enum child_talk_result result = CHILD_TALK_DONE;

	if (!start(s, err))
		return err->sys == ENOENT ? CHILD_TALK_MISSING : CHILD_TALK_FAILED;
	s->deadline_ms = now_ms() + s->talk->timeout_ms;
	tell(s);
	while (result == CHILD_TALK_DONE && !s->ended)
		result = turn(s, err);
	if (result != CHILD_TALK_DONE)
		(void)err_context(err, "%s", s->talk->argv[0]);
	return result;
}

static void add_last_line(struct span text, struct str *out)
{
	size_t start;

	while (text.len > 0 && text.ptr[text.len - 1] == '\n')
		text.len--;
	start = span_rfind(text, '\n');
	str_add_escaped(out, start < text.len ? span_from(text, start + 1) : text);
}

enum child_talk_result child_talk(const struct child_talk *talk, struct child_answer *ret,
				  struct err *err)
{
	CLEANUP(session_done)
	struct session session = {
		.talk = talk,
		.child = CHILD_INIT,
		.fds = { -1, -1, -1, -1 },
		.input = talk->input,
		.out = STR_CAPPED(talk->max_out),
		.complaint = STR_CAPPED(COMPLAINT_MAX),
	};
	enum child_talk_result result = converse(&session, err);

	if (result == CHILD_TALK_DONE && !child_wait(&session.child, &ret->status, err))
		return CHILD_TALK_FAILED;
	if (result == CHILD_TALK_DONE) {
		ret->out = session.out;
		session.out = (struct str){ 0 };
		add_last_line(str_span(&session.complaint), &ret->complaint);
	}
	return result;
}

void child_answer_done(struct child_answer *answer)
{
	secret_str_done(&answer->out);
	str_done(&answer->complaint);
}
