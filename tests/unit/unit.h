/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka with the headers it wants, and checks that name the failing row of a table. */
#ifndef TART_TESTS_UNIT_H
#define TART_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attrs.h"

/* Runs the body for each row of an array; `row->name` is printed when a check inside it fails. */
#define each_row(rows, row) \
	for (__typeof__((rows) + 0) row = (rows); row < (rows) + ARRAY_LEN(rows); row++)

/* A check that says which row it was about: check(n == row->want, "%s: got %zu", row->name, n). */
#define check(condition, ...)                  \
	do {                                   \
		if (!(condition))              \
			fail_msg(__VA_ARGS__); \
	} while (0)

#define unit_main(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
