/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/credential_helper.h, with shell scripts as helpers. One that hangs is a matter of tests/cli. */
#include "registry/credential_helper.h"

#include <signal.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "temp_dir.h"

static void put_helper(const struct temp_dir *dir, const char *script)
{
	CLEANUP_FREE char *text = xasprintf("#!/bin/sh\n%s\n", script);
	struct err err = { 0 };

	assert_true(fs_replace_file(dir->fd, "docker-credential-x", span_of(text), 0700, &err));
}

static void use(const struct temp_dir *dir)
{
	CLEANUP_FREE char *path = xasprintf("%s:/usr/bin:/bin", dir->path);

	(void)setenv("PATH", path, 1);
}

#define FAILED "docker-credential-x: Docker helper failed! It "

static const struct {
	const char *name;
	const char *script;
	enum helper_result result;
	const char *says; /* user and password, or the error */
} gets[] = {
	{ "answers",
	  "[ $1 = get ] && read -r host && echo '{\"ServerURL\":\"'$host'\","
	  "\"Username\":\"u-'$host'\",\"Secret\":\"p\"}'",
	  HELPER_DONE, "u-h:5000 p" },
	{ "identity token", "echo '{\"Username\":\"<token>\",\"Secret\":\"t\"}'", HELPER_DONE,
	  "<token> t" },
	{ "noise on stderr", "echo noise >&2; echo '{\"Username\":\"u\",\"Secret\":\"p\"}'",
	  HELPER_DONE, "u p" },
	{ "does not read", "exec <&-; echo '{\"Username\":\"u\",\"Secret\":\"p\"}'", HELPER_DONE,
	  "u p" },
	{ "has nothing", "echo 'credentials not found in native keychain'; exit 1",
	  HELPER_NOT_FOUND, "" },
	{ "has nothing, in other words", "echo '{\"Username\":\"\",\"Secret\":\"\"}'",
	  HELPER_NOT_FOUND, "" },
	{ "fails", "echo 'it is broken'; exit 1", HELPER_FAILED,
	  FAILED "exited with code 1: it is broken" },
	{ "fails on stderr", "echo 'it is broken' >&2; exit 3", HELPER_FAILED,
	  FAILED "exited with code 3: it is broken" },
	{ "fails silently", "exit 2", HELPER_FAILED, FAILED "exited with code 2" },
	{ "is killed", "kill -9 $$", HELPER_FAILED, FAILED "was killed by signal 9 (Killed)" },
	{ "fails with control characters", "printf '\\033[2J\\n'; exit 1", HELPER_FAILED,
	  FAILED "exited with code 1: \\x1b[2J" },
	{ "says nothing", ":", HELPER_FAILED,
	  "docker-credential-x: Docker helper output is empty!" },
	{ "says blank lines", "echo; echo", HELPER_FAILED,
	  "docker-credential-x: Docker helper output is empty!" },
	{ "says rubbish", "echo rubbish", HELPER_FAILED,
	  "docker-credential-x: its answer is no JSON object" },
	{ "says an array", "echo '[]'", HELPER_FAILED,
	  "docker-credential-x: its answer is no JSON object" },
	{ "no password", "echo '{\"Username\":\"u\"}'", HELPER_FAILED,
	  "docker-credential-x: its answer does not hold both 'Username' and 'Secret'" },
	{ "numbers", "echo '{\"Username\":\"u\",\"Secret\":7}'", HELPER_FAILED,
	  "docker-credential-x: its answer does not hold both 'Username' and 'Secret'" },
	{ "a megabyte", "head -c 1048576 /dev/zero", HELPER_FAILED,
	  "docker-credential-x: printed more than expected" },
	{ "without an end", "cat /dev/zero", HELPER_FAILED,
	  "docker-credential-x: printed more than expected" },
};

static void gets_credentials(void **state)
{
	use(*state);
	each_row(gets, row) {
		CLEANUP(credentials_done) struct credentials got = { 0 };
		CLEANUP_STR struct str said = { 0 };
		struct err err = { 0 };
		enum helper_result result;

		put_helper(*state, row->script);
		result = credential_helper_get("x", "h:5000", &got, &err);
		check(result == row->result, "%s: %d, %s", row->name, (int)result, err.text);
		check((result == HELPER_DONE) == !!got.user, "%s: output", row->name);
		if (got.user)
			str_addf(&said, "%s %s", got.user, got.password);
		else
			str_add(&said, err.text);
		check(strcmp(str_text(&said), row->says) == 0, "%s: %s", row->name,
		      str_text(&said));
	}
}

static void names_are_names(void **state)
{
	static const char *const names[] = {
		"", "a/b", "..", "a b", "a;b", "x\n", "\xc3\xa4", "a.b"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(credentials_done) struct credentials got = { 0 };
		struct err err = { 0 };

		check(credential_helper_get(names[i], "h", &got, &err) == HELPER_FAILED &&
			      strstr(err.text, "is no name of a credential helper"),
		      "'%s': %s", names[i], err.text);
	}
}

static void one_may_be_missing(void **state)
{
	CLEANUP(credentials_done) struct credentials got = { 0 };
	struct err err = { 0 };

	use(*state);
	assert_int_equal(credential_helper_get("tart-none", "h", &got, &err), HELPER_MISSING);
	assert_string_equal(err.text, "docker-credential-tart-none not found in PATH");
}

static void stores_and_erases(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP(credentials_done) struct credentials c = { xstrdup("me"), xstrdup("pass\"w\nord") };
	CLEANUP_FREE char *script = xasprintf("echo $1 >>%s/log; cat >>%s/log", dir->path,
					      dir->path);
	CLEANUP_STR struct str log = { 0 };
	struct err err = { 0 };

	use(dir);
	put_helper(dir, script);
	assert_int_equal(credential_helper_store("x", "h", &c, &err), HELPER_DONE);
	assert_int_equal(credential_helper_erase("x", "h", &err), HELPER_DONE);
	assert_true(fs_read_file(dir->fd, "log", 4096, &log, &err));
	assert_string_equal(str_text(&log), "store\n{\"ServerURL\":\"h\",\"Username\":\"me\","
					    "\"Secret\":\"pass\\\"w\\nord\"}erase\nh\n");
}

static void a_reason_does_not_repeat_the_password(void **state)
{
	CLEANUP(credentials_done) struct credentials c = { xstrdup("me"), xstrdup("s3cret") };
	struct err err = { 0 };

	use(*state);
	put_helper(*state, "echo \"cannot store $(cat)\"; exit 1");
	assert_int_equal(credential_helper_store("x", "h", &c, &err), HELPER_FAILED);
	assert_string_equal(err.text, FAILED "exited with code 1");
	put_helper(*state, "echo 'cannot store'; exit 1");
	assert_int_equal(credential_helper_store("x", "h", &c, &err), HELPER_FAILED);
	assert_string_equal(err.text, FAILED "exited with code 1: cannot store");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_dir_test(gets_credentials),
		temp_dir_test(one_may_be_missing),
		temp_dir_test(stores_and_erases),
		temp_dir_test(a_reason_does_not_repeat_the_password),
		cmocka_unit_test(names_are_names),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return unit_main(tests);
}
