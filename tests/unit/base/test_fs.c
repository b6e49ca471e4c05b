/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/fs.h. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>

#include "temp_dir.h"

static void put(const struct temp_dir *dir, const char *name, const char *text)
{
	CLEANUP_CLOSE int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
				      0644);
	struct err err = { 0 };

	check(fd >= 0 && fs_write_all(fd, span_of(text), &err), "%s: %s", name, err.text);
}

static void check_content(const struct temp_dir *dir, const char *name, const char *want)
{
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	check(fs_read_file(dir->fd, name, 1 << 20, &text, &err), "%s", err.text);
	assert_string_equal(str_text(&text), want);
}

/* rmdir() is the judge; the directory comes back for the end of the test. */
static void check_empty(const struct temp_dir *dir)
{
	assert_int_equal(rmdir(dir->path), 0);
	assert_int_equal(mkdir(dir->path, 0700), 0);
}

static void directories_are_made_once(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };

	assert_true(fs_make_dir(dir->fd, "a", 0700, &err));
	assert_true(fs_make_dir(dir->fd, "a", 0700, &err));
	assert_true(fs_open_dir(dir->fd, "a", &fd, &err));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void directories_cannot_be_made_in_place_of_others(void **state)
{
	const struct temp_dir *dir = *state;
	struct err err = { 0 };

	put(dir, "file", "");
	assert_false(fs_make_dir(dir->fd, "file", 0700, &err));
	assert_int_equal(err.sys, ENOTDIR);
	assert_false(fs_make_dir(dir->fd, "absent/a", 0700, &err));
	assert_int_equal(err.sys, ENOENT);
	assert_int_equal(symlinkat("nowhere", dir->fd, "dangling"), 0);
	assert_false(fs_make_dir(dir->fd, "dangling", 0700, &err));
}

static void a_link_to_a_directory_counts_as_one(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };

	assert_true(fs_make_dir(dir->fd, "real", 0700, &err));
	assert_int_equal(symlinkat("real", dir->fd, "link"), 0);
	assert_true(fs_make_dir(dir->fd, "link", 0700, &err));
	assert_true(fs_open_dir(dir->fd, "link", &fd, &err));
}

static void opening_what_is_no_directory_leaves_the_result_alone(void **state)
{
	const struct temp_dir *dir = *state;
	struct err err = { 0 };
	int fd = -7;

	put(dir, "file", "");
	assert_false(fs_open_dir(dir->fd, "file", &fd, &err));
	assert_int_equal(err.sys, ENOTDIR);
	assert_false(fs_open_dir(dir->fd, "absent", &fd, &err));
	assert_int_equal(fd, -7);
	assert_string_equal(err.text, "cannot open directory 'absent': No such file or directory");
}

static void reads_up_to_its_limit_and_not_a_byte_more(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_STR struct str large = { 0 };
	struct err err = { 0 };

	put(dir, "ten", "0123456789");
	str_add(&text, "before ");
	assert_true(fs_read_file(dir->fd, "ten", 10, &text, &err));
	assert_string_equal(str_text(&text), "before 0123456789");

	assert_false(fs_read_file(dir->fd, "ten", 9, &text, &err));
	assert_string_equal(err.text, "'ten': larger than 9 bytes");
	assert_string_equal(str_text(&text), "before 0123456789");

	for (int i = 0; i < 10000; i++)
		str_add(&large, "0123456789");
	put(dir, "large", str_text(&large));
	str_clear(&text);
	assert_false(fs_read_file(dir->fd, "large", large.len - 1, &text, &err));
	assert_int_equal(text.len, 0);
	assert_true(fs_read_file(dir->fd, "large", large.len, &text, &err));
	assert_true(span_equal(str_span(&text), str_span(&large)));
}

