/* SPDX-License-Identifier: Apache-2.0 */
/* The epoll loop: dispatch, deadlines, signals, deferred freeing. */
#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define EVENTS_PER_TURN 16

enum source_kind { SOURCE_FD, SOURCE_SIGNALS, SOURCE_DEADLINE, SOURCE_CHILD };

struct loop_source {
	struct loop *loop;
	struct loop_source *next;
	enum source_kind kind;
	bool removed; /* stays in the list until the turn ends: epoll may have reported it already */
	int fd;       /* watched; ours only for SOURCE_SIGNALS */
	void *ctx;
	union {
		loop_fd_fn *on_fd;
		loop_signal_fn *on_signal;
		loop_deadline_fn *on_deadline;
		loop_child_fn *on_child;
	};
	struct child *child; /* SOURCE_CHILD */
	bool armed;          /* SOURCE_DEADLINE */
	uint64_t due_ms;
	sigset_t mask_before; /* SOURCE_SIGNALS */
};

struct loop {
	int epoll_fd;
	struct loop_source *sources;
	bool has_removed;
	bool stopped;
	uint64_t now_ms;
};

static uint64_t clock_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

bool loop_new(struct loop **ret, struct err *err)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	struct loop *loop;

	if (fd < 0)
		return err_sys(err, errno, "cannot create an event loop");
	loop = xcalloc(1, sizeof(*loop));
	loop->epoll_fd = fd;
	loop->now_ms = clock_ms();
	*ret = loop;
	return true;
}

static struct loop_source *source_new(struct loop *loop, enum source_kind kind, void *ctx)
{
	struct loop_source *source = xcalloc(1, sizeof(*source));

	source->loop = loop;
	source->kind = kind;
	source->fd = -1;
	source->ctx = ctx;
	return source;
}

static void link_source(struct loop_source *source)
{
	source->next = source->loop->sources;
	source->loop->sources = source;
}

static bool watch(struct loop_source *source, int fd, uint32_t events, struct err *err)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_sys(err, errno, "cannot watch a descriptor");
	source->fd = fd;
	link_source(source);
	return true;
}

bool loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *ctx,
		 struct loop_source **ret, struct err *err)
{
	CLEANUP_FREE struct loop_source *source = source_new(loop, SOURCE_FD, ctx);

	source->on_fd = fn;
	if (!watch(source, fd, events, err))
		return false;
	*ret = TAKE_PTR(source);
	return true;
}

void loop_want(struct loop_source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	/* Cannot fail for a descriptor that is watched. */
	(void)epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
}

bool loop_add_signals(struct loop *loop, const int *signums, size_t n, loop_signal_fn *fn,
		      void *ctx, struct loop_source **ret, struct err *err)
{
	CLEANUP_FREE struct loop_source *source = source_new(loop, SOURCE_SIGNALS, ctx);
	CLEANUP_CLOSE int fd = -1;
	sigset_t mask;

	source->on_signal = fn;
	(void)sigemptyset(&mask);
	for (size_t i = 0; i < n; i++)
		(void)sigaddset(&mask, signums[i]);
	fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(err, errno, "cannot watch signals");
	if (!watch(source, fd, EPOLLIN, err))
		return false;
	(void)TAKE_FD(fd);
	(void)sigprocmask(SIG_BLOCK, &mask, &source->mask_before);
	*ret = TAKE_PTR(source);
	return true;
}

struct loop_source *loop_add_deadline(struct loop *loop, loop_deadline_fn *fn, void *ctx)
{
	struct loop_source *source = source_new(loop, SOURCE_DEADLINE, ctx);

	source->on_deadline = fn;
	link_source(source);
	return source;
}

void loop_arm(struct loop_source *source, uint64_t delay_ms)
{
	source->armed = true;
	source->due_ms = source->loop->now_ms + delay_ms;
}

void loop_disarm(struct loop_source *source)
{
	source->armed = false;
}

bool loop_is_armed(const struct loop_source *source)
{
	return source->armed;
}

