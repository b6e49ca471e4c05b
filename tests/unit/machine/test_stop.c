/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/stop.h"

#include "unit.h"

static void test_term_after(void **state)
{
	static const struct {
		const char *name;
		uint64_t timeout_ms, want;
	} rows[] = {
		{ "nothing to wait for", 0, 0 },
		{ "one second is shared", 1000, 500 },
		{ "short of four seconds is shared", 3999, 1999 },
		{ "four seconds", 4000, 2000 },
		{ "the default", 30000, 28000 },
		{ "for ever", UINT64_MAX, UINT64_MAX - 2000 },
	};

	(void)state;
	each_row(rows, row) {
		uint64_t got = stop_term_after_ms(row->timeout_ms);

		check(got == row->want, "%s: got %llu", row->name, (unsigned long long)got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_term_after) };

	return unit_main(tests);
}
