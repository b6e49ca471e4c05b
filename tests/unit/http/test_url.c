/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/url.h. */
#include "http/url.h"

#include "base/mem.h"
#include "unit.h"

static const struct {
	const char *name;
	const char *text;
	const char *printed; /* NULL: refused */
	const char *peer;
} parse_rows[] = {
	{ "https", "https://ghcr.io/v2/", "https://ghcr.io/v2/", "ghcr.io" },
	{ "http with port", "http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000/v2/",
	  "127.0.0.1:5000" },
	{ "own port of https", "https://ghcr.io:443/", "https://ghcr.io/", "ghcr.io" },
	{ "own port of http", "http://ghcr.io:80/", "http://ghcr.io/", "ghcr.io" },
	{ "the other's port", "http://ghcr.io:443/", "http://ghcr.io:443/", "ghcr.io:443" },
	{ "colon without port", "http://a:/x", "http://a/x", "a" },
	{ "no path", "https://a", "https://a/", "a" },
	{ "query without path", "https://a?b=c", "https://a/?b=c", "a" },
	{ "fragment", "https://a/b?c#d", "https://a/b?c", "a" },
	{ "fragment without path", "https://a#d", "https://a/", "a" },
	{ "capitals", "HTTPS://GHCR.io/V2/", "https://ghcr.io/V2/", "ghcr.io" },
	{ "IPv6", "http://[::1]:5000/x", "http://[::1]:5000/x", "[::1]:5000" },
	{ "IPv6 in capitals, no port", "https://[FE80::A]/", "https://[fe80::a]/", "[fe80::a]" },
	{ "IPv4 in IPv6", "https://[::ffff:1.2.3.4]/", "https://[::ffff:1.2.3.4]/",
	  "[::ffff:1.2.3.4]" },
	{ "underscore", "http://my_registry/", "http://my_registry/", "my_registry" },
	{ "at sign in the path", "http://a/b@c", "http://a/b@c", "a" },
	{ "bytes above ASCII", "http://a/\xc3\xa4?\xff", "http://a/%C3%A4?%FF", "a" },
	{ "dots stay", "http://a/b/../c", "http://a/b/../c", "a" },
	{ "nothing", "", NULL, NULL },
	{ "no scheme", "ghcr.io/v2", NULL, NULL },
	{ "other scheme", "ftp://a/", NULL, NULL },
	{ "long scheme", "httpsssss://a/", NULL, NULL },
	{ "one slash", "http:/a/", NULL, NULL },
	{ "no host", "http:///a", NULL, NULL },
	{ "port alone", "http://:80/a", NULL, NULL },
	{ "user", "http://user@a/", NULL, NULL },
	{ "user and password", "http://user:secret@a/", NULL, NULL },
	{ "blank", "http://a/b c", NULL, NULL },
	{ "newline", "http://a/b\n", NULL, NULL },
	{ "tab", "http://a\t/", NULL, NULL },
	{ "DEL", "http://a/\x7f", NULL, NULL },
	{ "backslash in the host", "http://a\\b/", NULL, NULL },
	{ "percent in the host", "http://a%2eb/", NULL, NULL },
	{ "dots for a host", "http://../", NULL, NULL },
	{ "dash before the host", "http://-a/", NULL, NULL },
	{ "tilde in the host", "http://~a/", NULL, NULL },
	{ "bytes above ASCII in the host", "http://\xc3\xa4/", NULL, NULL },
	{ "port 0", "http://a:0/", NULL, NULL },
	{ "port too large", "http://a:65536/", NULL, NULL },
	{ "port with sign", "http://a:+80/", NULL, NULL },
	{ "two ports", "http://a:1:2/", NULL, NULL },
	{ "IPv6 without brackets", "http://::1/", NULL, NULL },
	{ "IPv6 not closed", "http://[::1/", NULL, NULL },
	{ "IPv6 malformed", "http://[::1::]/", NULL, NULL },
	{ "IPv6 with a zone", "http://[fe80::1%25eth0]/", NULL, NULL },
	{ "IPv4 in brackets", "http://[1.2.3.4]/", NULL, NULL },
	{ "text behind the bracket", "http://[::1]x/", NULL, NULL },
	{ "empty brackets", "http://[]/", NULL, NULL },
};

