/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the JSON parser, base/json_parse.c: what is refused and where, and what comes back as it went in. */
#include "base/json.h"

#include "unit.h"

static const struct {
	const char *name;
	const char *text;
	const char *compact; /* NULL = as `text` */
} accepted[] = {
	{ "null", "null", NULL },
	{ "true", "true", NULL },
	{ "false", "false", NULL },
	{ "largest 64-bit number", "18446744073709551615", NULL },
	{ "beyond 64 bits", "184467440737095516150", NULL },
	{ "beyond 53 bits", "9007199254740993", NULL },
	{ "trailing zero", "0.10", NULL },
	{ "beyond a double", "1e400", NULL },
	{ "upper-case exponent with plus", "1E+2", NULL },
	{ "negative zero", "-0", NULL },
	{ "negative fraction", "-0.5e-7", NULL },
	{ "empty string", "\"\"", NULL },
	{ "slash", "\"a\\/b\"", "\"a/b\"" },
	{ "short escapes", "\"\\b\\t\\n\\f\\r\\\"\\\\\"", NULL },
	{ "control character", "\"\\u001f\"", NULL },
	{ "delete", "\"\177\"", "\"\\u007f\"" },
	{ "escaped ASCII", "\"\\u0041\"", "\"A\"" },
	{ "either case of hexadecimal", "\"\\u20aC\"", "\"\xe2\x82\xac\"" },
	{ "surrogate pair", "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
	{ "UTF-8", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", NULL },
	{ "empty array", "[]", NULL },
	{ "empty object", "{}", NULL },
	{ "nested", "{\"a\":[1,{\"b\":null}],\"c\":{}}", NULL },
	{ "order of members", "{\"z\":1,\"a\":2,\"m\":3}", NULL },
	{ "empty key", "{\"\":1}", NULL },
	{ "escaped key", "{\"\\u0061\\n\":1}", "{\"a\\n\":1}" },
	{ "space everywhere", " \t\r\n[ 1 , { \"a\" : 2 } ] \n", "[1,{\"a\":2}]" },
};

static void gives_back_what_it_was_given(void **state)
{
	(void)state;
	each_row(accepted, row) {
		CLEANUP_JSON struct json *root = NULL;
		CLEANUP_STR struct str out = { 0 };
		struct err err = { 0 };

		check(json_parse(span_of(row->text), &root, &err), "%s: %s", row->name, err.text);
		json_print(root, JSON_COMPACT, &out);
		check(strcmp(str_text(&out), row->compact ? row->compact : row->text) == 0,
		      "%s: '%s'", row->name, str_text(&out));
	}
}

static const struct {
	const char *name;
	const char *text;
	const char *message;
} refused[] = {
	{ "nothing", "", "invalid JSON at byte 0: not a JSON value" },
	{ "only space", "  ", "invalid JSON at byte 2: not a JSON value" },
	{ "cut-off word", "tru", "invalid JSON at byte 0: not a JSON value" },
	{ "word in capitals", "True", "invalid JSON at byte 0: not a JSON value" },
	{ "not a number", "NaN", "invalid JSON at byte 0: not a JSON value" },
	{ "text after the value", "1 x", "invalid JSON at byte 2: text after the value" },
	{ "word too long", "nullx", "invalid JSON at byte 4: text after the value" },
	{ "leading zero", "[01]", "invalid JSON at byte 3: a number with a leading zero" },
	{ "leading plus", "+1", "invalid JSON at byte 0: not a JSON value" },
	{ "only a minus", "-", "invalid JSON at byte 1: not a JSON value" },
	{ "no digits before the point", ".5", "invalid JSON at byte 0: not a JSON value" },
	{ "no digits after the point", "1.",
	  "invalid JSON at byte 2: a number without digits after the point" },
	{ "no digits in the exponent", "1e+",
	  "invalid JSON at byte 3: a number without digits in its exponent" },
	{ "hexadecimal", "0x10", "invalid JSON at byte 1: text after the value" },
	{ "string without an end", "\"ab", "invalid JSON at byte 3: a string without an end" },
	{ "end escaped", "\"ab\\\"", "invalid JSON at byte 5: a string without an end" },
	{ "newline in a string", "\"a\nb\"",
	  "invalid JSON at byte 2: a control character in a string" },
	{ "unknown escape", "\"\\x41\"", "invalid JSON at byte 2: an unknown escape" },
	{ "escape at the end", "\"\\", "invalid JSON at byte 2: an unknown escape" },
	{ "escaped NUL", "\"\\u0000\"", "invalid JSON at byte 7: a NUL in a string" },
	{ "cut-off escape", "\"\\u12", "invalid JSON at byte 5: a cut-off \\u escape" },
	{ "escape not hexadecimal", "\"\\u12g4\"",
	  "invalid JSON at byte 7: a \\u escape that is not hexadecimal" },
	{ "low surrogate alone", "\"\\ude00\"", "invalid JSON at byte 7: a lone surrogate" },
	{ "high surrogate alone", "\"\\ud83d\"", "invalid JSON at byte 7: a lone surrogate" },
	{ "high surrogate, then text", "\"\\ud83dx\"", "invalid JSON at byte 7: a lone surrogate" },
	{ "two high surrogates", "\"\\ud83d\\ud83d\"",
	  "invalid JSON at byte 13: a lone surrogate" },
	{ "surrogate in UTF-8", "\"\xed\xa0\x80\"", "invalid JSON at byte 1: not UTF-8" },
	{ "overlong UTF-8", "\"\xc0\xaf\"", "invalid JSON at byte 1: not UTF-8" },
	{ "Latin-1", "\"caf\xe9\"", "invalid JSON at byte 4: not UTF-8" },
	{ "byte order mark", "\xef\xbb\xbf{}", "invalid JSON at byte 0: not a JSON value" },
	{ "key given twice", "{\"a\":1,\"a\":2}", "invalid JSON at byte 10: a key given twice" },
	{ "key given twice, escaped", "{\"a\":1,\"\\u0061\":2}",
	  "invalid JSON at byte 15: a key given twice" },
	{ "key without a colon", "{\"a\" 1}", "invalid JSON at byte 5: a key without ':'" },
	{ "key without a value", "{\"a\":}", "invalid JSON at byte 5: not a JSON value" },
	{ "key that is no string", "{1:2}", "invalid JSON at byte 1: not a JSON string" },
	{ "comma before the end", "[1,]", "invalid JSON at byte 3: not a JSON value" },
	{ "comma before the brace", "{\"a\":1,}", "invalid JSON at byte 7: not a JSON string" },
	{ "comma missing", "[1 2]", "invalid JSON at byte 3: a container without an end" },
	{ "array closed as an object", "[1}",
	  "invalid JSON at byte 2: a container without an end" },
	{ "array without an end", "[[1]", "invalid JSON at byte 4: a container without an end" },
	{ "comment", "/* */1", "invalid JSON at byte 0: not a JSON value" },
};

static void says_what_is_wrong_and_where(void **state)
{
	(void)state;
	each_row(refused, row) {
		struct json *root = NULL;
		struct err err = { 0 };

		check(!json_parse(span_of(row->text), &root, &err), "%s: accepted", row->name);
		check(!root, "%s: touched its result", row->name);
		check(err.kind == ERR_GENERAL && strcmp(err.text, row->message) == 0, "%s: '%s'",
		      row->name, err.text);
	}
}

static void a_nul_byte_does_not_end_the_text(void **state)
{
	struct json *root = NULL;
	struct err err = { 0 };

	(void)state;
	assert_false(json_parse(span_make("1\0", 2), &root, &err));
	assert_string_equal(err.text, "invalid JSON at byte 1: text after the value");
	assert_false(json_parse(span_make("\"a\0b\"", 5), &root, &err));
	assert_false(json_parse(span_make("\"\\\0\"", 4), &root, &err));
}

static void add_times(struct str *text, const char *what, int times)
{
	while (times-- > 0)
		str_add(text, what);
}

static bool parse_nested(const char *open, const char *middle, const char *close, int depth)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_JSON struct json *root = NULL;
	struct err err = { 0 };
	bool ok;

	add_times(&text, open, depth);
	str_add(&text, middle);
	add_times(&text, close, depth);
	ok = json_parse(str_span(&text), &root, &err);
	if (!ok)
		assert_non_null(strstr(err.text, ": nested too deeply"));
	return ok;
}

static void depth_has_a_limit(void **state)
{
	(void)state;
	assert_true(parse_nested("[", "", "]", JSON_DEPTH_MAX));
	assert_false(parse_nested("[", "", "]", JSON_DEPTH_MAX + 1));
	assert_true(parse_nested("{\"a\":", "1", "}", JSON_DEPTH_MAX));
	assert_false(parse_nested("{\"a\":", "1", "}", JSON_DEPTH_MAX + 1));
	assert_false(parse_nested("[", "", "]", 1000000));
}

static void depth_counts_open_containers_only(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_JSON struct json *root = NULL;
	struct err err = { 0 };

	(void)state;
	str_add(&text, "[");
	add_times(&text, "[],", 10 * JSON_DEPTH_MAX);
	str_add(&text, "[]]");
	assert_true(json_parse(str_span(&text), &root, &err));
	assert_int_equal(json_count(root), 10 * JSON_DEPTH_MAX + 1);
}

static bool parse_members(int n)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_JSON struct json *root = NULL;
	struct err err = { 0 };
	bool ok;

	str_add(&text, "{");
	for (int i = 0; i < n; i++)
		str_addf(&text, "%s\"%d\":%d", i ? "," : "", i, i);
	str_add(&text, "}");
	ok = json_parse(str_span(&text), &root, &err);
	if (!ok)
		assert_non_null(strstr(err.text, ": too many members"));
	return ok;
}

static void members_have_a_limit(void **state)
{
	(void)state;
	assert_true(parse_members(JSON_MEMBERS_MAX));
	assert_false(parse_members(JSON_MEMBERS_MAX + 1));
}

/* Numbers in an array; the array is a value, too. */
static bool parse_numbers(size_t n)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_JSON struct json *root = NULL;
	struct err err = { 0 };
	bool ok;

	for (size_t i = 0; i < n; i++)
		str_add(&text, i ? ",1" : "[1");
	str_add(&text, "]");
	ok = json_parse(str_span(&text), &root, &err);
	if (!ok)
		assert_non_null(strstr(err.text, ": too many values"));
	return ok;
}

static void values_have_a_limit(void **state)
{
	(void)state;
	assert_true(parse_numbers(JSON_NODES_MAX - 1));
	assert_false(parse_numbers(JSON_NODES_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_what_it_was_given),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(a_nul_byte_does_not_end_the_text),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(depth_counts_open_containers_only),
		cmocka_unit_test(members_have_a_limit),
		cmocka_unit_test(values_have_a_limit),
	};

	return unit_main(tests);
}
