/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/challenge.h. */
#include "registry/challenge.h"

#include "base/mem.h"
#include "base/str.h"
#include "unit.h"

#define REALM "realm=\"https://auth.example.com/token\""

/* The name is the header; params as "key=value" lines. NULL scheme: refused. */
static const struct {
	const char *name;
	const char *scheme;
	const char *params;
} vectors[] = {
	/* image-format.md 15, www_authenticate */
	{ "Bearer " REALM ",service=\"registry.example.com\",scope=\"repository:a/b:pull,push\"",
	  "Bearer",
	  "realm=https://auth.example.com/token\nservice=registry.example.com\n"
	  "scope=repository:a/b:pull,push\n" },
	{ "Bearer realm=\"https://a/t?x=1\", service=\"s\" , scope=\"r\"", "Bearer",
	  "realm=https://a/t?x=1\nservice=s\nscope=r\n" },
	{ "basic realm=\"x\"", "basic", "realm=x\n" },
	{ "Bearer a=b,c=\"d\"", "Bearer", "a=b\nc=d\n" },
	{ "Bearer realm=\"a\\\"b\"", "Bearer", "realm=a\"b\n" },
	{ "Negotiate, Basic realm=\"r\"", "Negotiate", "" },
	{ "Bearer ", NULL, NULL },
	{ "Bearer whatever", NULL, NULL },
	/* cli.md 3.9 */
	{ "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
	  "scope=\"repository:samalba/my-app:pull,push\"",
	  "Bearer",
	  "realm=https://auth.docker.io/token\nservice=registry.docker.io\n"
	  "scope=repository:samalba/my-app:pull,push\n" },
	{ "Bearer realm=\"x\", service=\"y\"", "Bearer", "realm=x\nservice=y\n" },
	/* ours */
	{ "", "", "" },
	{ " , ,\t", "", "" },
	{ "Whatever", "Whatever", "" },
	{ "Basic", "Basic", "" },
	{ "Bearer", NULL, NULL },
	{ "BEARER Realm=x", "BEARER", "realm=x\n" },
	{ "Bearer realm = \"x\" ,\tservice\t=y", "Bearer", "realm=x\nservice=y\n" },
	{ ", Bearer realm=x,,", "Bearer", "realm=x\n" },
	{ "Bearer realm=https://h:5000/t?a=b&c", "Bearer", "realm=https://h:5000/t?a=b&c\n" },
	{ "Bearer realm=", "Bearer", "realm=\n" },
	{ "Bearer realm=\"\"", "Bearer", "realm=\n" },
	{ "Bearer realm=\"a\\\\b\\c\"", "Bearer", "realm=a\\bc\n" },
	{ "Negotiate YWJj", "Negotiate", "" },
	{ "Negotiate YWJj==", "Negotiate", "" },
	{ "Digest realm=\"x\",nonce=\"a,b=c\"", "Digest", "realm=x\nnonce=a,b=c\n" },
	{ "Other a=b", "Other", "a=b\n" },
	{ "Basic dXNlcg", NULL, NULL },
	{ "Bearer realm=\"x", NULL, NULL },
	{ "Bearer realm=\"x\\", NULL, NULL },
	{ "Bearer realm=\"x\\\"", NULL, NULL },
	{ "Bearer realm=\"x\" service=\"y\"", NULL, NULL },
	{ "Bearer realm=\"x\"y", NULL, NULL },
	{ "Bearer realm=x y", NULL, NULL },
	{ "Bearer realm=x,realm=y", NULL, NULL },
	{ "Bearer realm=x,REALM=x", NULL, NULL },
	{ "Bearer realm=\"x\ny\"", NULL, NULL },
	{ "Bearer realm=\"x\x7f\"", NULL, NULL },
	{ "Bearer=x", NULL, NULL },
	{ "=x", NULL, NULL },
	{ "\"Bearer\" realm=x", NULL, NULL },
	{ "B\xc3\xa4rer realm=x", NULL, NULL },
};

static void join_params(const struct challenge *challenge, struct str *out)
{
	vec_each(&challenge->params, p)
		str_addf(out, "%s=%s\n", p->key, p->value);
}

static void parses_the_first(void **state)
{
	(void)state;
	each_row(vectors, row) {
		CLEANUP(challenge_list_done) struct challenge_list list = { 0 };
		CLEANUP_STR struct str params = { 0 };
		struct err err = { 0 };
		bool ok = challenge_list_parse(span_of(row->name), &list, &err);

		check(ok == !!row->scheme, "'%s': %s", row->name, ok ? "accepted" : err.text);
		check(ok || list.items.n == 0, "'%s': something is left", row->name);
		if (!ok || !*row->scheme) {
			check(list.items.n == 0, "'%s': %zu", row->name, list.items.n);
			continue;
		}
		check(strcmp(list.items.v->scheme_text, row->scheme) == 0, "'%s': scheme %s",
		      row->name, list.items.v->scheme_text);
		join_params(list.items.v, &params);
		check(strcmp(str_text(&params), row->params) == 0, "'%s': got %s", row->name,
		      str_text(&params));
	}
}