static void parses_and_prints(void **state)
{
	(void)state;
	each_row(parse_rows, row) {
		CLEANUP(url_done) struct url url = { 0 };
		CLEANUP_STR struct str printed = { 0 };
		CLEANUP_STR struct str peer = { 0 };
		struct err err = { 0 };
		bool ok = url_parse(span_of(row->text), &url, &err);

		check(ok == (row->printed != NULL), "%s: %s", row->name,
		      ok ? "accepted" : err.text);
		if (!ok) {
			check(err.kind == ERR_GENERAL && !url.host, "%s: half done", row->name);
			continue;
		}
		url_print(&url, &printed);
		url_print_peer(&url, &peer);
		check(strcmp(str_text(&printed), row->printed) == 0, "%s: got %s", row->name,
		      str_text(&printed));
		check(strcmp(str_text(&peer), row->peer) == 0, "%s: got %s", row->name,
		      str_text(&peer));
	}
}

/* `n` letters of path behind a host. */
static bool parses_long(const char *letter, size_t n)
{
	CLEANUP(url_done) struct url url = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	str_add(&text, "http://a/");
	for (size_t i = 0; i < n; i++)
		str_add(&text, letter);
	return url_parse(str_span(&text), &url, &err);
}

static void length_is_capped(void **state)
{
	(void)state;
	assert_true(parses_long("x", 8000));
	assert_false(parses_long("x", 8192));
	/* Each of them becomes three. */
	assert_true(parses_long("\xff", 2600));
	assert_false(parses_long("\xff", 2800));
}

static void errors_show_no_secrets(void **state)
{
	static const char *const texts[] = {
		"http://user:secret@host/",
		"user:secret@host",
		"http://host:0/?signature=secret",
		"ftp://host/#secret",
	};

	(void)state;
	each_row(texts, text) {
		CLEANUP(url_done) struct url url = { 0 };
		struct err err = { 0 };

		assert_false(url_parse(span_of(*text), &url, &err));
		check(!strstr(err.text, "secret"), "%s: %s", *text, err.text);
	}
}

static void compares_origins(void **state)
{
	static const struct {
		const char *name, *a, *b;
		bool same;
	} rows[] = {
		{ "paths do not matter", "https://a/x", "https://a/y", true },
		{ "cases do not matter", "https://A/", "https://a/", true },
		{ "port said and not said", "https://a:443/", "https://a/", true },
		{ "scheme", "https://a:80/", "http://a/", false },
		{ "host", "https://a/", "https://b/", false },
		{ "port", "https://a:1/", "https://a:2/", false },
		{ "part of a name", "https://a/", "https://a.b/", false },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP(url_done) struct url a = { 0 };
		CLEANUP(url_done) struct url b = { 0 };
		struct err err = { 0 };

		assert_true(url_parse(span_of(row->a), &a, &err));
		assert_true(url_parse(span_of(row->b), &b, &err));
		check(url_same_origin(&a, &b) == row->same, "%s", row->name);
	}
}

