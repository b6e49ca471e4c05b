/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka with the headers it wants, and checks that name the failing row. */
#ifndef TART_TESTS_UNIT_H
#define TART_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attrs.h"

/* Runs the body for each row of an array; `row->name` is printed when a check inside it fails. */
#define each_row(rows, row) \
	for (__typeof__((rows) + 0) row = (rows); row < (rows) + ARRAY_LEN(rows); row++)

/* cmocka's own says it on stderr, out of order with the report of the test that failed. */
#undef fail_msg
#define fail_msg(...)                        \
	do {                                 \
		print_message(__VA_ARGS__);  \
		print_message("\n");         \
		fail();                      \
		abort(); /* never reached */ \
	} while (0)

/* A check that says which row it was about: check(n == row->want, "%s: got %zu", row->name, n). */
#define check(condition, ...)                  \
	do {                                   \
		if (!(condition))              \
			fail_msg(__VA_ARGS__); \
	} while (0)

/* Runs an array of struct CMUnitTest; line by line, so that a crash does not take earlier results with it. */
#define unit_main(tests) \
	(setvbuf(stdout, NULL, _IOLBF, BUFSIZ), cmocka_run_group_tests((tests), NULL, NULL))

#endif
