/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/program.h: the test's own program lies beside itself. */
#include "base/program.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "unit.h"

static void finds_what_lies_beside(void **state)
{
	CLEANUP_FREE char *own = program_path("test_program");
	char exe[4096] = "";

	(void)state;
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	assert_non_null(own);
	assert_string_equal(own, exe);
}

static void does_not_search_path(void **state)
{
	CLEANUP_FREE char *shell = program_path("sh");
	CLEANUP_FREE char *none = program_path("tart-no-such-program");

	(void)state;
	assert_null(shell);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_lies_beside),
		cmocka_unit_test(does_not_search_path),
	};

	return unit_main(tests);
}
