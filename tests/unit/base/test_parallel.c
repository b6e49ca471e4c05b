/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/parallel.h. Nothing here waits for time to pass: what has to happen at once waits for the other. */
#include "base/parallel.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cancel.h"
#include "unit.h"

#define JOBS_MAX 1000

struct fixture {
	struct parallel parallel;
	size_t n_threads;
	size_t n_jobs;
	atomic_size_t begun; /* how many so far */
	atomic_size_t done;
	atomic_uint times[JOBS_MAX]; /* how often each has run */
	atomic_size_t worker_max;
	atomic_bool out_of_order;
	size_t failing; /* this job fails */
	size_t ticks, done_at_tick;
	size_t stops;
	pthread_t caller;
	pthread_barrier_t barrier;
	sem_t sem;
};

static void count_tick(void *ctx)
{
	struct fixture *f = ctx;

	assert_true(pthread_equal(pthread_self(), f->caller));
	f->ticks++;
	f->done_at_tick = f->done;
	(void)sem_post(&f->sem);
}

static void count_stop(void *ctx)
{
	struct fixture *f = ctx;

	f->stops++;
	for (size_t i = 0; i < f->n_jobs; i++)
		(void)sem_post(&f->sem);
}

static bool note(void *ctx, size_t job, size_t worker, struct err *err)
{
	struct fixture *f = ctx;
	size_t max = f->worker_max;

	f->begun++;
	f->times[job]++;
	while (worker > max && !atomic_compare_exchange_weak(&f->worker_max, &max, worker)) {
	}
	if (job == f->failing)
		return err_set(err, ERR_GENERAL, "job %zu", job);
	f->done++;
	return true;
}

static void setup(struct fixture *f, bool (*job)(void *, size_t, size_t, struct err *),
		  size_t n_threads, size_t n_jobs)
{
	memset(f, 0, sizeof(*f));
	f->parallel =
		(struct parallel){ .job = job, .tick = count_tick, .stop = count_stop, .ctx = f };
	f->n_threads = n_threads;
	f->n_jobs = n_jobs;
	f->failing = SIZE_MAX;
	f->caller = pthread_self();
	assert_int_equal(sem_init(&f->sem, 0, 0), 0);
}

static void each_job_runs_once(void **state)
{
	static const struct {
		const char *name;
		size_t n_threads, n_jobs, want_workers;
	} rows[] = {
		{ "one thread", 1, 100, 1 },
		{ "four", 4, 1000, 4 },
		{ "more threads than jobs", 9, 3, 3 },
		{ "no thread counts as one", 0, 5, 1 },
		{ "no jobs", 4, 0, 1 },
	};
	struct fixture f;

	(void)state;
	each_row(rows, row) {
		struct err err = { 0 };

		setup(&f, note, row->n_threads, row->n_jobs);
		check(parallel_run(&f.parallel, row->n_threads, row->n_jobs, &err), "%s: %s",
		      row->name, err.text);
		for (size_t i = 0; i < row->n_jobs; i++)
			check(f.times[i] == 1, "%s: job %zu ran %u times", row->name, i,
			      (unsigned)f.times[i]);
		check(f.worker_max < row->want_workers, "%s: worker %zu", row->name,
		      (size_t)f.worker_max);
		check(f.ticks > 0 && f.done_at_tick == row->n_jobs, "%s: no tick at the end",
		      row->name);
		check(f.stops == 0, "%s: stopped", row->name);
	}
}

static bool note_order(void *ctx, size_t job, size_t worker, struct err *err)
{
	struct fixture *f = ctx;

	(void)worker;
	(void)err;
	if (f->begun++ != job)
		f->out_of_order = true;
	return true;
}

static void jobs_begin_in_their_order(void **state)
{
	struct err err = { 0 };
	struct fixture f;

	(void)state;
	setup(&f, note_order, 1, JOBS_MAX);
	assert_true(parallel_run(&f.parallel, 1, JOBS_MAX, &err));
	assert_false(f.out_of_order);
}

/* Ends only when as many jobs as there are threads have met. */
static bool meet(void *ctx, size_t job, size_t worker, struct err *err)
{
	struct fixture *f = ctx;

	(void)pthread_barrier_wait(&f->barrier);
	return note(ctx, job, worker, err);
}