static void reads_only_regular_files(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	/* Nobody has the FIFO open for writing: a careless open() would wait for ever. */
	assert_int_equal(mkfifoat(dir->fd, "fifo", 0600), 0);
	assert_false(fs_read_file(dir->fd, "fifo", 10, &text, &err));
	assert_string_equal(err.text, "'fifo' is not a regular file");
	assert_true(fs_make_dir(dir->fd, "dir", 0700, &err));
	assert_false(fs_read_file(dir->fd, "dir", 10, &text, &err));
	assert_false(fs_read_file(dir->fd, "absent", 10, &text, &err));
	assert_int_equal(err.sys, ENOENT);
	assert_int_equal(text.len, 0);
}

static void reading_a_descriptor_ignores_its_position(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };

	put(dir, "a", "abc");
	fd = openat(dir->fd, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
	assert_true(fs_read_fd(fd, 3, &text, &err));
	assert_string_equal(str_text(&text), "abc");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 2);
}

static void writes_at_an_offset(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };

	put(dir, "a", "abcdef");
	fd = openat(dir->fd, "a", O_RDWR | O_CLOEXEC);
	assert_true(fs_pwrite_all(fd, "XY", 2, 5, &err));
	assert_true(fs_pwrite_all(fd, "", 0, 100, &err));
	check_content(dir, "a", "abcdeXY");
}

static void a_write_that_fails_says_why(void **state)
{
	CLEANUP_CLOSE int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct err err = { 0 };

	(void)state;
	assert_true(full >= 0);
	assert_false(fs_write_all(full, span_of("x"), &err));
	assert_int_equal(err.sys, ENOSPC);
	err_clear(&err);
	assert_false(fs_pwrite_all(full, "x", 1, 0, &err));
	assert_int_equal(err.sys, ENOSPC);
}

