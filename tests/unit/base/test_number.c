/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/number.h. */
#include "base/number.h"

#include "unit.h"

static const struct {
	const char *name;
	const char *text;
	uint64_t max;
	bool ok;
	uint64_t value;
} rows[] = {
	{ "zero", "0", UINT64_MAX, true, 0 },
	{ "leading zeros", "007", UINT64_MAX, true, 7 },
	{ "at the limit", "65535", 65535, true, 65535 },
	{ "one above the limit", "65536", 65535, false, 0 },
	{ "limit of zero", "0", 0, true, 0 },
	{ "largest", "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
	{ "one above the largest", "18446744073709551616", UINT64_MAX, false, 0 },
	{ "wraps in the multiplication", "99999999999999999999", UINT64_MAX, false, 0 },
	{ "nothing", "", UINT64_MAX, false, 0 },
	{ "minus sign", "-1", UINT64_MAX, false, 0 },
	{ "plus sign", "+1", UINT64_MAX, false, 0 },
	{ "space before", " 1", UINT64_MAX, false, 0 },
	{ "space after", "1 ", UINT64_MAX, false, 0 },
	{ "hexadecimal", "0x10", UINT64_MAX, false, 0 },
	{ "fraction", "1.0", UINT64_MAX, false, 0 },
	{ "character below the digits", "1/", UINT64_MAX, false, 0 },
	{ "character above the digits", "1:", UINT64_MAX, false, 0 },
};

static void parses_digits_only(void **state)
{
	(void)state;
	each_row(rows, row) {
		uint64_t value = 4711;
		bool ok = number_parse_u64(span_of(row->text), row->max, &value);

		check(ok == row->ok, "%s: %s", row->name, ok ? "accepted" : "refused");
		check(value == (ok ? row->value : 4711), "%s: value %llu", row->name,
		      (unsigned long long)value);
	}
}

static void stops_at_the_end_of_the_span(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(number_parse_u64(span_make("123456", 3), UINT64_MAX, &value));
	assert_int_equal(value, 123);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_digits_only),
		cmocka_unit_test(stops_at_the_end_of_the_span),
	};

	return unit_main(tests);
}
