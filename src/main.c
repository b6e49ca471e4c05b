/* SPDX-License-Identifier: Apache-2.0 */
/* The program `tart`: finds the command, runs it, prints the error, chooses the exit code. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <unistd.h>

#include "base/cancel.h"
#include "cmd/answer.h"
#include "cmd/table.h"
#include "cmd/usage.h"

/* What the caller closed is silent; no file opened later takes its place. */
static void fill_std_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* `usage_of` is the command whose usage an ERR_USAGE shows, NULL for the program's. */
static void report(const struct invocation *invocation, const struct command *usage_of,
		   const struct err *err)
{
	struct str text CLEANUP_STR = { 0 };
	struct str hint CLEANUP_STR = { 0 };

	str_add(&text, err_prefix(err->kind));
	str_add_escaped(&text, span_of(err->text));
	str_add_char(&text, '\n');
	if (err->kind == ERR_USAGE) {
		str_add_escaped(&hint, str_span(&invocation->hint));
		usage_add_trailer(&text, invocation->program, usage_of, str_text(&hint));
	}
	fputs(str_text(&text), stderr);
}

/* What could not be written is an error, even when the command is done. */
static bool finish_stdout(struct err *err)
{
	bool pending = __fpending(stdout) > 0;
	bool failed = ferror(stdout) != 0;

	if (fclose(stdout) != 0 && (pending || errno != EBADF))
		return err_sys(err, errno, "cannot write to the standard output");
	if (failed)
		return err_set(err, ERR_GENERAL, "cannot write to the standard output");
	return true;
}

static bool run(struct invocation *invocation, bool *ret_running, struct err *err)
{
	const struct command *command = invocation->command;
	struct tart tart = { .program = invocation->program };

	if (command->validate && !command->validate(&tart, invocation->args, err))
		return false;
	*ret_running = true;
	return command->run(&tart, invocation->args, err);
}

int main(int argc, char **argv)
{
	struct invocation invocation CLEANUP(invocation_done) = { 0 };
	struct err err = { 0 };
	bool running = false;
	bool ok;

	fill_std_fds();
	/* Tools read the output of `run` line by line while it runs. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* A reader that goes away is an error like others, not the end of a VM. */
	signal(SIGPIPE, SIG_IGN);
	cancel_install();

	ok = invocation_parse(&tart_program, argc, argv, &invocation, &err);
	if (ok && invocation.request != REQUEST_RUN)
		ok = invocation_answer(&invocation, &err);
	else if (ok)
		ok = run(&invocation, &running, &err);
	if (invocation.args && invocation.command->done)
		invocation.command->done(invocation.args);
	if (ok)
		ok = finish_stdout(&err);
	if (!ok)
		report(&invocation, running ? NULL : invocation.command, &err);
	return ok ? 0 : err_exit_code(err.kind);
}
