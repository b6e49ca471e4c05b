/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/span.h. */
#include "base/span.h"

#include "unit.h"

static const struct {
	const char *name;
	const char *text;
	const char *other;
	bool is, starts, ends;
} rows[] = {
	{ "same", "abc", "abc", true, true, true },
	{ "empty both", "", "", true, true, true },
	{ "empty other", "abc", "", false, true, true },
	{ "shorter text", "ab", "abc", false, false, false },
	{ "prefix", "abc", "ab", false, true, false },
	{ "suffix", "abc", "bc", false, false, true },
	{ "middle", "abc", "b", false, false, false },
	{ "case counts", "Abc", "abc", false, false, false },
};

static void comparisons(void **state)
{
	(void)state;
	each_row(rows, row) {
		struct span s = span_of(row->text);

		check(span_is(s, row->other) == row->is, "%s: is", row->name);
		check(span_equal(s, span_of(row->other)) == row->is, "%s: equal", row->name);
		check(span_starts_with(s, row->other) == row->starts, "%s: starts", row->name);
		check(span_ends_with(s, row->other) == row->ends, "%s: ends", row->name);
	}
	assert_true(span_equal(span_make(NULL, 0), span_of("")));
	assert_false(span_is(span_make("abc", 2), "abc"));
	assert_true(span_is(span_make(NULL, 0), ""));
	assert_true(span_starts_with(span_make(NULL, 0), ""));
	assert_true(span_ends_with(span_make(NULL, 0), ""));
	assert_false(span_starts_with(span_make(NULL, 0), "a"));
}

static void find_from_either_end(void **state)
{
	struct span s = span_of("a/b/c");

	(void)state;
	assert_int_equal(span_find(s, '/'), 1);
	assert_int_equal(span_rfind(s, '/'), 3);
	assert_int_equal(span_find(s, 'a'), 0);
	assert_int_equal(span_rfind(s, 'a'), 0);
	assert_int_equal(span_find(s, 'x'), s.len);
	assert_int_equal(span_rfind(s, 'x'), s.len);
	assert_int_equal(span_rfind(span_of(""), 'x'), 0);
}

static const struct {
	const char *name;
	const char *text;
	const char *pieces[5];
} splits[] = {
	{ "one piece", "abc", { "abc" } },
	{ "three", "a,b,c", { "a", "b", "c" } },
	{ "empty text", "", { "" } },
	{ "empty in the middle", "a,,b", { "a", "", "b" } },
	{ "at both ends", ",a,", { "", "a", "" } },
	{ "only a separator", ",", { "", "" } },
};

static void pieces_between_separators(void **state)
{
	(void)state;
	each_row(splits, row) {
		struct span rest = span_of(row->text);
		struct span piece;
		size_t n = 0;

		for (; span_next(&rest, ',', &piece); n++) {
			check(n < ARRAY_LEN(row->pieces) && row->pieces[n], "%s: too many",
			      row->name);
			check(span_is(piece, row->pieces[n]), "%s: piece %zu is '%.*s'", row->name,
			      n, SPAN_ARG(piece));
		}
		check(!row->pieces[n], "%s: only %zu", row->name, n);
	}
}

static void nothing_to_split(void **state)
{
	struct span rest = { 0 };
	struct span piece;

	(void)state;
	assert_false(span_next(&rest, ',', &piece));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparisons),
		cmocka_unit_test(find_from_either_end),
		cmocka_unit_test(pieces_between_separators),
		cmocka_unit_test(nothing_to_split),
	};

	return unit_main(tests);
}
