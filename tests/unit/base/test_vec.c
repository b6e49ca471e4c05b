/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/vec.h, and of the macros of base/attrs.h and base/checked.h. */
#include "base/vec.h"

#include <fcntl.h>

#include "base/checked.h"
#include "unit.h"

struct pair {
	int a;
	const char *b;
};

static void grows_and_keeps_its_elements(void **state)
{
	VEC(struct pair) pairs = { 0 };
	int sum = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		vec_push(&pairs)->a = i;
	assert_int_equal(pairs.n, 1000);
	vec_each(&pairs, pair) {
		assert_null(pair->b);
		sum += pair->a;
	}
	assert_int_equal(sum, 499500);
	vec_done(&pairs);
	assert_null(pairs.v);
	assert_int_equal(pairs.n, 0);
}

static void an_element_made_again_is_zeroed(void **state)
{
	VEC(struct pair) pairs = { 0 };

	(void)state;
	*vec_push(&pairs) = (struct pair){ 7, "x" };
	pairs.n--;
	assert_int_equal(vec_push(&pairs)->a, 0);
	assert_null(pairs.v[0].b);
	vec_done(&pairs);
}

static void an_empty_one_has_nothing_to_visit(void **state)
{
	VEC(int) none = { 0 };

	(void)state;
	vec_each(&none, item)
		fail_msg("visited %d", *item);
	vec_done(&none);
	vec_done(&none);
}

static void take_empties_the_variable(void **state)
{
	CLEANUP_FREE char *text = xstrdup("x");
	CLEANUP_FREE char *taken = TAKE_PTR(text);
	CLEANUP_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CLEANUP_CLOSE int taken_fd = TAKE_FD(fd);

	(void)state;
	assert_null(text);
	assert_string_equal(taken, "x");
	assert_int_equal(fd, -1);
	assert_true(taken_fd >= 0);
}

static int open_in_scope(void)
{
	CLEANUP_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return fd;
}

static void a_descriptor_closes_at_the_end_of_its_scope(void **state)
{
	int fd = open_in_scope();

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void checked_arithmetic_says_when_it_does_not_fit(void **state)
{
	uint64_t big;
	uint32_t small = 7;
	int64_t with_sign = 7;

	(void)state;
	assert_false(ckd_add(&big, UINT64_MAX - 1, (uint64_t)1));
	assert_true(big == UINT64_MAX);
	assert_true(ckd_add(&big, UINT64_MAX, (uint64_t)1));
	assert_true(ckd_sub(&big, (uint64_t)0, (uint64_t)1));
	assert_true(ckd_mul(&big, UINT64_MAX / 2 + 1, (uint64_t)2));

	assert_false(to_u32((uint64_t)UINT32_MAX + 1, &small));
	assert_int_equal(small, 7);
	assert_true(to_u32(UINT32_MAX, &small));
	assert_true(small == UINT32_MAX);
	assert_false(to_i64((uint64_t)INT64_MAX + 1, &with_sign));
	assert_int_equal(with_sign, 7);
	assert_true(to_i64(INT64_MAX, &with_sign));
	assert_true(with_sign == INT64_MAX);
}

static void allocations_of_nothing_are_something(void **state)
{
	CLEANUP_FREE void *none = xcalloc(0, 8);
	CLEANUP_FREE char *part = xstrndup("abcdef", 3);
	CLEANUP_FREE char *made = xasprintf("%d-%s", 4, "x");

	(void)state;
	assert_non_null(none);
	assert_string_equal(part, "abc");
	assert_string_equal(made, "4-x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_keeps_its_elements),
		cmocka_unit_test(an_element_made_again_is_zeroed),
		cmocka_unit_test(an_empty_one_has_nothing_to_visit),
		cmocka_unit_test(take_empties_the_variable),
		cmocka_unit_test(a_descriptor_closes_at_the_end_of_its_scope),
		cmocka_unit_test(checked_arithmetic_says_when_it_does_not_fit),
		cmocka_unit_test(allocations_of_nothing_are_something),
	};

	return unit_main(tests);
}
