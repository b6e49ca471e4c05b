/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/random.h: form and range, and that the bytes differ at all. */
#include "base/random.h"

#include <stdbool.h>
#include <string.h>

#include "unit.h"

static void bytes_differ_from_call_to_call(void **state)
{
	unsigned char a[32] = { 0 };
	unsigned char b[32] = { 0 };
	unsigned char guard[8] = { 0 };

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	random_bytes(guard, 0);
	assert_memory_equal(guard, "\0\0\0\0\0\0\0\0", 8);
}

static void every_value_below_the_bound_and_none_other(void **state)
{
	bool seen[6] = { false };
	int n_seen = 0;

	(void)state;
	/* A value left out 10,000 times: once in 10^790 runs. */
	for (int i = 0; i < 10000; i++) {
		uint32_t value = random_below(ARRAY_LEN(seen));

		assert_true(value < ARRAY_LEN(seen));
		n_seen += !seen[value];
		seen[value] = true;
	}
	assert_int_equal(n_seen, ARRAY_LEN(seen));
	assert_int_equal(random_below(1), 0);
	(void)random_below(UINT32_MAX);
}

static void uuids_have_their_form(void **state)
{
	char first[RANDOM_UUID_SIZE];
	char second[RANDOM_UUID_SIZE];

	(void)state;
	random_uuid(first);
	random_uuid(second);
	assert_string_not_equal(first, second);
	assert_int_equal(strlen(first), RANDOM_UUID_SIZE - 1);
	for (size_t i = 0; i < RANDOM_UUID_SIZE - 1; i++) {
		const char *allowed = i == 8 || i == 13 || i == 18 || i == 23 ? "-" :
				      i == 14                                 ? "4" :
				      i == 19                                 ? "89ab" :
										"0123456789abcdef";

		check(strchr(allowed, first[i]), "'%c' at %zu of %s", first[i], i, first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_differ_from_call_to_call),
		cmocka_unit_test(every_value_below_the_bound_and_none_other),
		cmocka_unit_test(uuids_have_their_form),
	};

	return unit_main(tests);
}