static void jobs_run_at_once(void **state)
{
	struct err err = { 0 };
	struct fixture f;

	(void)state;
	setup(&f, meet, 5, 20);
	assert_int_equal(pthread_barrier_init(&f.barrier, NULL, 5), 0);
	assert_true(parallel_run(&f.parallel, 5, 20, &err));
	assert_int_equal(f.done, 20);
	assert_int_equal(f.worker_max, 4);
	(void)pthread_barrier_destroy(&f.barrier);
}

static void nothing_begins_after_a_failure(void **state)
{
	struct err err = { 0 };
	struct fixture f;

	(void)state;
	setup(&f, note, 1, 100);
	f.failing = 3;
	assert_false(parallel_run(&f.parallel, 1, 100, &err));
	assert_string_equal(err.text, "job 3");
	assert_int_equal(f.begun, 4);
	assert_int_equal(f.stops, 1);
	assert_int_equal(f.done_at_tick, 3);
}

/* Job 0 is blocked until it is stopped, and then complains, too. */
static bool block_first(void *ctx, size_t job, size_t worker, struct err *err)
{
	struct fixture *f = ctx;

	(void)worker;
	if (job > 0)
		return err_set(err, ERR_GENERAL, "the cause");
	while (sem_wait(&f->sem) < 0) {
	}
	return err_set(err, ERR_GENERAL, "a consequence");
}

static void failure_stops_what_is_blocked(void **state)
{
	struct err err = { 0 };
	struct fixture f;

	(void)state;
	setup(&f, block_first, 2, 8);
	f.parallel.tick = NULL;
	assert_false(parallel_run(&f.parallel, 2, 8, &err));
	assert_string_equal(err.text, "the cause");
	assert_int_equal(f.stops, 1);
}

static bool wait_for_ticks(void *ctx, size_t job, size_t worker, struct err *err)
{
	struct fixture *f = ctx;

	for (int i = 0; i < 3; i++)
		while (sem_wait(&f->sem) < 0) {
		}
	return note(ctx, job, worker, err);
}

static void ticks_come_while_jobs_are_at_work(void **state)
{
	struct err err = { 0 };
	struct fixture f;

	(void)state;
	setup(&f, wait_for_ticks, 1, 1);
	assert_true(parallel_run(&f.parallel, 1, 1, &err));
	assert_true(f.ticks >= 4);
}

/* The signal goes to the process; only the caller's thread takes it. */
static bool cancel_from_within(void *ctx, size_t job, size_t worker, struct err *err)
{
	struct fixture *f = ctx;
	sigset_t mask;

	(void)worker;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (!sigismember(&mask, SIGINT) || !sigismember(&mask, SIGALRM))
		return err_set(err, ERR_GENERAL, "the signals are not blocked here");
	if (job == 0)
		(void)kill(getpid(), SIGINT);
	while (sem_wait(&f->sem) < 0) {
	}
	return err_set(err, ERR_GENERAL, "job %zu was stopped", job);
}

static int cancelled(void)
{
	struct err err = { 0 };
	struct fixture f;

	cancel_install();
	setup(&f, cancel_from_within, 3, 10);
	f.parallel.tick = NULL;
	if (parallel_run(&f.parallel, 3, 10, &err))
		return 1;
	if (err.kind != ERR_CANCELLED)
		return 2;
	return f.stops == 1 ? 0 : 3;
}

/* In a process of its own: what a signal asked for stays asked for. */
static void cancellation_is_a_failure(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(cancelled());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The mask of the caller's thread is its own again. */
static void callers_signals_are_as_before(void **state)
{
	struct err err = { 0 };
	struct fixture f;
	sigset_t before;
	sigset_t after;

	(void)state;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
	setup(&f, note, 2, 4);
	assert_true(parallel_run(&f.parallel, 2, 4, &err));
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int signum = 1; signum < NSIG; signum++)
		assert_int_equal(sigismember(&before, signum), sigismember(&after, signum));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_job_runs_once),
		cmocka_unit_test(jobs_begin_in_their_order),
		cmocka_unit_test(jobs_run_at_once),
		cmocka_unit_test(nothing_begins_after_a_failure),
		cmocka_unit_test(failure_stops_what_is_blocked),
		cmocka_unit_test(ticks_come_while_jobs_are_at_work),
		cmocka_unit_test(cancellation_is_a_failure),
		cmocka_unit_test(callers_signals_are_as_before),
	};

	return unit_main(tests);
}