static const struct {
	const char *name, *base, *reference;
	const char *result; /* NULL: refused */
} resolve_rows[] = {
	{ "path with query", "https://example.com/v2/", "/v2/some/path?some=query",
	  "https://example.com/v2/some/path?some=query" },
	{ "other host", "https://example.com/v2/", "https://example.org/v2/some/path?some=query",
	  "https://example.org/v2/some/path?some=query" },
	{ "relative", "http://a:5000/v2/x/y?z", "uploads/1", "http://a:5000/v2/x/uploads/1" },
	{ "below", "http://a/v2/", "x", "http://a/v2/x" },
	{ "query only", "http://a/v2/x?y", "?z", "http://a/v2/x?z" },
	{ "nothing", "http://a/v2/x?y", "", "http://a/v2/x?y" },
	{ "fragment only", "http://a/v2/x?y", "#z", "http://a/v2/x?y" },
	{ "host only", "https://a/v2/x", "//b:1/c", "https://b:1/c" },
	{ "one up", "http://a/b/c/d", "../e", "http://a/b/e" },
	{ "up beyond the top", "http://a/b", "../../../e", "http://a/e" },
	{ "up to a folder", "http://a/b/c/d", "..", "http://a/b/" },
	{ "here", "http://a/b/c", ".", "http://a/b/" },
	{ "dots in the query stay", "http://a/b/c", "d?../e", "http://a/b/d?../e" },
	{ "dots inside names stay", "http://a/b", "c..d/.e", "http://a/c..d/.e" },
	{ "two slashes inside", "http://a/b", "/c//d", "http://a/c//d" },
	{ "dots of an absolute one", "http://a/b", "http://c/d/../e", "http://c/e" },
	{ "colon in a later segment", "http://a/b", "c/d:e", "http://a/c/d:e" },
	{ "colon in the query", "http://a/b", "?c:d", "http://a/b?c:d" },
	{ "IPv6 base", "http://[::1]:5000/v2/", "/x", "http://[::1]:5000/x" },
	{ "other scheme", "http://a/b", "ftp://c/d", NULL },
	{ "scheme without slashes", "http://a/b", "http:c", NULL },
	{ "script", "http://a/b", "javascript:alert(1)", NULL },
	{ "user", "http://a/b", "//user@c/", NULL },
	{ "blank", "http://a/b", "c d", NULL },
	{ "newline", "http://a/b", "/c\r\nX: y", NULL },
	{ "no host", "http://a/b", "//", NULL },
	{ "base is relative", "/v2/", "/x", NULL },
};

static void resolves(void **state)
{
	(void)state;
	each_row(resolve_rows, row) {
		CLEANUP_STR struct str out = { 0 };
		struct err err = { 0 };
		bool ok;

		str_add(&out, "<");
		ok = url_resolve(row->base, span_of(row->reference), &out, &err);
		check(ok == (row->result != NULL), "%s: %s", row->name,
		      ok ? str_text(&out) : err.text);
		check(strcmp(str_text(&out) + 1, ok ? row->result : "") == 0, "%s: got %s",
		      row->name, str_text(&out));
	}
}

static void refuses_long_references(void **state)
{
	CLEANUP_FREE char *reference = xcalloc(1, 8194);
	CLEANUP_STR struct str out = { 0 };
	struct err err = { 0 };

	(void)state;
	memset(reference, 'x', 8193);
	assert_false(url_resolve("http://a/", span_of(reference), &out, &err));
	assert_int_equal(out.len, 0);
}

static void adds_to_queries(void **state)
{
	static const struct {
		const char *name, *url, *result;
	} rows[] = {
		{ "no query", "http://a/b", "http://a/b?digest=sha256%3Aab" },
		{ "one", "http://a/b?_state=x", "http://a/b?_state=x&digest=sha256%3Aab" },
		{ "empty", "http://a/b?", "http://a/b?digest=sha256%3Aab" },
		{ "ends with &", "http://a/b?c&", "http://a/b?c&digest=sha256%3Aab" },
		{ "two question marks", "http://a/b?c?", "http://a/b?c?&digest=sha256%3Aab" },
		{ "fragment", "http://a/b?c#d?e", "http://a/b?c&digest=sha256%3Aab" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str url = { 0 };

		str_add(&url, row->url);
		url_add_query(&url, "digest", span_of("sha256:ab"));
		check(strcmp(str_text(&url), row->result) == 0, "%s: got %s", row->name,
		      str_text(&url));
	}
}

static void encodes(void **state)
{
	CLEANUP_STR struct str out = { 0 };

	(void)state;
	url_add_encoded(&out, span_make("aZ09-._~/ +&=%:\0\xff", 17));
	assert_string_equal(str_text(&out), "aZ09-._~%2F%20%2B%26%3D%25%3A%00%FF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints),
		cmocka_unit_test(length_is_capped),
		cmocka_unit_test(errors_show_no_secrets),
		cmocka_unit_test(compares_origins),
		cmocka_unit_test(resolves),
		cmocka_unit_test(refuses_long_references),
		cmocka_unit_test(adds_to_queries),
		cmocka_unit_test(encodes),
	};

	return unit_main(tests);
}
