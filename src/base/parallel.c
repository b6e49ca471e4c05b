/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, and the one who waits for them. */
#include "base/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "base/cancel.h"
#include "base/mem.h"

#define TICK_NS 200000000L

struct crew {
	const struct parallel *parallel;
	size_t n_jobs;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	size_t next_job;
	size_t n_working; /* threads that have not ended */
	bool failed;
	struct err err; /* of the first that failed */
};

struct worker {
	struct crew *crew;
	size_t number;
	pthread_t thread;
};

/* The next job, while there is one and nothing has failed. */
static bool take_job(struct crew *crew, size_t *ret_job)
{
	bool any;

	(void)pthread_mutex_lock(&crew->lock);
	any = !crew->failed && crew->next_job < crew->n_jobs;
	if (any)
		*ret_job = crew->next_job++;
	(void)pthread_mutex_unlock(&crew->lock);
	return any;
}

/* The lock is held. What fails afterwards fails because it was asked to end. */
static void note_failure(struct crew *crew, const struct err *err)
{
	if (crew->failed)
		return;
	crew->failed = true;
	crew->err = *err;
	(void)pthread_cond_signal(&crew->changed);
}

static void *work(void *ctx)
{
	const struct worker *worker = ctx;
	struct crew *crew = worker->crew;
	const struct parallel *parallel = crew->parallel;
	size_t job;

	while (take_job(crew, &job)) {
		struct err err = { 0 };

		if (parallel->job(parallel->ctx, job, worker->number, &err))
			continue;
		(void)pthread_mutex_lock(&crew->lock);
		note_failure(crew, &err);
		(void)pthread_mutex_unlock(&crew->lock);
	}
	(void)pthread_mutex_lock(&crew->lock);
	crew->n_working--;
	(void)pthread_cond_signal(&crew->changed);
	(void)pthread_mutex_unlock(&crew->lock);
	return NULL;
}

/* Signals are for the caller's thread, where they interrupt and are looked for; those of a thread's own mistakes stay. */
static void block_signals(sigset_t *ret_old)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT };
	sigset_t most;

	(void)sigfillset(&most);
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		(void)sigdelset(&most, own[i]);
	(void)pthread_sigmask(SIG_SETMASK, &most, ret_old);
}

/* Fewer threads than wanted do the same work; *ret_n = 0 is a failure. A thread inherits the mask of its maker. */
static bool start(struct crew *crew, struct worker *workers, size_t n, size_t *ret_n,
		  struct err *err)
{
	sigset_t old;
	int error = 0;
	size_t i;

	block_signals(&old);
	(void)pthread_mutex_lock(&crew->lock);
	for (i = 0; i < n; i++) {
		workers[i] = (struct worker){ .crew = crew, .number = i };
		error = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
		if (error != 0)
			break;
		crew->n_working++;
	}
	(void)pthread_mutex_unlock(&crew->lock);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	*ret_n = i;
	return i > 0 || err_sys(err, error, "cannot start a thread");
}

static struct timespec next_tick(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += TICK_NS;
	if (at.tv_nsec >= 1000000000L) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000L;
	}
	return at;
}

/* The lock is held, and let go meanwhile. */
static void call_unlocked(struct crew *crew, void (*fn)(void *ctx))
{
	if (!fn)
		return;
	(void)pthread_mutex_unlock(&crew->lock);
	fn(crew->parallel->ctx);
	(void)pthread_mutex_lock(&crew->lock);
}

/* Until all threads have ended. */
static void watch(struct crew *crew)
{
	const struct parallel *parallel = crew->parallel;
	struct timespec tick_at = next_tick();
	bool told = false;

	(void)pthread_mutex_lock(&crew->lock);
	while (crew->n_working > 0 || (crew->failed && !told)) {
		struct err err = { 0 };

		if (crew->failed && !told) {
			told = true;
			call_unlocked(crew, parallel->stop);
			continue;
		}
		if (!told && !cancel_check(&err)) {
			note_failure(crew, &err);
			continue;
		}
		if (pthread_cond_timedwait(&crew->changed, &crew->lock, &tick_at) == 0)
			continue;
		call_unlocked(crew, parallel->tick);
		tick_at = next_tick();
	}
	call_unlocked(crew, parallel->tick);
	(void)pthread_mutex_unlock(&crew->lock);
}

static void crew_init(struct crew *crew)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&crew->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&crew->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
}

static size_t crew_size(size_t n_threads, size_t n_jobs)
{
	if (n_threads < 1)
		n_threads = 1;
	return n_threads < n_jobs ? n_threads : n_jobs;
}

bool parallel_run(const struct parallel *parallel, size_t n_threads, size_t n_jobs, struct err *err)
{
	struct crew crew = { .parallel = parallel, .n_jobs = n_jobs };
	size_t n = crew_size(n_threads, n_jobs);
	CLEANUP_FREE struct worker *workers = xcalloc(n, sizeof(*workers));
	size_t n_started = 0;
	bool ok;

	crew_init(&crew);
	ok = n == 0 || start(&crew, workers, n, &n_started, err);
	if (ok)
		watch(&crew);
	for (size_t i = 0; i < n_started; i++)
		(void)pthread_join(workers[i].thread, NULL);
	if (ok && crew.failed) {
		*err = crew.err;
		ok = false;
	}
	(void)pthread_cond_destroy(&crew.changed);
	(void)pthread_mutex_destroy(&crew.lock);
	return ok;
}
