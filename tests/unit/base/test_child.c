/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/child.h, with the shell as the child. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "temp_dir.h"

#define SHELL(script) ((const char *const[]){ "sh", "-c", (script), NULL })

static void output_comes_back_whole(void **state)
{
	CLEANUP_STR struct str out = { 0 };
	struct err err = { 0 };

	(void)state;
	str_add(&out, "before ");
	check(child_run(SHELL("printf 'a\\nb'; echo noise >&2"), 100, &out, &err), "%s", err.text);
	assert_string_equal(str_text(&out), "before a\nb");
	check(child_run(SHELL("echo not wanted"), 0, NULL, &err), "%s", err.text);
}

static void standard_input_is_empty(void **state)
{
	struct err err = { 0 };

	(void)state;
	check(child_run(SHELL("! read -r line"), 0, NULL, &err), "%s", err.text);
}

static const struct {
	const char *name;
	const char *script;
	const char *message;
} failures[] = {
	{ "exit code", "exit 3", "sh exited with code 3" },
	{ "exit code with a reason", "echo first >&2; echo last >&2; exit 1",
	  "sh exited with code 1: last" },
	{ "reason without a newline", "printf 'only' >&2; exit 1", "sh exited with code 1: only" },
	{ "reason from outside is escaped", "printf 'a\\033[2Jb\\n' >&2; exit 1",
	  "sh exited with code 1: a\\x1b[2Jb" },
	{ "signal", "kill -TERM $$", "sh was killed by signal 15 (Terminated)" },
	{ "too much output", "echo 12345", "sh: printed more than expected" },
};

static void failures_say_why(void **state)
{
	(void)state;
	each_row(failures, row) {
		CLEANUP_STR struct str out = { 0 };
		struct err err = { 0 };

		check(!child_run(SHELL(row->script), 5, &out, &err), "%s: succeeded", row->name);
		check(strcmp(err.text, row->message) == 0, "%s: '%s'", row->name, err.text);
		check(out.len == 0, "%s: touched its result", row->name);
	}
}

static void output_just_at_the_limit(void **state)
{
	CLEANUP_STR struct str out = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(child_run(SHELL("echo 1234"), 5, &out, &err));
	assert_string_equal(str_text(&out), "1234\n");
}

static void much_output_on_both_streams_does_not_block(void **state)
{
	CLEANUP_STR struct str out = { 0 };
	struct err err = { 0 };

	(void)state;
	check(child_run(
		      SHELL("i=0; while [ $i -lt 4000 ]; do"
			    " echo 0123456789012345678901234567890123456789;"
			    " echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done"),
		      1 << 20, &out, &err),
	      "%s", err.text);
	assert_int_equal(out.len, 4000 * 41);
}

static void a_long_last_line_is_quoted_from_its_end(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_false(child_run(SHELL("printf '%0600d' 7 >&2; printf 'the end' >&2; exit 1"), 0,
			       NULL, &err));
	assert_non_null(strstr(err.text, "07the end"));
	assert_null(strchr(err.text, '\n'));
}

static void a_program_that_is_not_there(void **state)
{
	static const char *const argv[] = { "tart-no-such-program", NULL };
	struct child_spec spec = CHILD_SPEC_INIT;
	struct child child = CHILD_INIT;
	struct err err = { 0 };

	(void)state;
	spec.argv = argv;
	assert_false(child_start(&spec, &child, &err));
	assert_string_equal(err.text,
			    "cannot start 'tart-no-such-program': No such file or directory");
	assert_int_equal(child.pid, 0);
	assert_int_equal(child.pidfd, -1);
	/* It was reaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static struct child start(const char *script, int stdout_fd)
{
	struct child_spec spec = CHILD_SPEC_INIT;
	struct child child = CHILD_INIT;
	struct err err = { 0 };

	spec.argv = SHELL(script);
	spec.stdout_fd = stdout_fd;
	check(child_start(&spec, &child, &err), "%s", err.text);
	return child;
}

static void the_pidfd_becomes_readable_at_the_end(void **state)
{
	struct child child = start("exit 5", -1);
	struct pollfd fd = { .fd = child.pidfd, .events = POLLIN };
	struct err err = { 0 };
	int status = 0;

	(void)state;
	assert_int_equal(fcntl(child.pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(poll(&fd, 1, -1), 1);
	assert_true(child_wait(&child, &status, &err));
	assert_int_equal(WEXITSTATUS(status), 5);
	assert_int_equal(child.pid, 0);
	assert_int_equal(child.pidfd, -1);
}

static void killing_reaps_and_may_be_done_twice(void **state)
{
	struct child child = start("exec sleep 1000", -1);
	pid_t pid = child.pid;

	(void)state;
	child_kill(&child);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	child_kill(&child);
}

/* What the child sees: its open descriptors, as numbers. */
static void check_descriptors(const struct child_spec *base, const char *want)
{
	struct child_spec spec = *base;
	CLEANUP_STR struct str out = { 0 };
	struct err err = { 0 };

	/* The listing itself uses the lowest free number; the shell's glob closes it before it prints. */
	spec.argv =
		SHELL("for fd in /proc/self/fd/*; do [ ! -e $fd ] || printf '%s ' ${fd##*/}; done");
	check(child_run_spec(&spec, 1000, &out, &err), "%s", err.text);
	assert_string_equal(str_text(&out), want);
}

static void only_the_descriptors_it_was_given(void **state)
{
	struct child_spec spec = CHILD_SPEC_INIT;
	int careless = dup2(STDERR_FILENO, 40); /* as our own parent may leave them to us */
	int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 50);

	(void)state;
	assert_int_equal(fcntl(careless, F_GETFD), 0);
	check_descriptors(&spec, "0 1 2 ");
	spec.keep_fds = &kept;
	spec.n_keep_fds = 1;
	check_descriptors(&spec, "0 1 2 50 ");
	/* The parent's own flag is as it was. */
	assert_int_equal(fcntl(kept, F_GETFD), FD_CLOEXEC);
	(void)close(careless);
	(void)close(kept);
}

