/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/base64.h. The vectors are those of RFC 4648, section 10. */
#include "base/base64.h"

#include "unit.h"

static const struct {
	const char *name; /* the text */
	const char *bytes;
	size_t len;
} vectors[] = {
	{ "", "", 0 },
	{ "Zg==", "f", 1 },
	{ "Zm8=", "fo", 2 },
	{ "Zm9v", "foo", 3 },
	{ "Zm9vYg==", "foob", 4 },
	{ "Zm9vYmE=", "fooba", 5 },
	{ "Zm9vYmFy", "foobar", 6 },
	{ "AAAA", "\0\0\0", 3 },
	{ "+/+/", "\xfb\xff\xbf", 3 },
	{ "/w==", "\xff", 1 },
	{ "dXNlcjpwYXNzOndvcmQ=", "user:pass:word", 14 },
};

static void encodes_and_decodes(void **state)
{
	(void)state;
	each_row(vectors, row) {
		struct span bytes = span_make(row->bytes, row->len);
		CLEANUP_STR struct str text = { 0 };
		CLEANUP_STR struct str back = { 0 };

		base64_add(&text, bytes);
		check(span_is(str_span(&text), row->name), "%s: got %s", row->name,
		      str_text(&text));
		check(base64_decode(span_of(row->name), &back), "%s: refused", row->name);
		check(span_equal(str_span(&back), bytes), "%s: got %s", row->name, str_text(&back));
	}
}

static const struct {
	const char *name;
	bool ok;
} texts[] = {
	{ "Zg", true },        { "Zm8", true },           { "Zm9vYg", true },
	{ "Z", false },        { "Zm9vY", false },        { "=", false },
	{ "==", false },       { "Zg=", false },          { "Zm8==", false },
	{ "Zm9v=", false },    { "Zm9v==", false },       { "Zg===", false },
	{ "Zg==Zg==", false }, { "Zm9v Zm9v", false },    { "Zm9v\n", false },
	{ "Zm-v", false },     { "Zm_v", false },         { "Zh==", false },
	{ "Zm9=", false },     { "Zm9v\xc3\xa4", false }, { "====", false },
	{ "Zm=v", false },
};

static void takes_nothing_else(void **state)
{
	(void)state;
	each_row(texts, row) {
		CLEANUP_STR struct str out = { 0 };

		str_add(&out, "kept");
		check(base64_decode(span_of(row->name), &out) == row->ok, "%s: %s", row->name,
		      row->ok ? "refused" : "accepted");
		check(row->ok || span_is(str_span(&out), "kept"), "%s: left %s", row->name,
		      str_text(&out));
	}
}

static void takes_every_length(void **state)
{
	char bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(unsigned char)i;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct span in = span_make(bytes + sizeof(bytes) - len, len);
		CLEANUP_STR struct str text = { 0 };
		CLEANUP_STR struct str back = { 0 };

		base64_add(&text, in);
		assert_true(base64_decode(str_span(&text), &back));
		assert_true(span_equal(str_span(&back), in));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_and_decodes),
		cmocka_unit_test(takes_nothing_else),
		cmocka_unit_test(takes_every_length),
	};

	return unit_main(tests);
}
