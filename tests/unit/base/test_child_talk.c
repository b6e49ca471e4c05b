/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/child_talk.h, with the shell as the other program. */
#include "base/child_talk.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "base/number.h"
#include "temp_dir.h"

#define HANGS_MS 60000 /* that a test reaches this means that it hangs */

static enum child_talk_result say(const char *script, const char *input, uint64_t timeout_ms,
				  struct child_answer *ret, struct err *err)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const struct child_talk talk = {
		.argv = argv,
		.input = span_of(input),
		.timeout_ms = timeout_ms,
		.max_out = 10,
	};

	return child_talk(&talk, ret, err);
}

static const struct {
	const char *name;
	const char *script, *input;
	const char *out, *complaint;
	int code;
} answers[] = {
	{ "tells what it was told", "cat", "hello", "hello", "", 0 },
	{ "is told nothing", "cat; echo end", "", "end\n", "", 0 },
	{ "does not listen", "exec <&-; echo deaf", "hello", "deaf\n", "", 0 },
	{ "keeps stderr apart", "echo out; echo err >&2", "", "out\n", "err", 0 },
	{ "only the last complaint", "echo a >&2; echo b >&2; echo >&2", "", "", "b", 0 },
	{ "complaints are escaped", "printf '\\033[2J' >&2", "", "", "\\x1b[2J", 0 },
	{ "exit code", "echo no; exit 3", "", "no\n", "", 3 },
	{ "as much as it may", "printf 0123456789", "", "0123456789", "", 0 },
	{ "long complaints", "head -c 100000 /dev/zero | tr '\\0' x >&2; echo >&2; echo y >&2", "",
	  "", "y", 0 },
};

static void answers_come_back(void **state)
{
	(void)state;
	each_row(answers, row) {
		CLEANUP(child_answer_done) struct child_answer got = { 0 };
		struct err err = { 0 };

		check(say(row->script, row->input, HANGS_MS, &got, &err) == CHILD_TALK_DONE,
		      "%s: %s", row->name, err.text);
		check(strcmp(str_text(&got.out), row->out) == 0, "%s: '%s'", row->name,
		      str_text(&got.out));
		check(strcmp(str_text(&got.complaint), row->complaint) == 0, "%s: complaint '%s'",
		      row->name, str_text(&got.complaint));
		check(WIFEXITED(got.status) && WEXITSTATUS(got.status) == row->code,
		      "%s: status %d", row->name, got.status);
	}
}

/* What it leaves behind holds its output open, and stays alive. */
static void what_is_left_behind_is_not_waited_for(void **state)
{
	CLEANUP(child_answer_done) struct child_answer got = { 0 };
	struct err err = { 0 };
	uint64_t pid = 0;

	(void)state;
	check(say("sleep 1000 & printf %d $!", "", HANGS_MS, &got, &err) == CHILD_TALK_DONE, "%s",
	      err.text);
	check(number_parse_u64(str_span(&got.out), INT32_MAX, &pid) && pid > 1, "'%s'",
	      str_text(&got.out));
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
}

static const struct {
	const char *name;
	const char *script;
	uint64_t timeout_ms;
	enum child_talk_result result;
	const char *message;
} failures[] = {
	{ "too much", "printf 0123456789x", HANGS_MS, CHILD_TALK_FAILED,
	  "sh: printed more than expected" },
	{ "without an end", "cat /dev/zero", HANGS_MS, CHILD_TALK_FAILED,
	  "sh: printed more than expected" },
	{ "hangs", "sleep 1000", 100, CHILD_TALK_SILENT, "sh: did not answer within 0 seconds" },
	{ "hangs silently", "exec >&- 2>&- <&-; sleep 1000; true", 100, CHILD_TALK_SILENT,
	  "sh: did not answer within 0 seconds" },
	{ "complains without an end", "cat /dev/zero >&2", 1000, CHILD_TALK_SILENT,
	  "sh: did not answer within 1 seconds" },
	{ "ignores what it can", "trap '' TERM INT HUP; sleep 1000; sleep 1000", 100,
	  CHILD_TALK_SILENT, "sh: did not answer within 0 seconds" },
};

static void failures_are_told_apart(void **state)
{
	(void)state;
	each_row(failures, row) {
		CLEANUP(child_answer_done) struct child_answer got = { 0 };
		struct err err = { 0 };

		check(say(row->script, "", row->timeout_ms, &got, &err) == row->result, "%s: %s",
		      row->name, err.text);
		check(strcmp(err.text, row->message) == 0, "%s: %s", row->name, err.text);
		check(got.out.len == 0, "%s: output", row->name);
	}
}

static void a_program_may_be_missing(void **state)
{
	CLEANUP(child_answer_done) struct child_answer got = { 0 };
	const char *const argv[] = { "/nonexistent/program", NULL };
	const struct child_talk talk = { .argv = argv, .timeout_ms = HANGS_MS, .max_out = 1 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(child_talk(&talk, &got, &err), CHILD_TALK_MISSING);
	assert_string_equal(err.text,
			    "cannot start '/nonexistent/program': No such file or directory");
}

/* What the program started is gone, too: nobody holds the FIFO open for writing any more. */
static void killing_takes_its_children_along(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP_FREE char *fifo = xasprintf("%s/fifo", dir->path);
	CLEANUP_FREE char *script = xasprintf("(sleep 1000; true) >'%s' & wait", fifo);
	CLEANUP(child_answer_done) struct child_answer got = { 0 };
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };
	char c;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(say(script, "", 500, &got, &err), CHILD_TALK_SILENT);
	(void)fcntl(fd, F_SETFL, 0);
	assert_int_equal(read(fd, &c, 1), 0); /* blocks as long as there is a writer */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_come_back),
		cmocka_unit_test(what_is_left_behind_is_not_waited_for),
		cmocka_unit_test(failures_are_told_apart),
		cmocka_unit_test(a_program_may_be_missing),
		temp_dir_test(killing_takes_its_children_along),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return unit_main(tests);
}
