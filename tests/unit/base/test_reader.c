/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/reader.h. */
#include "base/reader.h"

#include "unit.h"

static void takes_what_is_there(void **state)
{
	struct reader r = reader_of(span_of("abcdef"));
	struct span s;

	(void)state;
	assert_int_equal(reader_peek(&r), 'a');
	assert_true(reader_take(&r, 2, &s));
	assert_true(span_is(s, "ab"));
	assert_true(reader_skip(&r, 1));
	assert_int_equal(reader_peek(&r), 'd');
	assert_true(span_is(reader_rest(&r), "def"));
	assert_true(reader_take(&r, 3, &s));
	assert_int_equal(reader_peek(&r), -1);
	assert_true(reader_take(&r, 0, &s));
	assert_false(r.failed);
}

static void a_byte_is_not_negative(void **state)
{
	struct reader r = reader_of(span_of("\xff"));

	(void)state;
	assert_int_equal(reader_peek(&r), 0xff);
}

static void too_much_gives_nothing_and_stays_failed(void **state)
{
	struct reader r = reader_of(span_of("abc"));
	struct span s = span_of("untouched");
	uint64_t n = 7;

	(void)state;
	assert_false(reader_take(&r, 4, &s));
	assert_true(span_is(s, "untouched"));
	assert_true(r.failed);
	assert_int_equal(reader_peek(&r), -1);
	assert_false(reader_take(&r, 1, &s));
	assert_false(reader_take(&r, 0, &s));
	assert_false(reader_skip(&r, 0));
	assert_false(reader_be(&r, 1, &n));
	assert_int_equal(n, 7);
}

static const struct {
	const char *name;
	size_t bytes;
	uint64_t be, le;
} numbers[] = {
	{ "one byte", 1, 0xf1, 0xf1 },
	{ "two", 2, 0xf102, 0x02f1 },
	{ "four", 4, 0xf1020304, 0x040302f1 },
	{ "eight", 8, 0xf102030405060708, 0x08070605040302f1 },
};

static void numbers_of_both_orders(void **state)
{
	static const char bytes[] = "\xf1\x02\x03\x04\x05\x06\x07\x08";

	(void)state;
	each_row(numbers, row) {
		struct reader be = reader_of(span_make(bytes, 8));
		struct reader le = be;
		struct reader cut = reader_of(span_make(bytes, row->bytes - 1));
		uint64_t n = 0;

		check(reader_be(&be, row->bytes, &n) && n == row->be, "%s: big %llx", row->name,
		      (unsigned long long)n);
		check(reader_le(&le, row->bytes, &n) && n == row->le, "%s: little %llx", row->name,
		      (unsigned long long)n);
		check(reader_rest(&be).len == 8 - row->bytes, "%s: moved wrongly", row->name);
		check(!reader_le(&cut, row->bytes, &n) && n == row->le, "%s: cut off", row->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_there),
		cmocka_unit_test(a_byte_is_not_negative),
		cmocka_unit_test(too_much_gives_nothing_and_stays_failed),
		cmocka_unit_test(numbers_of_both_orders),
	};

	return unit_main(tests);
}