bool loop_add_child(struct loop *loop, struct child *child, loop_child_fn *fn, void *ctx,
		    struct loop_source **ret, struct err *err)
{
	CLEANUP_FREE struct loop_source *source = source_new(loop, SOURCE_CHILD, ctx);

	source->on_child = fn;
	source->child = child;
	if (!watch(source, child->pidfd, EPOLLIN, err))
		return false;
	*ret = TAKE_PTR(source);
	return true;
}

void loop_remove(struct loop_source **slot)
{
	struct loop_source *source = *slot;

	*slot = NULL;
	if (!source || source->removed)
		return;
	source->removed = true;
	source->armed = false;
	source->loop->has_removed = true;
	if (source->fd >= 0)
		(void)epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->kind == SOURCE_SIGNALS) {
		(void)close(source->fd);
		(void)sigprocmask(SIG_SETMASK, &source->mask_before, NULL);
	}
}

static void free_removed(struct loop *loop)
{
	struct loop_source **link = &loop->sources;

	loop->has_removed = false;
	while (*link) {
		struct loop_source *source = *link;

		if (source->removed) {
			*link = source->next;
			free(source);
		} else {
			link = &source->next;
		}
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	for (struct loop_source *source = loop->sources; source; source = source->next) {
		struct loop_source *slot = source;

		loop_remove(&slot);
	}
	free_removed(loop);
	(void)close(loop->epoll_fd);
	free(loop);
}

uint64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

static int wait_ms(const struct loop *loop)
{
	uint64_t wait = UINT64_MAX;

	for (const struct loop_source *source = loop->sources; source; source = source->next) {
		uint64_t left;

		if (!source->armed)
			continue;
		left = source->due_ms > loop->now_ms ? source->due_ms - loop->now_ms : 0;
		wait = left < wait ? left : wait;
	}
	if (wait == UINT64_MAX)
		return -1;
	return wait < INT_MAX ? (int)wait : INT_MAX;
}

static void dispatch_signals(struct loop_source *source)
{
	struct signalfd_siginfo info;

	while (!source->removed && read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		source->on_signal(source->ctx, (int)info.ssi_signo);
}

static void dispatch_child(struct loop_source *source)
{
	struct child *child = source->child;
	loop_child_fn *fn = source->on_child;
	void *ctx = source->ctx;
	struct err ignored = { 0 };
	int status = 0;

	/* Out of the epoll set before child_wait() closes the pidfd. It has ended, so this does not wait. */
	loop_remove(&source);
	if (!child_wait(child, &status, &ignored))
		child_kill(child);
	fn(ctx, status);
}

static void dispatch(struct loop_source *source, uint32_t events)
{
	switch (source->kind) {
	case SOURCE_FD:
		source->on_fd(source->ctx, events);
		break;
	case SOURCE_SIGNALS:
		dispatch_signals(source);
		break;
	case SOURCE_CHILD:
		dispatch_child(source);
		break;
	case SOURCE_DEADLINE:
		break; /* has no descriptor */
	}
}

/* Sources added meanwhile enter the list in front of where this walks. */
static void fire_deadlines(struct loop *loop)
{
	for (struct loop_source *source = loop->sources; source; source = source->next) {
		if (!source->armed || source->due_ms > loop->now_ms)
			continue;
		source->armed = false;
		source->on_deadline(source->ctx);
	}
}

static bool turn(struct loop *loop, struct err *err)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, wait_ms(loop));

	if (n < 0 && errno != EINTR)
		return err_sys(err, errno, "cannot wait for events");
	loop->now_ms = clock_ms();
	for (int i = 0; i < n; i++) {
		struct loop_source *source = events[i].data.ptr;

		if (!source->removed)
			dispatch(source, events[i].events);
	}
	fire_deadlines(loop);
	if (loop->has_removed)
		free_removed(loop);
	return true;
}

bool loop_run(struct loop *loop, struct err *err)
{
	loop->stopped = false;
	loop->now_ms = clock_ms();
	while (!loop->stopped)
		if (!turn(loop, err))
			return false;
	return true;
}
