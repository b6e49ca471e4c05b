/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/runs.h. */
#include "image/runs.h"

#include "unit.h"

static void joins_what_is_close(void **state)
{
	CLEANUP(runs_done) struct runs runs = RUNS_INIT;

	(void)state;
	runs_add(&runs, 0, 4096);
	runs_add(&runs, 4096, 4096);              /* touches */
	runs_add(&runs, 8192 + 65535, 1);         /* a hole one byte too small */
	runs_add(&runs, 8192 + 65536 + 65536, 1); /* one of just the size */
	assert_int_equal(runs.list.n, 2);
	assert_int_equal(runs.list.v[0].start, 0);
	assert_int_equal(runs.list.v[0].len, 8192 + 65536);
	assert_int_equal(runs.list.v[1].start, 8192 + 65536 + 65536);
	assert_int_equal(runs.list.v[1].len, 1);
}

static void stays_short(void **state)
{
	const uint64_t step = 131072;
	const uint64_t n = 10 * RUNS_MAX;
	CLEANUP(runs_done) struct runs runs = RUNS_INIT;
	uint64_t at = 0;

	(void)state;
	for (uint64_t i = 0; i < n; i++)
		runs_add(&runs, i * step, 4096);
	assert_true(runs.list.n <= RUNS_MAX);
	/* Nothing is lost, and the order is kept. */
	vec_each(&runs.list, run) {
		assert_true(run->start >= at);
		assert_int_equal(run->start % step, 0);
		assert_int_equal(run->len % step, 4096);
		assert_true(at == 0 || run->start - at >= runs.min_gap);
		at = run->start + run->len;
	}
	assert_int_equal(at, (n - 1) * step + 4096);
}

static void large_holes_survive_small_ones(void **state)
{
	const uint64_t large = UINT64_C(1) << 40;
	CLEANUP(runs_done) struct runs runs = RUNS_INIT;

	(void)state;
	for (uint64_t i = 0; i < 2 * RUNS_MAX; i++)
		runs_add(&runs, i * 131072, 4096);
	runs_add(&runs, large, 4096);
	assert_int_equal(runs.list.v[runs.list.n - 1].start, large);
	assert_int_equal(runs.list.v[runs.list.n - 1].len, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_what_is_close),
		cmocka_unit_test(stays_short),
		cmocka_unit_test(large_holes_survive_small_ones),
	};

	return unit_main(tests);
}
