/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same job many times, by some threads at once.
 *
 * Jobs are begun in the order of their numbers. The first that fails ends it: no other is begun, those at work are asked
 * to end (stop), and its error is the result. The caller's thread does no jobs; it calls `tick` a few times a second and
 * watches for cancellation, which counts as a failure. Signals go to it: the threads of jobs have them blocked, so
 * nothing interrupts what blocks there but `stop`.
 */
#ifndef TART_BASE_PARALLEL_H
#define TART_BASE_PARALLEL_H

#include <stddef.h>

#include "base/err.h"

struct parallel {
	/* In a thread of its own; `worker` is below the number of threads: what is kept for each thread is found by it. */
	bool (*job)(void *ctx, size_t job, size_t worker, struct err *err);
	void (*tick)(void *ctx); /* in the caller's thread, at the end too; may be NULL */
	/* In the caller's thread, once: makes jobs end that are blocked, or will be; may be NULL. */
	void (*stop)(void *ctx);
	void *ctx;
};

/* At most `n_threads` (at least 1), never more than jobs, fewer where the system gives no more. All threads have ended
 * when it returns. */
bool parallel_run(const struct parallel *parallel, size_t n_threads, size_t n_jobs,
		  struct err *err);

#endif
