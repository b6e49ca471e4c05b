/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop of a long-lived process: descriptors, signals, deadlines and the ends of children, one thread.
 *
 * Every source has one callback named <noun>_on_<event>(ctx, …), called from loop_run() and never from inside
 * another call of this file. Callbacks must not block. The clock is read once per turn: what happens in one turn
 * happens at one loop_now_ms().
 *
 * A source may be removed at any time, also by a callback of the same turn, its own included: it is not called
 * again, and its memory is freed when the turn ends. Remove a source before closing its descriptor.
 *
 * Uses libc alone, so that small sandboxed helpers can share it. Meant for tens of sources: deadlines are a list.
 */
#ifndef TART_BASE_LOOP_H
#define TART_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/child.h"
#include "base/err.h"

struct loop;
struct loop_source; /* owned by the loop */

/* `events`: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR as they are true. Level-triggered. */
typedef void loop_fd_fn(void *ctx, uint32_t events);
typedef void loop_signal_fn(void *ctx, int signum);
typedef void loop_deadline_fn(void *ctx);
typedef void loop_child_fn(void *ctx, int status); /* as waitpid's */

bool loop_new(struct loop **ret, struct err *err);

/* Frees the sources too, and gives blocked signals back. Not from a callback. Accepts NULL. */
void loop_free(struct loop *loop);
static inline void loop_cleanup(struct loop **slot)
{
	loop_free(*slot);
}
#define CLEANUP_LOOP CLEANUP(loop_cleanup)

/* Watches a descriptor that stays the caller's. `events` may be 0: hang-up and error are told in any case. */
bool loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *ctx,
		 struct loop_source **ret, struct err *err);

/* Changes what a descriptor's source waits for. */
void loop_want(struct loop_source *source, uint32_t events);

/* Blocks these signals in the process and delivers them here instead, even those that were ignored (`sh -c
 * 'x &'` ignores SIGINT): leave out what is to stay ignored. Pending ones are kept. At most one such source. */
bool loop_add_signals(struct loop *loop, const int *signums, size_t n, loop_signal_fn *fn,
		      void *ctx, struct loop_source **ret, struct err *err);

/* A deadline, disarmed at first. It fires once for each arming. */
struct loop_source *loop_add_deadline(struct loop *loop, loop_deadline_fn *fn, void *ctx);
void loop_arm(struct loop_source *source,
	      uint64_t delay_ms); /* from now on; replaces an earlier arming */
void loop_disarm(struct loop_source *source);
bool loop_is_armed(const struct loop_source *source);

/* Called once when the child has ended and was reaped; *child is empty then. The source is removed by itself.
 * `child` must stay where it is until then or until the source is removed. */
bool loop_add_child(struct loop *loop, struct child *child, loop_child_fn *fn, void *ctx,
		    struct loop_source **ret, struct err *err);

/* Accepts NULL. Through a slot, which is emptied: loop_remove(&vnc->source). */
void loop_remove(struct loop_source **slot);

/* Milliseconds of CLOCK_MONOTONIC as of this turn. */
uint64_t loop_now_ms(const struct loop *loop);

/* Runs until loop_stop(); what is ready in the turn that stops it is still delivered. */
bool loop_run(struct loop *loop, struct err *err);
void loop_stop(struct loop *loop);

#endif
