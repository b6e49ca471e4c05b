/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/user_dir.h. */
#include "base/user_dir.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit.h"

static const struct {
	const char *name;
	const char *config_home, *home;
	const char *want;
} rows[] = {
	{ "XDG_CONFIG_HOME", "/x", "/h", "/x" },
	{ "unset", NULL, "/h", "/h/.config" },
	{ "empty", "", "/h", "/h/.config" },
	{ "relative ones do not count", "x", "/h", "/h/.config" },
	{ "no HOME needed", "/x", NULL, "/x" },
};

static void finds_the_settings(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP_FREE char *got = user_dir_config(row->config_home, row->home);

		check(got && strcmp(got, row->want) == 0, "%s: %s", row->name, got ? got : "none");
	}
}

static void falls_back_to_the_passwd_entry(void **state)
{
	const struct passwd *entry = getpwuid(getuid());
	CLEANUP_FREE char *given = user_dir_home("/given");
	CLEANUP_FREE char *unset = user_dir_home(NULL);
	CLEANUP_FREE char *empty = user_dir_home("");

	(void)state;
	assert_string_equal(given, "/given");
	if (!entry) {
		assert_null(unset);
		assert_null(empty);
		return;
	}
	assert_string_equal(unset, entry->pw_dir);
	assert_string_equal(empty, entry->pw_dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_settings),
		cmocka_unit_test(falls_back_to_the_passwd_entry),
	};

	return unit_main(tests);
}
