/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/size.h. */
#include "base/size.h"

#include "unit.h"

static const struct {
	const char *name;
	uint64_t bytes;
	const char *want;
} sizes[] = {
	{ "nothing", 0, "0 bytes" },
	{ "one", 1, "1 byte" },
	{ "under a KB", 999, "999 bytes" },
	{ "KB", 1000, "1 KB" },
	{ "KB are rounded", 1500, "2 KB" },
	{ "rounded to the next unit", 999999, "1 MB" },
	{ "MB", 512000000, "512 MB" },
	{ "one decimal", 1250000, "1.3 MB" },
	{ "rounded from MB to GB", 999960000, "1 GB" },
	{ "GB", 50000000000, "50 GB" },
	{ "two decimals", 1240000000, "1.24 GB" },
	{ "no trailing zero", 1500000000, "1.5 GB" },
	{ "zero after the point", 1050000000, "1.05 GB" },
	{ "largest", UINT64_MAX, "18.45 EB" },
};

static void writes_sizes(void **state)
{
	(void)state;
	each_row(sizes, row) {
		CLEANUP_STR struct str got = { 0 };

		size_add_human(&got, row->bytes);
		check(strcmp(got.ptr, row->want) == 0, "%s: got %s", row->name, got.ptr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_sizes),
	};

	return unit_main(tests);
}
