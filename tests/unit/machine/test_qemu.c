/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/qemu.h. */
#include "base/program.h"
#include "machine/qemu.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"

#include "unit.h"

static const struct {
	const char *name;
	const char *text;
	bool ok;
	struct qemu_version want;
	bool recent;
} versions[] = {
	{ "Debian 12",
	  "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright",
	  true,
	  { 7, 2, 22 },
	  true },
	{ "Fedora", "QEMU emulator version 9.1.2 (qemu-9.1.2-1.fc41)\n", true, { 9, 1, 2 }, true },
	{ "plain", "QEMU emulator version 10.0.0", true, { 10, 0, 0 }, true },
	{ "candidate", "QEMU emulator version 8.0.90 (v8.1.0-rc0)\n", true, { 8, 0, 90 }, true },
	{ "a little too old", "QEMU emulator version 7.1.0\n", true, { 7, 1, 0 }, false },
	{ "too old", "QEMU emulator version 6.9.0\n", true, { 6, 9, 0 }, false },
	{ "two numbers", "QEMU emulator version 7.2 (x)\n", false, { 0 }, false },
	{ "no number", "QEMU emulator version x.2.3\n", false, { 0 }, false },
	{ "absurd number",
	  "QEMU emulator version 7.2.99999999999999999999\n",
	  false,
	  { 0 },
	  false },
	{ "another program", "qemu-img version 7.2.22\n", false, { 0 }, false },
	{ "cut off", "QEMU emulator version ", false, { 0 }, false },
	{ "empty", "", false, { 0 }, false },
};

static void reads_versions(void **state)
{
	(void)state;
	each_row(versions, row) {
		struct qemu_version got = { 0 };
		struct err err = { 0 };
		bool ok = qemu_version_parse(span_of(row->text), &got);

		check(ok == row->ok, "%s: %s", row->name, ok ? "accepted" : "refused");
		check(got.major == row->want.major && got.minor == row->want.minor &&
			      got.micro == row->want.micro,
		      "%s: %u.%u.%u", row->name, got.major, got.minor, got.micro);
		check(!ok || qemu_version_check(&got, &err) == row->recent, "%s: recent or not",
		      row->name);
	}
}

static char folder[] = "/tmp/tart-qemu-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	struct err err = { 0 };

	(void)state;
	return fs_remove_tree(AT_FDCWD, folder, &err) ? 0 : -1;
}

static void put_script(const char *dir, const char *name, const char *text, mode_t mode)
{
	CLEANUP_FREE char *dir_path = xasprintf("%s/%s", folder, dir);
	CLEANUP_FREE char *path = xasprintf("%s/%s", dir_path, name);
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };

	(void)mkdir(dir_path, 0700);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	check(fd >= 0 && fs_write_all(fd, span_of(text), &err) && fchmod(fd, mode) == 0,
	      "cannot write %s", path);
}

static void finds_programs(void **state)
{
	CLEANUP_FREE char *path_env = xasprintf("relative:%s/none::%s/a:%s/b", folder, folder,
						folder);
	CLEANUP_FREE char *relative = xasprintf("../../../../../../../../../../../..%s/b", folder);
	CLEANUP_FREE char *want = xasprintf("%s/b/tool", folder);
	CLEANUP_FREE char *got = NULL;
	CLEANUP_FREE char *dir = xasprintf("%s/a/folder", folder);

	(void)state;
	put_script("a", "tool", "x", 0600); /* not executable */
	put_script("b", "tool", "x", 0700);
	assert_int_equal(mkdir(dir, 0700), 0);
	got = executable_find("tool", path_env);
	assert_non_null(got);
	assert_string_equal(got, want);
	assert_null(executable_find("folder", path_env));
	assert_null(executable_find("missing", path_env));
	assert_null(executable_find("tool", relative));
	assert_null(executable_find("tool", NULL));
	assert_null(executable_find("tool", ""));
}

static void asks_for_the_version(void **state)
{
	CLEANUP_FREE char *path_env = xasprintf("%s/c", folder);
	CLEANUP_FREE char *path = NULL;
	struct qemu_version version;
	struct err err = { 0 };

	(void)state;
	put_script("c", "qemu-system-aarch64",
		   "#!/bin/sh\n[ \"$*\" = --version ] && echo QEMU emulator version 8.2.1\n", 0700);
	check(qemu_find(ARCH_ARM64, ARCH_AMD64, path_env, &path, &err), "%s", err.text);
	check(qemu_version_read(path, &version, &err), "%s", err.text);
	assert_int_equal(version.major, 8);
	put_script("c", "qemu-system-aarch64", "#!/bin/sh\necho hello\n", 0700);
	assert_false(qemu_version_read(path, &version, &err));
	check(strstr(err.text, path), "%s", err.text);
	put_script("c", "qemu-system-aarch64", "#!/bin/sh\necho broken library >&2; exit 127\n",
		   0700);
	assert_false(qemu_version_read(path, &version, &err));
	check(strstr(err.text, "broken library"), "%s", err.text);
}

static void says_what_to_install(void **state)
{
	char *path = NULL;
	struct err err = { 0 };

	(void)state;
	assert_false(qemu_find(ARCH_ARM64, ARCH_AMD64, folder, &path, &err));
	assert_null(path);
	check(strstr(err.text, "qemu-system-aarch64") &&
		      strstr(err.text, "install qemu-system-arm"),
	      "%s", err.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_versions),
		cmocka_unit_test(finds_programs),
		cmocka_unit_test(asks_for_the_version),
		cmocka_unit_test(says_what_to_install),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
