/* SPDX-License-Identifier: Apache-2.0 */
/* How many threads, and what they have in common. */
#include "registry/pull_threads.h"

#include <sys/resource.h>

#include "base/parallel.h"

/* A thread has a connection and, while that is looked up, a few more; half of the descriptors that we may have are left
 * to others. */
#define THREAD_FDS 4

static bool work(void *ctx, size_t number, size_t worker, struct err *err)
{
	const struct pull_threads *threads = ctx;

	(void)worker;
	return threads->bring(threads->ctx, number, err);
}

static void stop(void *ctx)
{
	const struct pull_threads *threads = ctx;

	http_cancel(threads->job->http);
}

static void tick(void *ctx)
{
	const struct pull_threads *threads = ctx;
	const struct progress_sink *progress = &threads->job->request->progress;

	if (progress->update)
		progress_report(progress, threads->meter->done_bytes, threads->meter->total_bytes);
}

static size_t count_threads(const struct pull_threads *threads, size_t n_items)
{
	uint64_t n = threads->job->request->concurrency;
	struct rlimit limit;

	if (n > n_items)
		n = n_items;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && n > limit.rlim_cur / (2 * THREAD_FDS))
		n = limit.rlim_cur / (2 * THREAD_FDS);
	return n > 0 ? (size_t)n : 1;
}

bool pull_threads_run(const struct pull_threads *threads, size_t n, struct err *err)
{
	struct pull_threads copy = *threads;
	const struct parallel parallel = { .job = work, .tick = tick, .stop = stop, .ctx = &copy };

	tick(&copy);
	return n == 0 || parallel_run(&parallel, count_threads(&copy, n), n, err);
}
