/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/headers.h. */
#include "registry/headers.h"

#include "unit.h"

static const struct {
	const char *name;
	const char *header;
	bool ok;
	struct content_range want;
} ranges[] = {
	{ "usual", "bytes 10-19/20", true, { 10, 19, true, 20 } },
	{ "one byte", "bytes 0-0/1", true, { 0, 0, true, 1 } },
	{ "total not known", "bytes 10-19/*", true, { 10, 19, false, 0 } },
	{ "largest",
	  "bytes 0-9223372036854775806/9223372036854775807",
	  true,
	  { 0, 9223372036854775806U, true, 9223372036854775807U } },
	{ "too large", "bytes 0-9223372036854775807/9223372036854775808", false, { 0 } },
	{ "nothing", "", false, { 0 } },
	{ "other unit", "items 0-1/2", false, { 0 } },
	{ "no unit", "10-19/20", false, { 0 } },
	{ "unsatisfied", "bytes */20", false, { 0 } },
	{ "ends before it begins", "bytes 19-10/20", false, { 0 } },
	{ "ends behind the end", "bytes 10-20/20", false, { 0 } },
	{ "no total", "bytes 10-19", false, { 0 } },
	{ "empty total", "bytes 10-19/", false, { 0 } },
	{ "no last", "bytes 10-/20", false, { 0 } },
	{ "sign", "bytes +10-19/20", false, { 0 } },
	{ "more", "bytes 10-19/20 ", false, { 0 } },
};

static void content_ranges(void **state)
{
	(void)state;
	each_row(ranges, row) {
		struct content_range range = { .first = 7 };
		bool ok = content_range_parse(span_of(row->header), &range);

		check(ok == row->ok, "%s", row->name);
		check(ok || range.first == 7, "%s: touched", row->name);
		check(!ok || (range.first == row->want.first && range.last == row->want.last &&
			      range.has_total == row->want.has_total &&
			      range.total == row->want.total),
		      "%s", row->name);
	}
}

static const struct {
	const char *name;
	const char *header;
	uint64_t end; /* 0 = none */
} uploads[] = {
	{ "usual", "0-9", 10 },
	{ "as in requests", "bytes=0-9", 10 },
	{ "as in answers", "bytes 0-9", 10 },
	{ "nothing or a byte", "0-0", 0 },
	{ "largest", "0-9223372036854775807", 9223372036854775808U },
	{ "too large", "0-9223372036854775808", 0 },
	{ "not from the start", "1-9", 0 },
	{ "open", "0-", 0 },
	{ "below nothing", "0--1", 0 },
	{ "empty", "", 0 },
};

static void upload_ranges(void **state)
{
	(void)state;
	each_row(uploads, row) {
		uint64_t end = 0;
		bool ok = upload_range_parse(span_of(row->header), &end);

		check(ok == (row->end > 0) && end == row->end, "%s: %llu", row->name,
		      (unsigned long long)end);
	}
}

static const struct {
	const char *name;
	const char *header;
	const char *text; /* NULL = none */
} warnings[] = {
	{ "usual", "299 - \"text\"", "text" },
	{ "with an agent and a date", "299 host:80 \"text\" \"Wed, 21 Oct 2015 07:28:00 GMT\"",
	  "text" },
	{ "quotes in it", "299 - \"a \\\"b\\\" \\\\c\"", "a \"b\" \\c" },
	{ "other code", "110 - \"text\"", NULL },
	{ "longer code", "2990 - \"text\"", NULL },
	{ "empty", "299 - \"\"", NULL },
	{ "open", "299 - \"text", NULL },
	{ "open after a backslash", "299 - \"text\\", NULL },
	{ "no quotes", "299 - text", NULL },
	{ "nothing", "", NULL },
};

static void warning_texts(void **state)
{
	(void)state;
	each_row(warnings, row) {
		CLEANUP_STR struct str text = { 0 };
		bool ok;

		str_add(&text, ">");
		ok = warning_parse(span_of(row->header), &text);
		check(ok == !!row->text, "%s", row->name);
		check(strcmp(str_text(&text) + 1, row->text ? row->text : "") == 0, "%s: %s",
		      row->name, str_text(&text));
	}
}

static void long_warnings_are_cut(void **state)
{
	CLEANUP_STR struct str header = { 0 };
	CLEANUP_STR struct str text = { 0 };

	(void)state;
	str_add(&header, "299 - \"");
	for (size_t i = 0; i < WARNING_TEXT_MAX + 1; i++)
		str_add_char(&header, 'x');
	str_add_char(&header, '"');
	assert_true(warning_parse(str_span(&header), &text));
	assert_int_equal(text.len, WARNING_TEXT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_ranges),
		cmocka_unit_test(upload_ranges),
		cmocka_unit_test(warning_texts),
		cmocka_unit_test(long_warnings_are_cut),
	};

	return unit_main(tests);
}
