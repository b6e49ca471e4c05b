/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/str.h. */
#include "base/str.h"

#include "unit.h"

static void nothing_added_reads_as_empty_text(void **state)
{
	CLEANUP_STR struct str s = { 0 };
	CLEANUP_FREE char *taken = NULL;

	(void)state;
	assert_string_equal(str_text(&s), "");
	assert_int_equal(str_span(&s).len, 0);
	assert_non_null(str_span(&s).ptr);
	str_truncate(&s, 0);
	str_clear(&s);
	taken = str_take(&s);
	assert_string_equal(taken, "");
}

static void all_ways_of_adding(void **state)
{
	CLEANUP_STR struct str s = { 0 };

	(void)state;
	str_add(&s, "one");
	str_add_char(&s, ' ');
	str_add_span(&s, span_make("twofold", 3));
	str_addf(&s, " %d%%", 3);
	str_add(&s, "");
	assert_string_equal(str_text(&s), "one two 3%");
	assert_int_equal(s.len, strlen("one two 3%"));
}

static void bytes_after_a_nul_count(void **state)
{
	CLEANUP_STR struct str s = { 0 };

	(void)state;
	str_add_span(&s, span_make("a\0b", 3));
	assert_int_equal(s.len, 3);
	assert_memory_equal(s.ptr, "a\0b", 4);
}

static void grows_past_its_first_room(void **state)
{
	CLEANUP_STR struct str s = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		str_addf(&s, "%03d", i);
	assert_int_equal(s.len, 3000);
	assert_memory_equal(s.ptr + 2997, "999", 4);
}

static void beyond_the_cap_nothing_is_added_any_more(void **state)
{
	CLEANUP_STR struct str s = STR_CAPPED(5);

	(void)state;
	str_add(&s, "12345");
	assert_false(s.overflow);
	str_add(&s, "");
	assert_false(s.overflow);
	str_add_char(&s, '6');
	assert_true(s.overflow);
	assert_string_equal(str_text(&s), "12345");

	str_truncate(&s, 2);
	str_add(&s, "x");
	assert_true(s.overflow);
	assert_string_equal(str_text(&s), "12");

	str_clear(&s);
	assert_false(s.overflow);
	str_addf(&s, "%s", "123456");
	assert_true(s.overflow);
	assert_string_equal(str_text(&s), "");
}

static void truncate_only_shortens(void **state)
{
	CLEANUP_STR struct str s = { 0 };

	(void)state;
	str_add(&s, "abc");
	str_truncate(&s, 4);
	str_truncate(&s, 3);
	assert_string_equal(str_text(&s), "abc");
	str_truncate(&s, 1);
	assert_string_equal(str_text(&s), "a");
	str_add(&s, "z");
	assert_string_equal(str_text(&s), "az");
}

static void take_and_done_leave_it_usable_and_keep_the_cap(void **state)
{
	struct str s = STR_CAPPED(3);
	CLEANUP_FREE char *taken = NULL;

	(void)state;
	str_add(&s, "abc");
	taken = str_take(&s);
	assert_string_equal(taken, "abc");
	assert_string_equal(str_text(&s), "");
	str_add(&s, "abcd");
	assert_true(s.overflow);
	str_done(&s);
	str_add(&s, "abc");
	assert_string_equal(str_text(&s), "abc");
	str_add(&s, "d");
	assert_true(s.overflow);
	str_done(&s);
	str_done(&s);
}

static const struct {
	const char *name;
	struct span in;
	const char *out;
} escapes[] = {
#define IN(text)                       \
	{                              \
		text, sizeof(text) - 1 \
	}
	{ "plain", IN("a b~"), "a b~" },
	{ "nothing", IN(""), "" },
	{ "newline and escape", IN("a\n\033[2J"), "a\\x0a\\x1b[2J" },
	{ "NUL", IN("a\0b"), "a\\x00b" },
	{ "delete", IN("\177"), "\\x7f" },
	{ "C1 control: CSI in UTF-8", IN("\xc2\x9b"), "\\xc2\\x9b" },
	{ "first printable above C1", IN("\xc2\xa0"), "\xc2\xa0" },
	{ "two, three, four bytes", IN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
	  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "marks of direction", IN("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f"),
	  "\\xd8\\x9c\\xe2\\x80\\x8e\\xe2\\x80\\x8f" },
	{ "before, the first and the last override, behind",
	  /* NOLINTNEXTLINE(misc-misleading-bidirectional) */
	  IN("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf"),
	  "\xe2\x80\xa7\\xe2\\x80\\xa8\\xe2\\x80\\xae\xe2\x80\xaf" },
	{ "before, the first and the last isolate, behind",
	  IN("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa"),
	  "\xe2\x81\xa5\\xe2\\x81\\xa6\\xe2\\x81\\xa9\xe2\x81\xaa" },
	{ "not UTF-8", IN("a\xff\xc3"), "a\\xff\\xc3" },
	{ "cut off, then more", IN("\xe2\x82z"), "\\xe2\\x82z" },
#undef IN
};

static void foreign_text_is_escaped(void **state)
{
	(void)state;
	each_row(escapes, row) {
		CLEANUP_STR struct str s = { 0 };

		str_add_escaped(&s, row->in);
		check(strcmp(str_text(&s), row->out) == 0, "%s: '%s'", row->name, str_text(&s));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_added_reads_as_empty_text),
		cmocka_unit_test(all_ways_of_adding),
		cmocka_unit_test(bytes_after_a_nul_count),
		cmocka_unit_test(grows_past_its_first_room),
		cmocka_unit_test(beyond_the_cap_nothing_is_added_any_more),
		cmocka_unit_test(truncate_only_shortens),
		cmocka_unit_test(take_and_done_leave_it_usable_and_keep_the_cap),
		cmocka_unit_test(foreign_text_is_escaped),
	};

	return unit_main(tests);
}
