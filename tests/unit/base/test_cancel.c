/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/cancel.h; each case runs in a child, since what a signal asked for stays asked for. */
#include "base/cancel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "unit.h"

static int run_apart(int (*body)(int signum), int signum)
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body(signum));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int first_signal_is_noted(int signum)
{
	struct err err = { 0 };

	cancel_install();
	if (cancel_requested() || !cancel_check(&err))
		return 1;
	(void)raise(signum);
	if (!cancel_requested() || cancel_check(&err))
		return 2;
	return err.kind == ERR_CANCELLED ? 0 : 3;
}

static int blocking_calls_end_again_and_again(int signum)
{
	cancel_install();
	(void)raise(signum);
	for (int i = 0; i < 3; i++)
		if (poll(NULL, 0, -1) != -1 || errno != EINTR)
			return 1;
	return 0;
}

static int second_signal_kills(int signum)
{
	cancel_install();
	(void)raise(signum);
	(void)raise(signum);
	return 0;
}

static int uninstalled_signal_kills(int signum)
{
	cancel_install();
	cancel_uninstall();
	(void)raise(signum);
	return 0;
}

static int ignored_signal_stays_ignored(int signum)
{
	(void)signal(signum, SIG_IGN);
	cancel_install();
	(void)raise(signum);
	if (cancel_requested())
		return 1;
	cancel_uninstall();
	(void)raise(signum);
	return 0;
}

/* Without the timer that cancellation left running. */
static int uninstall_stops_the_interruptions(int signum)
{
	cancel_install();
	(void)raise(signum);
	cancel_uninstall();
	return poll(NULL, 0, 100) == 0 ? 0 : 1;
}

static const struct {
	const char *name;
	int (*body)(int signum);
	bool killed;
} rows[] = {
	{ "the first signal is noted", first_signal_is_noted, false },
	{ "blocking calls end, again and again", blocking_calls_end_again_and_again, false },
	{ "a second signal kills", second_signal_kills, true },
	{ "a signal after uninstalling kills", uninstalled_signal_kills, true },
	{ "a signal that was ignored stays ignored", ignored_signal_stays_ignored, false },
	{ "uninstalling stops the interruptions", uninstall_stops_the_interruptions, false },
};

static void check_signal(int signum)
{
	each_row(rows, row) {
		int status = run_apart(row->body, signum);

		if (row->killed)
			check(WIFSIGNALED(status) && WTERMSIG(status) == signum, "%s: status %x",
			      row->name, (unsigned)status);
		else
			check(status == 0, "%s: status %x", row->name, (unsigned)status);
	}
}

static void by_sigint(void **state)
{
	(void)state;
	check_signal(SIGINT);
}

static void by_sigterm(void **state)
{
	(void)state;
	check_signal(SIGTERM);
}

static void by_sighup(void **state)
{
	(void)state;
	check_signal(SIGHUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_sigint),
		cmocka_unit_test(by_sigterm),
		cmocka_unit_test(by_sighup),
	};

	return unit_main(tests);
}
