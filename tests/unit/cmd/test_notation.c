/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cmd/notation.h. */
#include "cmd/notation.h"

#include "unit.h"

#define NOW  1778622318 /* 2026-05-12T21:45:18Z */
#define HOUR 3600
#define DAY  86400

static const struct {
	const char *name;
	int64_t ago_s; /* negative = in the future */
	const char *want;
} relatives[] = {
	{ "now", 0, "in 0 seconds" },
	{ "one second", 1, "1 second ago" },
	{ "under a minute", 59, "59 seconds ago" },
	{ "a minute", 60, "1 minute ago" },
	{ "truncated", 119, "1 minute ago" },
	{ "under an hour", HOUR - 1, "59 minutes ago" },
	{ "hours", 3 * HOUR + 59, "3 hours ago" },
	{ "under a day", DAY - 1, "23 hours ago" },
	{ "a day", DAY, "1 day ago" },
	{ "under a week", 7 * DAY - 1, "6 days ago" },
	{ "a week", 7 * DAY, "1 week ago" },
	{ "a day less than a month", 29 * DAY, "4 weeks ago" },
	{ "April has 30 days", 30 * DAY, "1 month ago" },
	{ "a second less than that", 30 * DAY - 1, "4 weeks ago" },
	{ "almost a year", 365 * DAY - 1, "11 months ago" },
	{ "a year", 365 * DAY, "1 year ago" },
	{ "years", (10 * 365 + 3) * DAY, "10 years ago" },
	{ "the epoch", NOW, "56 years ago" },
	{ "future", -1, "in 1 second" },
	{ "far future", -2 * HOUR - 5, "in 2 hours" },
	{ "next month", -31 * DAY, "in 1 month" },
};

static void writes_relative_dates(void **state)
{
	(void)state;
	each_row(relatives, row) {
		CLEANUP_STR struct str got = { 0 };

		date_add_relative(&got, (time_t)(NOW - row->ago_s), NOW);
		check(strcmp(got.ptr, row->want) == 0, "%s: got %s", row->name, got.ptr);
	}
}

static void writes_iso_dates(void **state)
{
	CLEANUP_STR struct str got = { 0 };

	(void)state;
	date_add_iso(&got, NOW);
	assert_string_equal(got.ptr, "2026-05-12T21:45:18Z");
	str_clear(&got);
	date_add_iso(&got, 1701173918);
	assert_string_equal(got.ptr, "2023-11-28T12:18:38Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_relative_dates),
		cmocka_unit_test(writes_iso_dates),
	};

	return unit_main(tests);
}