static void replacing_makes_a_new_file_and_keeps_nothing_else(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int old = -1;
	struct err err = { 0 };
	struct stat st;

	put(dir, "a", "old");
	old = openat(dir->fd, "a", O_RDONLY | O_CLOEXEC);
	assert_true(fs_is_current(dir->fd, "a", old));
	assert_true(fs_replace_file(dir->fd, "a", span_of("new"), 0600, &err));
	check_content(dir, "a", "new");
	assert_false(fs_is_current(dir->fd, "a", old));
	assert_int_equal(fstatat(dir->fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(unlinkat(dir->fd, "a", 0), 0);
	check_empty(dir);
}

static void a_replacement_that_fails_leaves_no_temporary_file(void **state)
{
	const struct temp_dir *dir = *state;
	struct err err = { 0 };

	assert_true(fs_make_dir(dir->fd, "a", 0700, &err));
	assert_false(fs_replace_file(dir->fd, "a", span_of("new"), 0600, &err));
	assert_int_equal(err.sys, EISDIR);
	assert_int_equal(unlinkat(dir->fd, "a", AT_REMOVEDIR), 0);
	check_empty(dir);
}

static void replacing_a_link_does_not_touch_its_target(void **state)
{
	const struct temp_dir *dir = *state;
	struct err err = { 0 };

	put(dir, "target", "kept");
	assert_int_equal(symlinkat("target", dir->fd, "a"), 0);
	assert_true(fs_replace_file(dir->fd, "a", span_of("new"), 0600, &err));
	check_content(dir, "target", "kept");
	check_content(dir, "a", "new");
}

static void removes_a_tree_but_not_what_its_links_point_to(void **state)
{
	const struct temp_dir *dir = *state;
	struct err err = { 0 };

	assert_true(fs_make_dir(dir->fd, "kept", 0700, &err));
	put(dir, "kept/file", "kept");
	assert_true(fs_make_dir(dir->fd, "tree", 0700, &err));
	assert_true(fs_make_dir(dir->fd, "tree/a", 0700, &err));
	assert_true(fs_make_dir(dir->fd, "tree/a/b", 0700, &err));
	put(dir, "tree/a/b/file", "");
	assert_int_equal(symlinkat("../kept", dir->fd, "tree/dir-link"), 0);
	assert_int_equal(symlinkat("../../kept/file", dir->fd, "tree/a/file-link"), 0);
	assert_int_equal(mkfifoat(dir->fd, "tree/fifo", 0600), 0);
	assert_true(fs_remove_tree(dir->fd, "tree", &err));
	assert_false(fs_exists(dir->fd, "tree"));
	check_content(dir, "kept/file", "kept");
}

static void removing_a_link_or_file_or_nothing(void **state)
{
	const struct temp_dir *dir = *state;
	struct err err = { 0 };

	put(dir, "file", "");
	assert_int_equal(symlinkat("file", dir->fd, "link"), 0);
	assert_true(fs_remove_tree(dir->fd, "link", &err));
	assert_true(fs_exists(dir->fd, "file"));
	assert_true(fs_remove_tree(dir->fd, "file", &err));
	assert_true(fs_remove_tree(dir->fd, "file", &err));
}

static void a_tree_too_deep_is_an_error_not_a_crash(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_STR struct str path = { 0 };
	struct err err = { 0 };

	str_add(&path, "d");
	for (int depth = 0; depth < 300; depth++) {
		assert_true(fs_make_dir(dir->fd, str_text(&path), 0700, &err));
		str_add(&path, "/d");
	}
	assert_false(fs_remove_tree(dir->fd, "d", &err));
	assert_non_null(strstr(err.text, "nested too deeply"));

	/* From the middle it can be taken apart, which the end of the test needs. */
	for (size_t depth = 240; depth > 0; depth -= 60) {
		str_truncate(&path, 2 * depth + 1);
		assert_true(fs_remove_tree(dir->fd, str_text(&path), &err));
	}
}

static void existence_follows_links(void **state)
{
	const struct temp_dir *dir = *state;

	put(dir, "file", "");
	assert_int_equal(symlinkat("file", dir->fd, "link"), 0);
	assert_int_equal(symlinkat("absent", dir->fd, "dangling"), 0);
	assert_true(fs_exists(dir->fd, "file"));
	assert_true(fs_exists(dir->fd, "link"));
	assert_false(fs_exists(dir->fd, "dangling"));
	assert_false(fs_exists(dir->fd, "absent"));
}

static void a_removed_or_linked_name_is_not_current(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int fd = -1;

	put(dir, "file", "");
	fd = openat(dir->fd, "file", O_RDONLY | O_CLOEXEC);
	assert_int_equal(symlinkat("file", dir->fd, "link"), 0);
	assert_false(fs_is_current(dir->fd, "link", fd));
	assert_int_equal(unlinkat(dir->fd, "file", 0), 0);
	assert_false(fs_is_current(dir->fd, "file", fd));
}

static void syncing_what_cannot_be_synced_is_forgiven(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_CLOSE int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct err err = { 0 };

	assert_true(fs_sync(dir->fd, &err));
	assert_true(fs_sync(null, &err));
	assert_false(fs_sync(-1, &err));
	assert_int_equal(err.sys, EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_dir_test(directories_are_made_once),
		temp_dir_test(directories_cannot_be_made_in_place_of_others),
		temp_dir_test(a_link_to_a_directory_counts_as_one),
		temp_dir_test(opening_what_is_no_directory_leaves_the_result_alone),
		temp_dir_test(reads_up_to_its_limit_and_not_a_byte_more),
		temp_dir_test(reads_only_regular_files),
		temp_dir_test(reading_a_descriptor_ignores_its_position),
		temp_dir_test(writes_at_an_offset),
		cmocka_unit_test(a_write_that_fails_says_why),
		temp_dir_test(replacing_makes_a_new_file_and_keeps_nothing_else),
		temp_dir_test(a_replacement_that_fails_leaves_no_temporary_file),
		temp_dir_test(replacing_a_link_does_not_touch_its_target),
		temp_dir_test(removes_a_tree_but_not_what_its_links_point_to),
		temp_dir_test(removing_a_link_or_file_or_nothing),
		temp_dir_test(a_tree_too_deep_is_an_error_not_a_crash),
		temp_dir_test(existence_follows_links),
		temp_dir_test(a_removed_or_linked_name_is_not_current),
		temp_dir_test(syncing_what_cannot_be_synced_is_forgiven),
	};

	return unit_main(tests);
}
