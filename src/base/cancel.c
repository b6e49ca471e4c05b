/* SPDX-License-Identifier: Apache-2.0 */
/* Cancellation by signal. */
#include "base/cancel.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

/* Written by a handler, read by any thread. */
static atomic_bool requested;

static void on_tick(int signum)
{
	(void)signum; /* only there to interrupt */
}

static void on_signal(int signum)
{
	/* 20 ms: short enough to feel immediate, long enough to let cleanup get on. */
	const struct itimerval again = { { 0, 20000 }, { 0, 20000 } };

	(void)signum;
	atomic_store(&requested, true);
	(void)setitimer(ITIMER_REAL, &again, NULL);
}

void cancel_install(void)
{
	/* No SA_RESTART: a lock wait has to end. SA_RESETHAND: the second signal is the default one. */
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	struct sigaction tick = { .sa_handler = on_tick };

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct sigaction old;

		/* What the parent ignores (nohup) stays ignored. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
	(void)sigaction(SIGALRM, &tick, NULL);
}

void cancel_uninstall(void)
{
	const struct itimerval off = { 0 };
	struct sigaction action = { .sa_handler = SIG_DFL };

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct sigaction old;

		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
	(void)setitimer(ITIMER_REAL, &off, NULL);
	(void)sigaction(SIGALRM, &action, NULL);
}

void cancel_forget(void)
{
	const struct itimerval off = { 0 };

	(void)setitimer(ITIMER_REAL, &off, NULL);
	requested = 0;
}

bool cancel_requested(void)
{
	return atomic_load(&requested);
}

bool cancel_check(struct err *err)
{
	if (cancel_requested())
		return err_set(err, ERR_CANCELLED, "cancelled");
	return true;
}
