/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/token.h. */
#include "registry/token.h"

#include "base/mem.h"
#include "base/str.h"
#include "unit.h"

#define NOW INT64_C(1780000000) /* 2026-05-28T20:26:40Z */

static const struct {
	const char *name; /* the answer */
	const char *text; /* NULL: refused */
	int64_t expires_at;
	int64_t renew_at;
} answers[] = {
	/* cli.md 3.10 */
	{ "{\"token\":\"some token\"}", "some token", NOW + 60, NOW + 55 },
	{ "{\"token\":\"some token\",\"expires_in\":2}", "some token", NOW + 2, NOW + 2 },
	{ "{\"token\":\"some token\",\"expires_in\":3600,\"issued_at\":\"1970-01-01T00:00:00Z\"}",
	  "some token", 3600, 3595 },
	{ "{}", NULL, 0, 0 },
	/* either name */
	{ "{\"access_token\":\"a\"}", "a", NOW + 60, NOW + 55 },
	{ "{\"access_token\":\"a\",\"token\":\"t\"}", "t", NOW + 60, NOW + 55 },
	{ "{\"access_token\":\"a\",\"token\":\"\"}", "a", NOW + 60, NOW + 55 },
	{ "{\"access_token\":\"a\",\"token\":null}", "a", NOW + 60, NOW + 55 },
	{ "{\"access_token\":7}", NULL, 0, 0 },
	{ "{\"token\":\"\"}", NULL, 0, 0 },
	{ "{\"tokens\":\"x\"}", NULL, 0, 0 },
	{ "[\"token\"]", NULL, 0, 0 },
	{ "\"token\"", NULL, 0, 0 },
	{ "", NULL, 0, 0 },
	{ "{\"token\":\"x\"", NULL, 0, 0 },
	{ "<html>", NULL, 0, 0 },
	/* what cannot be part of a header */
	{ "{\"token\":\"a\\nX: y\"}", NULL, 0, 0 },
	{ "{\"token\":\"a\\u007f\"}", NULL, 0, 0 },
	{ "{\"token\":\"\xc3\xa4\"}", NULL, 0, 0 },
	/* lifetimes */
	{ "{\"token\":\"x\",\"expires_in\":5}", "x", NOW + 5, NOW + 5 },
	{ "{\"token\":\"x\",\"expires_in\":6}", "x", NOW + 6, NOW + 1 },
	{ "{\"token\":\"x\",\"expires_in\":86400}", "x", NOW + 86400, NOW + 86395 },
	{ "{\"token\":\"x\",\"expires_in\":86401}", "x", NOW + 86400, NOW + 86395 },
	{ "{\"token\":\"x\",\"expires_in\":99999999999999999999999}", "x", NOW + 86400,
	  NOW + 86395 },
	{ "{\"token\":\"x\",\"expires_in\":300.75}", "x", NOW + 300, NOW + 295 },
	{ "{\"token\":\"x\",\"expires_in\":\"300\"}", "x", NOW + 300, NOW + 295 },
	{ "{\"token\":\"x\",\"expires_in\":3e2}", "x", NOW + 60, NOW + 55 },
	{ "{\"token\":\"x\",\"expires_in\":0}", "x", NOW + 60, NOW + 55 },
	{ "{\"token\":\"x\",\"expires_in\":0.5}", "x", NOW + 60, NOW + 55 },
	{ "{\"token\":\"x\",\"expires_in\":-1}", "x", NOW + 60, NOW + 55 },
	{ "{\"token\":\"x\",\"expires_in\":\"\"}", "x", NOW + 60, NOW + 55 },
	{ "{\"token\":\"x\",\"expires_in\":null}", "x", NOW + 60, NOW + 55 },
	{ "{\"token\":\"x\",\"expires_in\":{}}", "x", NOW + 60, NOW + 55 },
	/* beginnings */
	{ "{\"token\":\"x\",\"issued_at\":\"2026-05-28T20:26:10Z\"}", "x", NOW + 30, NOW + 25 },
	{ "{\"token\":\"x\",\"issued_at\":\"2026-05-28T22:26:10.123456789+02:00\"}", "x", NOW + 30,
	  NOW + 25 },
	{ "{\"token\":\"x\",\"issued_at\":\"2026-05-28T20:26:41Z\"}", "x", NOW + 60, NOW + 55 },
	{ "{\"token\":\"x\",\"issued_at\":\"9999-12-31T23:59:59Z\"}", "x", NOW + 60, NOW + 55 },
	{ "{\"token\":\"x\",\"issued_at\":\"0001-01-01T00:00:00Z\"}", "x", NOW + 60, NOW + 55 },
	{ "{\"token\":\"x\",\"issued_at\":\"yesterday\"}", "x", NOW + 60, NOW + 55 },
	{ "{\"token\":\"x\",\"issued_at\":1700000000}", "x", NOW + 60, NOW + 55 },
};

