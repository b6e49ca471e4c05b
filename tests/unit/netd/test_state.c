/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/state.h. */
#include "netd/state.h"

#include <string.h>
#include <sys/stat.h>

#include "netd/aside.h"
#include "temp_dir.h"
#include "unit.h"

static void open_state(const struct temp_dir *dir, struct state *ret)
{
	struct err err = { 0 };

	check(state_open(dir->path, ret, &err), "%s", err.text);
}

static mode_t mode_of(int dirfd, const char *name)
{
	struct stat st = { 0 };

	assert_int_equal(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static struct nic nic_named(const char *tap)
{
	struct nic nic = { .vm = "a", .mac = { { 2, 0, 0, 0, 0, 1 } }, .address = 0xc0a84002 };

	(void)snprintf(nic.tap, sizeof(nic.tap), "%s", tap);
	return nic;
}

static void nobody_else_can_look_in(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP(state_close) struct state folders = STATE_INIT;
	struct nic nic = nic_named("tart-00000001");
	struct err err = { 0 };

	open_state(dir, &folders);
	assert_int_equal(mode_of(dir->fd, "net"), 0700);
	assert_int_equal(mode_of(dir->fd, "net/vms"), 0700);
	assert_int_equal(mode_of(dir->fd, "net/keeper.lock"), 0600);
	assert_true(state_save_nic(&folders, &nic, &err));
	assert_int_equal(mode_of(folders.vms_fd, "tart-00000001.json"), 0600);
	assert_int_equal(strlen(folders.boot_id), 36);
}

static void there_is_one_keeper(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP(state_close) struct state first = STATE_INIT;
	CLEANUP(state_close) struct state second = STATE_INIT;
	struct err err = { 0 };

	open_state(dir, &first);
	open_state(dir, &second);
	assert_int_equal(state_lock(&first, &err), LOCK_TAKEN);
	assert_int_equal(state_lock(&second, &err), LOCK_BUSY);
	state_close(&first);
	assert_int_equal(state_lock(&second, &err), LOCK_TAKEN);
}

static void what_is_saved_is_read_back(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP(state_close) struct state folders = STATE_INIT;
	CLEANUP(nic_list_done) nic_list found = { 0 };
	CLEANUP_STR struct str log = { 0 };
	struct nic one = nic_named("tart-00000001");
	struct nic two = nic_named("tart-00000002");
	struct err err = { 0 };

	open_state(dir, &folders);
	assert_true(state_save_nic(&folders, &one, &err));
	assert_true(state_save_nic(&folders, &two, &err));
	two.bound_at_s = 5;
	assert_true(state_save_nic(&folders, &two, &err));
	state_forget_nic(&folders, one.tap);
	state_forget_nic(&folders, one.tap);
	assert_true(state_load_nics(&folders, &found, &log, &err));
	assert_string_equal(str_text(&log), "");
	assert_int_equal(found.n, 1);
	assert_string_equal(found.v[0].tap, two.tap);
	assert_int_equal(found.v[0].bound_at_s, 5);
}

/* Half-written, foreign, renamed, no file at all: gone, and each is told. */
static void what_is_no_nic_is_removed(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP(state_close) struct state folders = STATE_INIT;
	CLEANUP(nic_list_done) nic_list found = { 0 };
	CLEANUP_STR struct str log = { 0 };
	struct nic nic = nic_named("tart-00000001");
	struct err err = { 0 };
	size_t n_lines = 0;

	open_state(dir, &folders);
	assert_true(state_save_nic(&folders, &nic, &err));
	assert_int_equal(linkat(folders.vms_fd, "tart-00000001.json", folders.vms_fd,
				"tart-00000002.json", 0),
			 0);
	assert_int_equal(symlinkat("/etc/passwd", folders.vms_fd, "tart-00000003.json"), 0);
	assert_int_equal(mkdirat(folders.vms_fd, "tart-00000004.json", 0700), 0);
	assert_int_equal(mkfifoat(folders.vms_fd, "tart-00000005.json", 0700), 0);
	assert_true(aside_replace(folders.vms_fd, "\x1b[2J", span_of("{"), 0600, &err));
	assert_true(aside_replace(folders.vms_fd, ASIDE_PREFIX "x", span_of(""), 0600, &err));
	assert_true(state_load_nics(&folders, &found, &log, &err));
	assert_int_equal(found.n, 1);
	for (const char *at = str_text(&log); *at; at++) {
		assert_int_not_equal(*at, '\x1b');
		n_lines += *at == '\n';
	}
	assert_int_equal(n_lines, 6);
	str_clear(&log);
	nic_list_done(&found);
	assert_true(state_load_nics(&folders, &found, &log, &err));
	assert_string_equal(str_text(&log), "");
	assert_int_equal(found.n, 1);
}

static void the_subnet_is_kept_until_reboot(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP(state_close) struct state folders = STATE_INIT;
	struct subnet subnet = { .cidr = { 0xc0a84100, 24 }, .gateway = 0xc0a84101 };
	struct subnet found = { .gateway = 0 };
	struct err err = { 0 };
	bool chosen = false;

	open_state(dir, &folders);
	assert_false(state_load_subnet(&folders, &found, &chosen));
	assert_true(state_save_subnet(&folders, &subnet, true, &err));
	assert_true(state_load_subnet(&folders, &found, &chosen));
	assert_true(chosen);
	assert_true(state_save_subnet(&folders, &subnet, false, &err));
	assert_true(state_load_subnet(&folders, &found, &chosen));
	assert_false(chosen);
	assert_int_equal(found.cidr.network, subnet.cidr.network);
	assert_int_equal(found.cidr.prefix, 24);
	assert_int_equal(found.gateway, subnet.gateway);
	folders.boot_id[0] = folders.boot_id[0] == '0' ? '1' : '0';
	assert_false(state_load_subnet(&folders, &found, &chosen));
}

static void the_mark_says_that_the_network_is_up(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP(state_close) struct state folders = STATE_INIT;

	open_state(dir, &folders);
	assert_false(state_is_marked_up(&folders));
	state_mark_up(&folders, true);
	state_mark_up(&folders, true);
	assert_true(state_is_marked_up(&folders));
	state_mark_up(&folders, false);
	state_mark_up(&folders, false);
	assert_false(state_is_marked_up(&folders));
}

static void a_saved_subnet_is_one(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		bool ok;
	} rows[] = {
		{ "as written", "B auto 192.168.64.1/24\n", true },
		{ "another boot", "C auto 192.168.64.1/24\n", false },
		{ "no newline", "B auto 192.168.64.1/24", false },
		{ "two lines", "B auto 192.168.64.1/24\n\n", false },
		{ "no prefix", "B auto 192.168.64.1\n", false },
		{ "too wide", "B auto 192.168.64.1/15\n", false },
		{ "too narrow", "B auto 192.168.64.1/30\n", false },
		{ "the network", "B auto 192.168.64.0/24\n", false },
		{ "the broadcast address", "B auto 192.168.64.255/24\n", false },
		{ "set by hand", "B set 192.168.64.1/24\n", true },
		{ "another word", "B by 192.168.64.1/24\n", false },
		{ "two words", "B auto\n", false },
		{ "one word", "B\n", false },
		{ "nothing", "", false },
	};

	(void)state;
	each_row(rows, row) {
		struct subnet subnet = { .gateway = 0 };
		bool chosen;

		check(saved_subnet_parse(span_of(row->text), "B", &subnet, &chosen) == row->ok,
		      "%s", row->name);
		check((subnet.gateway != 0) == row->ok, "%s: the result", row->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_dir_test(nobody_else_can_look_in),
		temp_dir_test(there_is_one_keeper),
		temp_dir_test(what_is_saved_is_read_back),
		temp_dir_test(what_is_no_nic_is_removed),
		temp_dir_test(the_subnet_is_kept_until_reboot),
		temp_dir_test(the_mark_says_that_the_network_is_up),
		cmocka_unit_test(a_saved_subnet_is_one),
	};

	return unit_main(tests);
}