static void starts_in_the_given_directory_with_the_given_environment(void **state)
{
	static const char *const envp[] = { "PATH=/usr/bin:/bin", "WHO=nobody", NULL };
	const struct temp_dir *dir = *state;
	struct child_spec spec = CHILD_SPEC_INIT;
	CLEANUP_STR struct str out = { 0 };
	CLEANUP_FREE char *want = xasprintf("%s nobody -", dir->path);
	struct err err = { 0 };

	spec.argv = SHELL("printf '%s %s %s' \"$(pwd -P)\" \"$WHO\" \"${HOME--}\"");
	spec.cwd_fd = dir->fd;
	spec.envp = envp;
	check(child_run_spec(&spec, 1000, &out, &err), "%s", err.text);
	assert_string_equal(str_text(&out), want);
}

static void blocked_and_ignored_signals_are_not_inherited(void **state)
{
	sigset_t blocked;
	sigset_t before;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sigemptyset(&blocked), 0);
	assert_int_equal(sigaddset(&blocked, SIGUSR1), 0);
	assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
	(void)signal(SIGUSR2, SIG_IGN);
	assert_false(child_run(SHELL("kill -USR1 $$; exit 0"), 0, NULL, &err));
	assert_non_null(strstr(err.text, "was killed by signal 10"));
	assert_false(child_run(SHELL("kill -USR2 $$; exit 0"), 0, NULL, &err));
	assert_non_null(strstr(err.text, "was killed by signal 12"));
	(void)signal(SIGUSR2, SIG_DFL);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
}

static void own_group_is_the_childs_choice(void **state)
{
	struct child_spec spec = CHILD_SPEC_INIT;
	struct child same = start("exec sleep 1000", -1);
	struct child own = CHILD_INIT;
	struct err err = { 0 };

	(void)state;
	spec.argv = SHELL("exec sleep 1000");
	spec.own_group = true;
	check(child_start(&spec, &own, &err), "%s", err.text);
	assert_int_equal(getpgid(same.pid), getpgrp());
	assert_int_equal(getpgid(own.pid), own.pid);
	child_kill(&same);
	child_kill(&own);
}

/* A parent that starts a child, tells its pid and is killed before it can do anything about it. */
static _Noreturn void start_and_die(int report_fd)
{
	struct child child = start("exec sleep 1000", -1);

	(void)!write(report_fd, &child.pid, sizeof(child.pid));
	(void)raise(SIGKILL);
	_exit(1);
}

static void a_child_dies_with_its_parent(void **state)
{
	int report[2];
	pid_t grandchild = 0;
	pid_t parent;

	(void)state;
	/* Orphans come to us, so that their end can be seen without a race. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0)
		start_and_die(report[1]);
	(void)close(report[1]);
	assert_int_equal(read(report[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
	(void)close(report[0]);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_int_equal(waitpid(grandchild, NULL, 0), grandchild);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void the_child_cannot_gain_privileges(void **state)
{
	struct err err = { 0 };

	(void)state;
	check(child_run(SHELL("grep -q '^NoNewPrivs:.*1$' /proc/self/status"), 0, NULL, &err), "%s",
	      err.text);
}

static void another_identity_is_taken_for_good(void **state)
{
	const struct child_identity nobody = { .uid = 65534, .gid = 65534 };
	struct child_spec spec = CHILD_SPEC_INIT;
	CLEANUP_STR struct str out = { 0 };
	struct err err = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip();
	spec.argv = SHELL("id -u; id -ru; id -G");
	spec.identity = &nobody;
	check(child_run_spec(&spec, 1000, &out, &err), "%s", err.text);
	assert_string_equal(str_text(&out), "65534\n65534\n65534\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_comes_back_whole),
		cmocka_unit_test(standard_input_is_empty),
		cmocka_unit_test(failures_say_why),
		cmocka_unit_test(output_just_at_the_limit),
		cmocka_unit_test(much_output_on_both_streams_does_not_block),
		cmocka_unit_test(a_long_last_line_is_quoted_from_its_end),
		cmocka_unit_test(a_program_that_is_not_there),
		cmocka_unit_test(the_pidfd_becomes_readable_at_the_end),
		cmocka_unit_test(killing_reaps_and_may_be_done_twice),
		cmocka_unit_test(only_the_descriptors_it_was_given),
		temp_dir_test(starts_in_the_given_directory_with_the_given_environment),
		cmocka_unit_test(blocked_and_ignored_signals_are_not_inherited),
		cmocka_unit_test(own_group_is_the_childs_choice),
		cmocka_unit_test(a_child_dies_with_its_parent),
		cmocka_unit_test(the_child_cannot_gain_privileges),
		cmocka_unit_test(another_identity_is_taken_for_good),
	};

	return unit_main(tests);
}
