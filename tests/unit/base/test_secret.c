/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/secret.h. That memory is overwritten cannot be looked at after it was freed; that it does not move can. */
#include "base/secret.h"

#include "base/mem.h"
#include "unit.h"

static void room_that_was_made_is_enough(void **state)
{
	CLEANUP_SECRET_STR struct str text = { 0 };
	const char *where;

	(void)state;
	str_add(&text, "ab");
	secret_reserve(&text, 1000);
	where = text.ptr;
	assert_string_equal(text.ptr, "ab");
	for (int i = 0; i < 1000; i++)
		str_add_char(&text, 'x');
	assert_ptr_equal(text.ptr, where);
	assert_int_equal(text.len, 1002);
	str_add(&text, "grows all the same");
	assert_int_equal(text.len, 1020);
}

static void nothing_beyond_the_cap(void **state)
{
	CLEANUP_SECRET_STR struct str text = STR_CAPPED(4);

	(void)state;
	secret_reserve(&text, 5);
	assert_null(text.ptr);
	secret_reserve(&text, 4);
	str_add(&text, "1234");
	assert_false(text.overflow);
	str_add(&text, "5");
	assert_true(text.overflow);
	secret_str_done(&text);
	assert_null(text.ptr);
	assert_int_equal(text.cap, 4);
}

static void accepts_nothing(void **state)
{
	CLEANUP_SECRET char *none = NULL;
	CLEANUP_SECRET char *some = xstrdup("password");
	CLEANUP_SECRET_STR struct str empty = { 0 };

	(void)state;
	secret_free(NULL);
	assert_null(none);
	assert_non_null(some);
	assert_int_equal(empty.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_that_was_made_is_enough),
		cmocka_unit_test(nothing_beyond_the_cap),
		cmocka_unit_test(accepts_nothing),
	};

	return unit_main(tests);
}
