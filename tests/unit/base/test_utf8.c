/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/utf8.h. */
#include "base/utf8.h"

#include "unit.h"

static const struct {
	const char *name;
	const char *bytes;
	size_t len; /* of the sequence at the front; 0 = not valid */
	uint32_t code;
} rows[] = {
	{ "ASCII", "a", 1, 'a' },
	{ "largest of one byte", "\x7f", 1, 0x7f },
	{ "smallest of two", "\xc2\x80", 2, 0x80 },
	{ "largest of two", "\xdf\xbf", 2, 0x7ff },
	{ "smallest of three", "\xe0\xa0\x80", 3, 0x800 },
	{ "below the surrogates", "\xed\x9f\xbf", 3, 0xd7ff },
	{ "above the surrogates", "\xee\x80\x80", 3, 0xe000 },
	{ "largest of three", "\xef\xbf\xbf", 3, 0xffff },
	{ "smallest of four", "\xf0\x90\x80\x80", 4, 0x10000 },
	{ "largest of all", "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	{ "only the front counts", "a\xff", 1, 'a' },
	{ "nothing", "", 0, 0 },
	{ "continuation first", "\x80", 0, 0 },
	{ "overlong slash", "\xc0\xaf", 0, 0 },
	{ "overlong in two", "\xc1\xbf", 0, 0 },
	{ "overlong in three", "\xe0\x9f\xbf", 0, 0 },
	{ "overlong in four", "\xf0\x8f\xbf\xbf", 0, 0 },
	{ "first surrogate", "\xed\xa0\x80", 0, 0 },
	{ "last surrogate", "\xed\xbf\xbf", 0, 0 },
	{ "above Unicode", "\xf4\x90\x80\x80", 0, 0 },
	{ "five bytes", "\xf8\x88\x80\x80\x80", 0, 0 },
	{ "never a lead", "\xff", 0, 0 },
	{ "two cut off", "\xc3", 0, 0 },
	{ "three cut off", "\xe2\x82", 0, 0 },
	{ "four cut off", "\xf0\x9f\x98", 0, 0 },
	{ "ASCII inside", "\xe2\x82z", 0, 0 },
	{ "lead inside", "\xe2\xe2\x82", 0, 0 },
};

static void decodes_only_valid_sequences(void **state)
{
	(void)state;
	each_row(rows, row) {
		uint32_t code = 4711;
		size_t len = utf8_decode(span_of(row->bytes), &code);

		check(len == row->len, "%s: length %zu", row->name, len);
		check(code == (len ? row->code : 4711), "%s: code %x", row->name, code);
		check(utf8_len(span_of(row->bytes)) == row->len, "%s: without a code", row->name);
	}
}

static void every_code_point_survives(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		CLEANUP_STR struct str text = { 0 };
		uint32_t again = 0;

		if (code == 0xd800)
			code = 0xe000;
		utf8_add(&text, code);
		check(utf8_decode(str_span(&text), &again) == text.len && again == code,
		      "%x became %x", code, again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_only_valid_sequences),
		cmocka_unit_test(every_code_point_survives),
	};

	return unit_main(tests);
}
