/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cmd/progress.h. */
#include "cmd/progress.h"

#include "unit.h"

#define UP "\033[1A\r\033[J"

struct update {
	uint64_t done, total, now_ms;
	const char *plain; /* what is printed, "" = nothing */
};

static const struct {
	const char *name;
	struct update updates[6];
} runs[] = {
	{ "a second apart",
	  { { 0, 1000, 5000, "0%\n" },
	    { 100, 1000, 5999, "" },
	    { 110, 1000, 6000, "11%\n" },
	    { 200, 1000, 6999, "" },
	    { 1000, 1000, 7000, "100%\n" } } },
	{ "the end is not held back",
	  { { 0, 10, 0, "0%\n" }, { 9, 10, 1, "" }, { 10, 10, 2, "100%\n" } } },
	{ "no repetition",
	  { { 0, 1000, 0, "0%\n" },
	    { 9, 1000, 2000, "" },
	    { 10, 1000, 2001, "1%\n" },
	    { 19, 1000, 9000, "" } } },
	{ "the end only once", { { 10, 10, 0, "100%\n" }, { 10, 10, 5000, "" } } },
	{ "starts anywhere", { { 5, 10, 0, "50%\n" } } },
	{ "truncated", { { 999, 1000, 0, "99%\n" } } },
	{ "nothing to do", { { 0, 0, 0, "100%\n" } } },
	{ "more than promised", { { 0, 10, 0, "0%\n" }, { 11, 10, 1, "100%\n" } } },
	{ "huge",
	  { { UINT64_MAX / 2, UINT64_MAX, 0, "49%\n" },
	    { UINT64_MAX - 1, UINT64_MAX, 1000, "99%\n" } } },
};

static void prints_as_plain_lines(void **state)
{
	(void)state;
	each_row(runs, row) {
		struct progress_line line = { .interactive = false };

		for (const struct update *u = row->updates; u->plain; u++) {
			CLEANUP_STR struct str got = { 0 };

			progress_line_add(&line, u->done, u->total, u->now_ms, &got);
			check(strcmp(str_text(&got), u->plain) == 0, "%s, update %td: got '%s'",
			      row->name, u - row->updates, str_text(&got));
		}
	}
}

static const struct {
	const char *name;
	struct update updates[7];
} terminal_runs[] = {
	{ "rewrites",
	  { { 0, 10000000, 0, "0%\n" },
	    { 5000000, 10000000, 1000, UP "50%  5 MB/s  0:01 left\n" },
	    { 6000000, 10000000, 1500, "" },
	    { 10000000, 10000000, 1600, UP "100%\n" },
	    { 10000000, 10000000, 1700, "" } } },
	{ "the rate follows slowly, also when the percentage stays",
	  { { 0, 100000000000, 0, "0%\n" },
	    { 100000000, 100000000000, 1000, UP "0%  100 MB/s  16:39 left\n" },
	    { 100000000, 100000000000, 2000, UP "0%  75 MB/s  22:12 left\n" },
	    { 100000000, 100000000000, 2900, "" },
	    { 175000000, 100000000000, 3000, UP "0%  75 MB/s  22:11 left\n" } } },
	{ "hours",
	  { { 0, 100000000, 0, "0%\n" },
	    { 10000, 100000000, 1000, UP "0%  10 KB/s  2:46:39 left\n" } } },
	{ "days are no information",
	  { { 0, 100000000000, 0, "0%\n" }, { 1000, 100000000000, 1000, UP "0%  1 KB/s\n" } } },
	{ "nothing moves",
	  { { 0, 1000, 0, "0%\n" },
	    { 0, 1000, 1000, UP "0%  0 bytes/s\n" },
	    { 0, 1000, 2000, "" } } },
	{ "backwards", { { 500, 1000, 0, "50%\n" }, { 100, 1000, 1000, UP "10%  0 bytes/s\n" } } },
};

static void says_on_terminals_how_fast(void **state)
{
	(void)state;
	each_row(terminal_runs, row) {
		struct progress_line line = { .interactive = true };

		for (const struct update *u = row->updates; u->plain; u++) {
			CLEANUP_STR struct str got = { 0 };

			progress_line_add(&line, u->done, u->total, u->now_ms, &got);
			check(strcmp(str_text(&got), u->plain) == 0, "%s, update %td: got '%s'",
			      row->name, u - row->updates, str_text(&got));
		}
	}
}

/* Other lines go above it while it moves, and below it afterwards. */
static void lets_other_lines_in(void **state)
{
	struct progress_line line = { .interactive = true };
	CLEANUP_STR struct str got = { 0 };

	(void)state;
	progress_line_interrupt(&line, "before", &got);
	assert_string_equal(got.ptr, "before\n");
	str_clear(&got);
	progress_line_add(&line, 0, 10, 0, &got);
	progress_line_interrupt(&line, "within", &got);
	assert_string_equal(got.ptr, "0%\n" UP "within\n0%\n");
	str_clear(&got);
	progress_line_add(&line, 10, 10, 1, &got);
	progress_line_interrupt(&line, "after", &got);
	assert_string_equal(got.ptr, UP "100%\nafter\n");
}

static void lets_other_lines_in_plainly(void **state)
{
	struct progress_line line = { .interactive = false };
	CLEANUP_STR struct str got = { 0 };

	(void)state;
	progress_line_add(&line, 0, 10, 0, &got);
	progress_line_interrupt(&line, "within", &got);
	assert_string_equal(got.ptr, "0%\nwithin\n");
}

static void starts_again(void **state)
{
	struct progress_line line = { .interactive = true };
	CLEANUP_STR struct str got = { 0 };

	(void)state;
	progress_line_add(&line, 0, 10, 0, &got);
	progress_line_add(&line, 10, 10, 1, &got);
	progress_line_restart(&line);
	progress_line_add(&line, 0, 10, 2, &got);
	assert_string_equal(got.ptr, "0%\n" UP "100%\n0%\n");
}

static void knows_terminals(void **state)
{
	(void)state;
	assert_true(progress_line_is_interactive(true, NULL, "xterm"));
	assert_false(progress_line_is_interactive(false, NULL, "xterm"));
	assert_false(progress_line_is_interactive(true, "", "xterm"));
	assert_false(progress_line_is_interactive(true, "true", "xterm"));
	assert_false(progress_line_is_interactive(true, NULL, "dumb"));
	assert_false(progress_line_is_interactive(true, NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_as_plain_lines),
		cmocka_unit_test(says_on_terminals_how_fast),
		cmocka_unit_test(lets_other_lines_in),
		cmocka_unit_test(lets_other_lines_in_plainly),
		cmocka_unit_test(starts_again),
		cmocka_unit_test(knows_terminals),
	};

	return unit_main(tests);
}
