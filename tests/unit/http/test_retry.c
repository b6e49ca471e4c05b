/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/retry.h. */
#include "http/retry.h"

#include <signal.h>

#include "base/cancel.h"
#include "unit.h"

static void some_statuses_are_worth_a_retry(void **state)
{
	static const int worth[] = { 408, 429, 500, 502, 503, 504 };
	size_t found = 0;

	(void)state;
	for (int status = 100; status < 600; status++) {
		if (!retry_status(status))
			continue;
		assert_true(found < ARRAY_LEN(worth));
		assert_int_equal(status, worth[found++]);
	}
	assert_int_equal(found, ARRAY_LEN(worth));
}

static void bounds_double_up_to_the_cap(void **state)
{
	static const struct {
		const char *name;
		unsigned int n;
		uint64_t base, bound;
	} rows[] = {
		{ "first", 1, 1000, 1000 },
		{ "second", 2, 1000, 2000 },
		{ "fourth", 4, 1000, 8000 },
		{ "cap", 6, 1000, 20000 },
		{ "far", 4000, 1000, 20000 },
		{ "no delay", 4000, 0, 0 },
		{ "tests", 3, 1, 4 },
		{ "base above the cap", 1, 30000, 20000 },
		{ "largest", 9, UINT64_MAX, 20000 },
	};

	(void)state;
	each_row(rows, row)
		check(retry_bound_ms(row->n, row->base) == row->bound, "%s: got %llu", row->name,
		      (unsigned long long)retry_bound_ms(row->n, row->base));
}

static void reads_retry_after(void **state)
{
	/* Thu, 01 Jan 1970 01:00:00 GMT */
	const int64_t now = 3600;
	static const struct {
		const char *name, *header;
		uint64_t seconds;
	} rows[] = {
		{ "absent", NULL, 0 },
		{ "seconds", "120", 120 },
		{ "none", "0", 0 },
		{ "date", "Thu, 01 Jan 1970 01:00:30 GMT", 30 },
		{ "date now", "Thu, 01 Jan 1970 01:00:00 GMT", 0 },
		{ "date past", "Thu, 01 Jan 1970 00:00:30 GMT", 0 },
		{ "other year", "Fri, 01 Jan 1971 01:00:00 GMT", 31536000 },
		{ "negative", "-5", 0 },
		{ "text", "soon", 0 },
		{ "seconds and text", "5 s", 0 },
		{ "date and text", "Thu, 01 Jan 1970 01:00:30 GMT+1", 0 },
		{ "cut", "Thu, 01 Jan", 0 },
		{ "no number", "99999999999999999999999", 0 },
		{ "nothing", "", 0 },
	};

	(void)state;
	each_row(rows, row)
		check(retry_after_s(row->header, now) == row->seconds, "%s: got %llu", row->name,
		      (unsigned long long)retry_after_s(row->header, now));
}

/* Last: the signal stays on for the rest of the process. */
static void sleep_ends_on_cancellation(void **state)
{
	struct err err = { 0 };

	(void)state;
	cancel_install();
	assert_true(retry_sleep(1, &err));
	assert_int_equal(raise(SIGTERM), 0);
	assert_false(retry_sleep(UINT64_MAX, &err));
	assert_int_equal(err.kind, ERR_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_statuses_are_worth_a_retry),
		cmocka_unit_test(bounds_double_up_to_the_cap),
		cmocka_unit_test(reads_retry_after),
		cmocka_unit_test(sleep_ends_on_cancellation),
	};

	return unit_main(tests);
}
