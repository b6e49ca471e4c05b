/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/host_memory.h. */
#include "machine/host_memory.h"

#include "unit.h"

#define GIB ((uint64_t)1 << 30)

static const char meminfo[] =
	"MemTotal:        8000000 kB\nMemFree:           93620 kB\nMemAvailable:    5000000 kB\n"
	"Buffers:               1 kB\nSwapCached:            0 kB\nSwapTotal:       1000000 kB\n"
	"SwapFree:         500000 kB\nHugePages_Total:       0\n";

static void reads_meminfo(void **state)
{
	struct host_memory memory = { 0 };

	(void)state;
	assert_true(host_memory_parse(span_of(meminfo), &memory));
	assert_int_equal(memory.total_bytes, UINT64_C(8000000) * 1024);
	assert_int_equal(memory.available_bytes, UINT64_C(5000000) * 1024);
	assert_int_equal(memory.swap_total_bytes, UINT64_C(1000000) * 1024);
	assert_int_equal(memory.swap_free_bytes, UINT64_C(500000) * 1024);
}

static const struct {
	const char *name;
	const char *text;
} bad[] = {
	{ "empty", "" },
	{ "line missing", "MemTotal: 1 kB\nMemAvailable: 1 kB\nSwapTotal: 1 kB\n" },
	{ "no unit", "MemTotal: 1\nMemAvailable: 1 kB\nSwapTotal: 1 kB\nSwapFree: 1 kB\n" },
	{ "no number", "MemTotal: x kB\nMemAvailable: 1 kB\nSwapTotal: 1 kB\nSwapFree: 1 kB\n" },
	{ "too large",
	  "MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB\nSwapTotal: 1 kB\nSwapFree: 1 kB\n" },
};

static void refuses_other_texts(void **state)
{
	(void)state;
	each_row(bad, row) {
		struct host_memory memory = { .total_bytes = 7 };

		check(!host_memory_parse(span_of(row->text), &memory), "%s: accepted", row->name);
		check(memory.total_bytes == 7, "%s: output changed", row->name);
	}
}

static void reads_this_host(void **state)
{
	struct host_memory memory = { 0 };
	struct err err = { 0 };

	(void)state;
	check(host_memory_read(&memory, &err), "%s", err.text);
	check(memory.total_bytes >= memory.available_bytes && memory.available_bytes > 0,
	      "absurd figures");
}

static const struct {
	const char *name;
	struct host_memory host;
	uint64_t guest;
	enum memory_fit want;
	const char *notice;
} fits[] = {
	{ "plenty", { 8 * GIB, 6 * GIB, 0, 0 }, 4 * GIB, MEMORY_FITS, "" },
	{ "to the byte", { 8 * GIB, 4 * GIB, 0, 0 }, 4 * GIB, MEMORY_FITS, "" },
	{ "with swap", { 8 * GIB, 3 * GIB, 2 * GIB, 1 * GIB }, 4 * GIB, MEMORY_FITS, "" },
	{ "tight",
	  { 8 * GIB, 2 * GIB, 2 * GIB, 1 * GIB },
	  4 * GIB,
	  MEMORY_TIGHT,
	  "The VM has 4096 MiB of memory, only 3072 MiB are free on this host: it may be killed when it uses "
	  "more" },
	{ "excessive",
	  { 2 * GIB, 1 * GIB, 1 * GIB, 1 * GIB },
	  4 * GIB,
	  MEMORY_EXCESSIVE,
	  "The VM has 4096 MiB of memory, this host only 3072 MiB: it will be killed when it uses them" },
	{ "sum overflows",
	  { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
	  UINT64_MAX,
	  MEMORY_FITS,
	  "" },
};

static void compares(void **state)
{
	(void)state;
	each_row(fits, row) {
		CLEANUP_STR struct str notice = { 0 };
		enum memory_fit got = host_memory_fit(&row->host, row->guest, &notice);

		check(got == row->want, "%s: %d", row->name, (int)got);
		check(strcmp(str_text(&notice), row->notice) == 0, "%s: %s", row->name,
		      str_text(&notice));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_meminfo),
		cmocka_unit_test(refuses_other_texts),
		cmocka_unit_test(reads_this_host),
		cmocka_unit_test(compares),
	};

	return unit_main(tests);
}
