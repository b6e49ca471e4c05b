/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/output.h. tests/cli/export.bats has the case without O_TMPFILE. */
#include "base/output.h"

#include <errno.h>
#include <sys/stat.h>

#include "temp_dir.h"

/* The process works in the directory: paths are relative, as users write them. */
static int enter(void **state)
{
	struct temp_dir *dir;

	if (temp_dir_make(state) != 0)
		return -1;
	dir = *state;
	return fchdir(dir->fd);
}

static int leave(void **state)
{
	return chdir("/") == 0 ? temp_dir_remove(state) : -1;
}

static void make_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void assert_content(const char *path, const char *want)
{
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	check(fs_read_file(AT_FDCWD, path, 4096, &text, &err), "%s: %s", path, err.text);
	assert_string_equal(str_text(&text), want);
}

static void write_output(const char *path, const char *text)
{
	CLEANUP(output_done) struct output output = OUTPUT_INIT;
	struct err err = { 0 };

	check(output_open(path, 0644, &output, &err), "%s: %s", path, err.text);
	assert_int_equal(write(output.fd, text, strlen(text)), strlen(text));
	check(output_commit(&output, &err), "%s: %s", path, err.text);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void appears_when_complete(void **state)
{
	CLEANUP(output_done) struct output output = OUTPUT_INIT;
	struct err err = { 0 };
	struct stat st;

	(void)state;
	(void)umask(022);
	assert_true(output_open("new", 0644, &output, &err));
	assert_int_equal(write(output.fd, "abc", 3), 3);
	assert_false(exists("new"));
	assert_true(output_commit(&output, &err));
	assert_content("new", "abc");
	assert_false(exists("new.part"));
	assert_int_equal(stat("new", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void replaces_at_once(void **state)
{
	(void)state;
	make_file("old", "before");
	make_file("old.part", "of a killed one");
	{
		CLEANUP(output_done) struct output output = OUTPUT_INIT;
		struct err err = { 0 };

		assert_true(output_open("old", 0644, &output, &err));
		assert_int_equal(write(output.fd, "abc", 3), 3);
		assert_content("old", "before");
	}
	assert_content("old", "before");
	write_output("old", "after");
	assert_content("old", "after");
	assert_false(exists("old.part"));
}

static void follows_links(void **state)
{
	(void)state;
	assert_int_equal(mkdir("below", 0755), 0);
	make_file("below/target", "before");
	assert_int_equal(symlink("below/target", "link"), 0);
	write_output("link", "after");
	assert_content("below/target", "after");
	write_output("below/other", "x");
	assert_content("below/other", "x");
}

static void writes_through_what_is_no_file(void **state)
{
	char buf[8] = { 0 };
	int fd;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0644), 0);
	fd = open("fifo", O_RDWR | O_CLOEXEC);
	write_output("fifo", "abc");
	assert_int_equal(read(fd, buf, sizeof(buf)), 3);
	assert_string_equal(buf, "abc");
	(void)close(fd);
	write_output("/dev/null", "abc");
	assert_true(exists("/dev/null"));
}

static const struct {
	const char *name;
	const char *path;
	int want;
} refused[] = {
	{ "a directory", ".", EISDIR },
	{ "a directory that does not exist", "new/", ENOENT },
	{ "in a directory that does not exist", "nosuch/file", ENOENT },
	{ "in a file", "file/below", ENOTDIR },
	{ "empty", "", EISDIR },
};

static void refuses(void **state)
{
	(void)state;
	make_file("file", "");
	each_row(refused, row) {
		CLEANUP(output_done) struct output output = OUTPUT_INIT;
		struct err err = { 0 };

		check(!output_open(row->path, 0644, &output, &err), "%s", row->name);
		check(err.sys == row->want || err.sys == EISDIR, "%s: %s", row->name, err.text);
	}
}

int main(void)
{
#define case_(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		case_(appears_when_complete),
		case_(replaces_at_once),
		case_(follows_links),
		case_(writes_through_what_is_no_file),
		case_(refuses),
	};

	return unit_main(tests);
}
