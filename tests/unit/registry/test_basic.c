/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/basic.h. */
#include "registry/basic.h"

#include "base/base64.h"
#include "base/mem.h"
#include "unit.h"

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	const char *user, *password; /* NULL: refused */
} rows[] = {
	{ "plain", "user:password", 13, "user", "password" },
	{ "first colon", "user:a:b:", 9, "user", "a:b:" },
	{ "no user", ":password", 9, "", "password" },
	{ "no password", "user:", 5, "user", "" },
	{ "NULs at the end", "user:p\0\0", 8, "user", "p" },
	{ "identity token", "<token>:abc", 11, "<token>", "abc" },
	{ "any bytes", "\xc3\xa4:\n\xff", 5, "\xc3\xa4", "\n\xff" },
	{ "nothing", "", 0, NULL, NULL },
	{ "only a colon", ":", 1, NULL, NULL },
	{ "only a colon and NULs", ":\0", 2, NULL, NULL },
	{ "no colon", "user", 4, NULL, NULL },
	{ "NUL in the user", "us\0er:p", 7, NULL, NULL },
	{ "NUL in the password", "u:p\0q", 5, NULL, NULL },
};

static void splits_pairs(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP(credentials_done) struct credentials got = { 0 };
		CLEANUP_STR struct str text = { 0 };
		bool ok;

		base64_add(&text, span_make(row->bytes, row->len));
		ok = basic_decode(str_span(&text), &got);
		check(ok == !!row->user, "%s: %s", row->name, ok ? "accepted" : "refused");
		check(ok || (!got.user && !got.password), "%s: output", row->name);
		check(!ok || (strcmp(got.user, row->user) == 0 &&
			      strcmp(got.password, row->password) == 0),
		      "%s: '%s' '%s'", row->name, got.user, got.password);
	}
}

static void refuses_what_is_no_base64(void **state)
{
	CLEANUP(credentials_done) struct credentials got = { 0 };

	(void)state;
	assert_false(basic_decode(span_of("user:password"), &got));
	assert_false(basic_decode(span_of("dXNlcjpw cGFzcw=="), &got));
}

static void joins_what_it_splits(void **state)
{
	CLEANUP(credentials_done) struct credentials in = { xstrdup("me"), xstrdup("a:b c\n") };
	CLEANUP(credentials_done) struct credentials out = { 0 };
	CLEANUP_STR struct str text = { 0 };

	(void)state;
	basic_add(&text, &in);
	assert_true(basic_decode(str_span(&text), &out));
	assert_string_equal(out.user, in.user);
	assert_string_equal(out.password, in.password);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_pairs),
		cmocka_unit_test(refuses_what_is_no_base64),
		cmocka_unit_test(joins_what_it_splits),
	};

	return unit_main(tests);
}
