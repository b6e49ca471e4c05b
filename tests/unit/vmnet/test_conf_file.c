/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of vmnet/conf_file.h: a change happens at once or not at all. No keeper runs here; those of tests/net do. */
#include "vmnet/conf_file.h"

#include <sys/stat.h>

#include "temp_dir.h"

/* A rootless network.conf in a home that is this directory. */
static void in_home(struct temp_dir *dir, struct home *ret_home, struct conf_file *ret)
{
	*ret_home = (struct home){
		.path = dir->path, .root_fd = dir->fd, .cache_fd = -1, .tmp_fd = -1
	};
	conf_file_find(ret_home, KEEPER_ONLY_ROOTLESS, ret);
}

static void write_conf(const struct temp_dir *dir, const char *text)
{
	struct err err = { 0 };

	assert_true(fs_replace_file(dir->fd, "network.conf", span_of(text), 0644, &err));
}

static void assert_conf(const struct conf_file *file, const char *text)
{
	CLEANUP_STR struct str found = { 0 };
	struct err err = { 0 };

	assert_true(conf_file_read(file, &found, &err));
	assert_string_equal(str_text(&found), text);
}

static void each_kind_has_its_file(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP(conf_file_done) struct conf_file own = { 0 };
	CLEANUP(conf_file_done) struct conf_file system = { 0 };
	CLEANUP_FREE char *path = xasprintf("%s/network.conf", dir->path);
	struct home home;

	in_home(dir, &home, &own);
	assert_int_equal(own.kind, KEEPER_ROOTLESS);
	assert_string_equal(own.path, path);
	conf_file_find(&home, KEEPER_ONLY_SYSTEM, &system);
	assert_int_equal(system.kind, KEEPER_SYSTEM);
	assert_string_equal(system.path, NETD_CONF);
}

static void no_file_is_an_empty_one(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	struct err err = { 0 };
	struct home home;

	in_home(dir, &home, &file);
	assert_conf(&file, "");
	assert_true(conf_file_check(&file, &err));
}

static void the_line_of_a_key(void **state)
{
	struct span text = span_of("# mtu = 1\ndns = gateway\n\nmtu = 1400\n");

	(void)state;
	assert_int_equal(conf_file_line(text, "dns"), 2);
	assert_int_equal(conf_file_line(text, "mtu"), 4);
	assert_int_equal(conf_file_line(text, "subnet"), 0);
	assert_int_equal(conf_file_line(span_of(""), "mtu"), 0);
}

static void changes_and_leaves_nothing_aside(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP_STR struct str notice = { 0 };
	struct err err = { 0 };
	struct home home;
	struct stat st;

	in_home(dir, &home, &file);
	assert_true(conf_file_change(&home, &file, "lease-time", "600", &notice, &err));
	assert_conf(&file, "lease-time = 600\n");
	assert_int_equal(fstatat(dir->fd, "network.conf", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_true(conf_file_change(&home, &file, "mtu", "1400", &notice, &err));
	assert_true(conf_file_change(&home, &file, "lease-time", NULL, &notice, &err));
	assert_conf(&file, "mtu = 1400\n");
	assert_false(fs_exists(dir->fd, ".network.conf.new"));
	assert_int_equal(notice.len, 0);
}

static void what_was_never_set_makes_no_file(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP_STR struct str notice = { 0 };
	struct err err = { 0 };
	struct home home;

	in_home(dir, &home, &file);
	assert_true(conf_file_change(&home, &file, "mtu", NULL, &notice, &err));
	assert_false(fs_exists(dir->fd, "network.conf"));
	assert_false(fs_exists(dir->fd, ".network.conf.new"));
}

static void a_refused_value_changes_nothing(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP_STR struct str notice = { 0 };
	struct err err = { 0 };
	struct home home;

	in_home(dir, &home, &file);
	write_conf(dir, "# mine\nmtu = 1400\n");
	assert_false(conf_file_change(&home, &file, "mtu", "many", &notice, &err));
	assert_int_equal(err.kind, ERR_GENERAL);
	assert_non_null(strstr(err.text, "mtu"));
	assert_non_null(strstr(err.text, "many"));
	assert_conf(&file, "# mine\nmtu = 1400\n");
	assert_false(fs_exists(dir->fd, ".network.conf.new"));
}

/* What a killed change has left: its lock went with it. */
static void a_killed_change_is_no_obstacle(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP_STR struct str notice = { 0 };
	struct err err = { 0 };
	struct home home;

	in_home(dir, &home, &file);
	assert_true(fs_replace_file(dir->fd, ".network.conf.new",
				    span_of("a long text that was half written\nmtu = 9"), 0644,
				    &err));
	assert_true(conf_file_change(&home, &file, "mtu", "1400", &notice, &err));
	assert_conf(&file, "mtu = 1400\n");
	assert_false(fs_exists(dir->fd, ".network.conf.new"));
}

static void a_wrong_file_is_told(void **state)
{
	struct temp_dir *dir = *state;
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	struct err err = { 0 };
	struct home home;

	in_home(dir, &home, &file);
	write_conf(dir, "dns = gateway\nmtu = many\n");
	assert_false(conf_file_check(&file, &err));
	assert_non_null(strstr(err.text, file.path));
	assert_non_null(strstr(err.text, "many"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_dir_test(each_kind_has_its_file),
		temp_dir_test(no_file_is_an_empty_one),
		cmocka_unit_test(the_line_of_a_key),
		temp_dir_test(changes_and_leaves_nothing_aside),
		temp_dir_test(what_was_never_set_makes_no_file),
		temp_dir_test(a_refused_value_changes_nothing),
		temp_dir_test(a_killed_change_is_no_obstacle),
		temp_dir_test(a_wrong_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
