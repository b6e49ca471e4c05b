/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/session_error.h. */
#include "registry/session_error.h"

#include <string.h>

#include "unit.h"

#define ERRORS(list) "{\"errors\":[" list "]}"

static const struct {
	const char *name;
	int status;
	const char *body;
	enum refusal_view view;
	const char *text;
	const char *detail;
} rows[] = {
	{ "nothing but a status", 500, "", REFUSAL_PULL, "HTTP 500", "" },
	{ "code and message", 500, ERRORS("{\"code\":\"UNKNOWN\",\"message\":\"oh no\"}"),
	  REFUSAL_PULL, "HTTP 500: UNKNOWN: oh no", "" },
	{ "code alone", 500, ERRORS("{\"code\":\"UNKNOWN\"}"), REFUSAL_PULL, "HTTP 500: UNKNOWN",
	  "" },
	{ "message alone", 500, ERRORS("{\"message\":\"oh\"}"), REFUSAL_PULL, "HTTP 500: oh", "" },
	{ "several", 500,
	  ERRORS("{\"code\":\"A\"},{\"code\":\"B\",\"message\":\"b\"},{\"code\":\"C\"},{\"code\":\"D\"}"),
	  REFUSAL_PULL, "HTTP 500: A; B: b; C", "" },
	{ "of other types", 500, ERRORS("{\"code\":1,\"message\":[\"x\"]},7,null"), REFUSAL_PULL,
	  "HTTP 500", ERRORS("{\"code\":1,\"message\":[\"x\"]},7,null") },
	{ "line ends in a message", 500,
	  ERRORS("{\"code\":\"A\",\"message\":\" two\\r\\n\\t lines \"}"), REFUSAL_PULL,
	  "HTTP 500: A: two lines", "" },
	{ "a page", 502, "<html>\n\n  <body>Bad   gateway\n</html>\n", REFUSAL_PULL, "HTTP 502",
	  "<html> <body>Bad gateway </html>" },
	{ "other JSON", 500, "{\"message\":\"x\"}", REFUSAL_PULL, "HTTP 500",
	  "{\"message\":\"x\"}" },
	{ "errors that are no list", 500, "{\"errors\":{}}", REFUSAL_PULL, "HTTP 500",
	  "{\"errors\":{}}" },

	{ "pulling: who are you", 401, "", REFUSAL_PULL, "HTTP 401 (private, misspelt, or log in)",
	  "" },
	{ "pulling: no", 403, "", REFUSAL_PULL, "HTTP 403 (private, misspelt, or log in)", "" },
	{ "pulling: what", 404, ERRORS("{\"code\":\"NAME_UNKNOWN\"}"), REFUSAL_PULL,
	  "HTTP 404: NAME_UNKNOWN (private, misspelt, or log in)", "" },
	{ "pushing: who are you", 401, "", REFUSAL_PUSH,
	  "HTTP 401 (log in with an account that may push there)", "" },
	{ "pushing: no", 403, ERRORS("{\"code\":\"DENIED\"}"), REFUSAL_PUSH,
	  "HTTP 403: DENIED (log in with an account that may push there)", "" },
	{ "pushing: where", 404, "", REFUSAL_PUSH, "HTTP 404 (does the repository exist?)", "" },
	{ "asking: no", 401, "", REFUSAL_PING, "HTTP 401", "" },
	{ "asking: what", 404, "", REFUSAL_PING, "HTTP 404 (no registry answers there)", "" },
	{ "too many", 429, "", REFUSAL_PULL,
	  "HTTP 429 (the registry limits requests: wait, or log in)", "" },
	{ "too many, with another status", 403, ERRORS("{\"code\":\"TOOMANYREQUESTS\"}"),
	  REFUSAL_PULL, "HTTP 403: TOOMANYREQUESTS (the registry limits requests: wait, or log in)",
	  "" },
	{ "token server", 401, "your password is x", REFUSAL_TOKEN,
	  "HTTP 401 (wrong user name or password?)", "" },
	{ "token server, usual form", 401, ERRORS("{\"code\":\"DENIED\"}"), REFUSAL_TOKEN,
	  "HTTP 401: DENIED (wrong user name or password?)", "" },
	{ "token server, nobody", 403, "x", REFUSAL_ANONYMOUS_TOKEN,
	  "HTTP 403 (private, misspelt, or log in)", "" },
	{ "token server, other", 500, "x", REFUSAL_TOKEN, "HTTP 500", "" },
};

static void describes(void **state)
{
	(void)state;
	each_row(rows, row) {
		struct err err = { 0 };

		assert_false(refusal_describe(row->status, span_of(row->body), row->view, &err));
		check(strcmp(err.text, row->text) == 0, "%s: '%s'", row->name, err.text);
		check(strcmp(err.detail, row->detail) == 0, "%s: detail '%s'", row->name,
		      err.detail);
		check(err.kind == ERR_GENERAL, "%s", row->name);
	}
}

static void shows_a_thousand_characters(void **state)
{
	CLEANUP_STR struct str body = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		str_add_char(&body, 'x');
	(void)refusal_describe(500, str_span(&body), REFUSAL_PULL, &err);
	assert_string_equal(err.detail, str_text(&body));
	str_add(&body, " y");
	(void)refusal_describe(500, str_span(&body), REFUSAL_PULL, &err);
	assert_int_equal(strlen(err.detail), 1003);
	assert_string_equal(err.detail + 999, "x...");
}

static void a_nul_is_not_the_end(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)refusal_describe(500, span_make("a\0\0b", 4), REFUSAL_PULL, &err);
	assert_string_equal(err.detail, "a b");
}

static void cuts_messages(void **state)
{
	CLEANUP_STR struct str body = { 0 };
	struct err err = { 0 };

	(void)state;
	str_add(&body, "{\"errors\":[{\"code\":\"A\",\"message\":\"");
	for (int i = 0; i < 201; i++)
		str_add(&body, "\xc3\xa4");
	str_add(&body, "\"}]}");
	(void)refusal_describe(500, str_span(&body), REFUSAL_PULL, &err);
	assert_int_equal(strlen(err.text), strlen("HTTP 500: A: ") + 400 + 3);
	assert_string_equal(err.text + strlen(err.text) - 5, "\xc3\xa4...");
}

static void adds_what_is_asked_for(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)refusal_describe(429, span_of("slow"), REFUSAL_PUSH, &err);
	assert_false(refusal_add_wait(7200, &err));
	assert_string_equal(err.text,
			    "HTTP 429 (the registry limits requests: wait, or log in); it asks to "
			    "wait for 7200 s, try again later");
	assert_string_equal(err.detail, "slow");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes),
		cmocka_unit_test(shows_a_thousand_characters),
		cmocka_unit_test(a_nul_is_not_the_end),
		cmocka_unit_test(cuts_messages),
		cmocka_unit_test(adds_what_is_asked_for),
	};

	return unit_main(tests);
}
