/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/status.h. */
#include "rpc/status.h"

#include <string.h>

#include "base/mem.h"
#include "unit.h"

static const struct {
	const char *name, *encoded, *text;
} texts[] = {
	{ "plain", "not found", "not found" },
	{ "nothing", "", "" },
	{ "percent", "100%25 sure", "100% sure" },
	{ "UTF-8", "%C3%A4", "\xc3\xa4" },
};

static void texts_both_ways(void **state)
{
	(void)state;
	each_row(texts, row) {
		char got[RPC_TEXT_MAX + 1];
		CLEANUP_STR struct str encoded = { 0 };

		rpc_text_decode(span_of(row->encoded), got);
		check(strcmp(got, row->text) == 0, "%s: decoded '%s'", row->name, got);
		rpc_text_encode(row->text, &encoded);
		check(span_is(str_span(&encoded), row->encoded), "%s: encoded '%s'", row->name,
		      str_text(&encoded));
	}
}

static const struct {
	const char *name, *encoded, *text;
} hostile[] = {
	{ "escape sequences", "%1b[2J\x1b]0;x%07", "[2J]0;x" },
	{ "newline, tab, DEL", "a%0Ab\tc%7f", "abc" },
	{ "C1 as UTF-8", "a%C2%9B31m", "a31m" },
	{ "NUL", "a%00b", "ab" },
	{ "no UTF-8", "a%ff\xfe%c3", "a" },
	{ "no escape", "50% of %4 %zz %", "50% of %4 %zz %" },
	{ "lower case", "%c3%a4", "\xc3\xa4" },
};

static void hostile_texts(void **state)
{
	(void)state;
	each_row(hostile, row) {
		char got[RPC_TEXT_MAX + 1];

		rpc_text_decode(span_of(row->encoded), got);
		check(strcmp(got, row->text) == 0, "%s: '%s'", row->name, got);
	}
}

static void long_texts_are_cut(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	char got[RPC_TEXT_MAX + 1];
	struct rpc_status status;

	(void)state;
	str_add_char(&text, 'x');
	while (text.len < 4000)
		str_add(&text, "\xc3\xa4");
	rpc_text_decode(str_span(&text), got);
	assert_int_equal(strlen(got), RPC_TEXT_MAX - 1); /* no half of a character */
	rpc_status_set(&status, RPC_INTERNAL, "%s", str_text(&text));
	assert_string_equal(status.text, got);
}

static const struct {
	const char *text;
	enum rpc_code code;
} codes[] = {
	{ "0", RPC_OK },
	{ "2", RPC_UNKNOWN },
	{ "16", RPC_UNAUTHENTICATED },
	{ "17", RPC_UNKNOWN },
	{ "", RPC_UNKNOWN },
	{ "-1", RPC_UNKNOWN },
	{ " 5", RPC_UNKNOWN },
	{ "5x", RPC_UNKNOWN },
	{ "99999999999999999999", RPC_UNKNOWN },
	{ "12", RPC_UNIMPLEMENTED },
};

static void code_texts(void **state)
{
	(void)state;
	each_row(codes, row)
		check(rpc_code_parse(span_of(row->text)) == row->code, "'%s'", row->text);
	assert_string_equal(rpc_code_name(RPC_OK), "OK");
	assert_string_equal(rpc_code_name(RPC_UNAUTHENTICATED), "UNAUTHENTICATED");
	for (int code = RPC_OK; code <= RPC_UNAUTHENTICATED; code++)
		assert_non_null(rpc_code_name((enum rpc_code)code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_both_ways),
		cmocka_unit_test(hostile_texts),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(code_texts),
	};

	return unit_main(tests);
}