static const struct {
	const char *name;
	const char *headers[3];
	enum challenge_scheme scheme;
	const char *scheme_text; /* NULL: none can be answered */
	const char *realm;       /* or else the error */
} choices[] = {
	{ "no header",
	  { NULL },
	  CHALLENGE_OTHER,
	  NULL,
	  "got HTTP 401, but WWW-Authenticate header is missing" },
	{ "empty headers",
	  { "", " , " },
	  CHALLENGE_OTHER,
	  NULL,
	  "got HTTP 401, but WWW-Authenticate header is missing" },
	{ "one", { "Bearer realm=a" }, CHALLENGE_BEARER, "Bearer", "a" },
	{ "Bearer after Basic",
	  { "Basic realm=a, bearer realm=b" },
	  CHALLENGE_BEARER,
	  "bearer",
	  "b" },
	{ "Bearer before Basic",
	  { "Bearer realm=b, Basic realm=a" },
	  CHALLENGE_BEARER,
	  "Bearer",
	  "b" },
	{ "first of two Bearers",
	  { "Bearer realm=a", "Bearer realm=b" },
	  CHALLENGE_BEARER,
	  "Bearer",
	  "a" },
	{ "in another header",
	  { "Negotiate", "Digest realm=c", "Basic realm=a" },
	  CHALLENGE_BASIC,
	  "Basic",
	  "a" },
	{ "after a bare scheme",
	  { "Negotiate, Basic realm=\"r\"" },
	  CHALLENGE_BASIC,
	  "Basic",
	  "r" },
	{ "after token68", { "Negotiate YWI=, Basic realm=\"r\"" }, CHALLENGE_BASIC, "Basic", "r" },
	{ "Basic without a realm", { "Basic" }, CHALLENGE_BASIC, "Basic", NULL },
	{ "only others", { "Digest realm=a", "Hawk realm=b" }, CHALLENGE_OTHER, "Digest", "a" },
	{ "malformed after a good one",
	  { "Basic realm=a, Bearer realm=\"b" },
	  CHALLENGE_BASIC,
	  "Basic",
	  "a" },
	{ "malformed header first",
	  { "Bearer realm=\"b", "Basic realm=a" },
	  CHALLENGE_BASIC,
	  "Basic",
	  "a" },
	{ "Bearer without a realm, and Basic",
	  { "Bearer service=s, Basic realm=a" },
	  CHALLENGE_BASIC,
	  "Basic",
	  "a" },
	{ "Bearer without a realm",
	  { "Bearer a=b,c=\"d\"" },
	  CHALLENGE_OTHER,
	  NULL,
	  "malformed WWW-Authenticate header: Bearer without a realm" },
	{ "Bearer with an empty realm",
	  { "Bearer realm=\"\"" },
	  CHALLENGE_OTHER,
	  NULL,
	  "malformed WWW-Authenticate header: Bearer without a realm" },
	{ "bare word",
	  { "Whatever" },
	  CHALLENGE_OTHER,
	  NULL,
	  "authentication scheme 'Whatever' without directives is unsupported" },
	{ "no directives",
	  { "Bearer " },
	  CHALLENGE_OTHER,
	  NULL,
	  "malformed WWW-Authenticate header: Bearer without directives" },
	{ "no equals sign",
	  { "Bearer whatever" },
	  CHALLENGE_OTHER,
	  NULL,
	  "malformed WWW-Authenticate header: key=value is expected" },
	{ "the first problem is told",
	  { "Bearer whatever", "Negotiate" },
	  CHALLENGE_OTHER,
	  NULL,
	  "malformed WWW-Authenticate header: key=value is expected" },
};

static void chooses_what_can_be_answered(void **state)
{
	(void)state;
	each_row(choices, row) {
		CLEANUP(challenge_done) struct challenge got = { 0 };
		struct span headers[3];
		struct err err = { 0 };
		size_t n = 0;
		bool ok;

		while (n < ARRAY_LEN(headers) && row->headers[n]) {
			headers[n] = span_of(row->headers[n]);
			n++;
		}
		ok = challenge_choose(headers, n, &got, &err);
		check(ok == !!row->scheme_text, "%s: %s", row->name, ok ? "accepted" : err.text);
		if (!ok) {
			check(strcmp(err.text, row->realm) == 0, "%s: %s", row->name, err.text);
			check(!got.scheme_text, "%s: output touched", row->name);
			continue;
		}
		check(got.scheme == row->scheme && strcmp(got.scheme_text, row->scheme_text) == 0,
		      "%s: scheme %s", row->name, got.scheme_text);
		check(!got.realm == !row->realm &&
			      (!got.realm || strcmp(got.realm, row->realm) == 0),
		      "%s: realm %s", row->name, got.realm ? got.realm : "none");
	}
}

static void finds_the_parts_of_a_bearer(void **state)
{
	CLEANUP(challenge_done) struct challenge got = { 0 };
	struct span header = span_of("Bearer scope=\"a:b:pull,push\",x=1,SERVICE=s,realm=r");
	struct err err = { 0 };

	(void)state;
	assert_true(challenge_choose(&header, 1, &got, &err));
	assert_string_equal(got.realm, "r");
	assert_string_equal(got.service, "s");
	assert_string_equal(got.scope, "a:b:pull,push");
}

static void refuses_what_is_too_long(void **state)
{
	CLEANUP_STR struct str header = { 0 };
	CLEANUP(challenge_done) struct challenge got = { 0 };
	struct err err = { 0 };
	struct span text;

	(void)state;
	str_add(&header, "Basic realm=");
	while (header.len < CHALLENGE_HEADER_MAX)
		str_add_char(&header, 'x');
	text = str_span(&header);
	assert_true(challenge_choose(&text, 1, &got, &err));
	str_add_char(&header, 'x');
	text = str_span(&header);
	assert_false(challenge_choose(&text, 1, &got, &err));
	assert_string_equal(err.text, "WWW-Authenticate header is longer than 8192 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_the_first),
		cmocka_unit_test(chooses_what_can_be_answered),
		cmocka_unit_test(finds_the_parts_of_a_bearer),
		cmocka_unit_test(refuses_what_is_too_long),
	};

	return unit_main(tests);
}
