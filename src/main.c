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
#include "cmd/start.h"
#include "cmd/table.h"

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

int main(int argc, char **argv)
{
	CLEANUP(invocation_done) struct invocation invocation = { 0 };
	struct outcome outcome = { 0 };
	struct err err = { 0 };
	bool ok;

	fill_std_fds();
	/* Tools read the output of `run` line by line while it runs. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* A reader that goes away is an error like others, not the end of a VM. */
	signal(SIGPIPE, SIG_IGN);
	cancel_install();

	ok = invocation_parse(&tart_program, argc, argv, &invocation, &err);
	if (ok && invocation.request == REQUEST_RUN)
		ok = invocation_run(&invocation, &outcome, &err);
	else if (ok)
		ok = invocation_answer(&invocation, &err);
	/* What was tried and worked the next time is no error. */
	if (ok)
		err = (struct err){ 0 };
	if (ok)
		ok = finish_stdout(&err);
	invocation_report(&invocation, &outcome, &err);
	tracing_end(&outcome.tracing, &err);
	return ok ? 0 : err_exit_code(err.kind);
}