static void parses_answers(void **state)
{
	(void)state;
	each_row(answers, row) {
		CLEANUP(token_done) struct token token = { 0 };
		struct err err = { 0 };
		bool ok = token_parse(span_of(row->name), NOW, &token, &err);

		check(ok == !!row->text, "%s: %s", row->name, ok ? "accepted" : err.text);
		if (!ok) {
			check(!token.text && err.kind == ERR_GENERAL, "%s: output", row->name);
			check(!strstr(err.text, "some"), "%s: quoted", row->name);
			continue;
		}
		check(strcmp(token.text, row->text) == 0, "%s: text %s", row->name, token.text);
		check(token.expires_at == row->expires_at, "%s: expires at %lld", row->name,
		      (long long)token.expires_at);
		check(token.renew_at == row->renew_at, "%s: renewed at %lld", row->name,
		      (long long)token.renew_at);
	}
}

static void is_valid_until_it_is_renewed(void **state)
{
	CLEANUP(token_done) struct token token = { 0 };
	const struct token none = { .expires_at = NOW, .renew_at = NOW };
	struct err err = { 0 };

	(void)state;
	assert_true(token_parse(span_of("{\"token\":\"x\",\"expires_in\":2}"), NOW, &token, &err));
	assert_true(token_is_valid(&token, NOW));
	assert_true(token_is_valid(&token, NOW + 1));
	assert_false(token_is_valid(&token, NOW + 2));
	assert_false(token_is_valid(&none, 0));
}

static const struct {
	const char *name; /* the time */
	int64_t want;     /* -1: refused */
} times[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1970-01-01t00:00:01z", 1 },
	{ "1970-01-01 00:00:01Z", 1 },
	{ "1970-01-01T00:00:00.9Z", 0 },
	{ "1970-01-01T01:00:00+01:00", 0 },
	{ "1969-12-31T23:30:00-00:30", 0 },
	{ "2000-02-29T12:34:56Z", 951827696 },
	{ "2026-05-12T21:45:18Z", 1778622318 },
	{ "2038-01-19T03:14:08Z", INT64_C(2147483648) },
	{ "9999-12-31T23:59:60Z", INT64_C(253402300800) },
	{ "1900-02-29T00:00:00Z", -1 },
	{ "2026-02-29T00:00:00Z", -1 },
	{ "2026-00-01T00:00:00Z", -1 },
	{ "2026-13-01T00:00:00Z", -1 },
	{ "2026-04-31T00:00:00Z", -1 },
	{ "2026-04-00T00:00:00Z", -1 },
	{ "2026-04-01T24:00:00Z", -1 },
	{ "2026-04-01T00:60:00Z", -1 },
	{ "2026-04-01T00:00:61Z", -1 },
	{ "2026-04-01T00:00:00", -1 },
	{ "2026-04-01T00:00:00.Z", -1 },
	{ "2026-04-01T00:00:00,5Z", -1 },
	{ "2026-04-01T00:00:00+0100", -1 },
	{ "2026-04-01T00:00:00+24:00", -1 },
	{ "2026-04-01T00:00:00Zx", -1 },
	{ "2026-04-01", -1 },
	{ "26-04-01T00:00:00Z", -1 },
	{ "+026-04-01T00:00:00Z", -1 },
	{ "", -1 },
};

static void parses_times(void **state)
{
	(void)state;
	each_row(times, row) {
		int64_t got = -1;

		(void)token_parse_time(span_of(row->name), &got);
		check(got == row->want, "%s: %lld", row->name, (long long)got);
	}
}

static void refuses_what_is_too_long(void **state)
{
	CLEANUP_STR struct str answer = { 0 };
	CLEANUP(token_done) struct token token = { 0 };
	struct err err = { 0 };

	(void)state;
	str_add(&answer, "{\"token\":\"");
	for (size_t i = 0; i < TOKEN_TEXT_MAX; i++)
		str_add_char(&answer, 'x');
	str_add(&answer, "\"}");
	assert_true(token_parse(str_span(&answer), NOW, &token, &err));
	str_truncate(&answer, answer.len - 2);
	str_add(&answer, "x\"}");
	assert_false(token_parse(str_span(&answer), NOW, &token, &err));
	assert_string_equal(err.text, "the token server's token has 65537 bytes, more than 65536");
	while (answer.len <= TOKEN_ANSWER_MAX)
		str_add_char(&answer, ' ');
	assert_false(token_parse(str_span(&answer), NOW, &token, &err));
	assert_string_equal(err.text, "the token server's answer is longer than 1048576 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_answers),
		cmocka_unit_test(is_valid_until_it_is_renewed),
		cmocka_unit_test(parses_times),
		cmocka_unit_test(refuses_what_is_too_long),
	};

	return unit_main(tests);
}
