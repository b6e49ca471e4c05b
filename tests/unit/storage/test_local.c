/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of storage/local.h and storage/temp.h: the moves between vms and tmp, and what is kept from the collector. */
#include "storage/local.h"

#include <string.h>

#include "place.h"
#include "storage/temp.h"

static void expect_disk(const struct place *place, const char *name, const char *want)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", name, BUNDLE_DISK);
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	check(fs_read_file(place->vms_fd, path, 100, &text, &err), "%s", err.text);
	assert_string_equal(str_text(&text), want);
}

static size_t entries(int dir_fd)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct err err = { 0 };

	check(dir_list(dir_fd, &list, &err), "%s", err.text);
	return list.names.n;
}

static void install(const struct place *place, const char *name, const char *disk)
{
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	struct err err = { 0 };

	check(temp_make_bundle(&place->home, &temp, &err), "%s", err.text);
	place_fill(temp.fd, disk);
	assert_true(home_lock(&place->home, &err));
	check(local_install(&place->home, &temp, name, &err), "%s", err.text);
	home_unlock(&place->home);
}

static void installs_and_replaces(void **state)
{
	CLEANUP(place_done) struct place place = place_make();

	(void)state;
	install(&place, "vm", "first");
	expect_disk(&place, "vm", "first");
	install(&place, "vm", "second");
	expect_disk(&place, "vm", "second");
	assert_int_equal(entries(place.vms_fd), 1);
	assert_int_equal(entries(place.home.tmp_fd), 0);
}

static void installs_over_an_empty_folder_and_a_file(void **state)
{
	CLEANUP(place_done) struct place place = place_make();

	(void)state;
	assert_int_equal(mkdirat(place.vms_fd, "empty", 0700), 0);
	place_write(place.vms_fd, "file", "no VM");
	install(&place, "empty", "one");
	install(&place, "file", "two");
	expect_disk(&place, "empty", "one");
	expect_disk(&place, "file", "two");
	assert_int_equal(entries(place.home.tmp_fd), 0);
}

static void lists_what_is_complete(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct err err = { 0 };

	(void)state;
	place_add_vm(&place, "b", "");
	place_add_vm(&place, "B", "");
	place_add_vm(&place, "half", "");
	assert_int_equal(unlinkat(place.vms_fd, "half/" BUNDLE_NVRAM, 0), 0);
	place_add_vm(&place, "a\nb", "");
	place_add_vm(&place, TEMP_PREFIX "x", "");
	assert_true(local_list(&place.home, &list, &err));
	assert_int_equal(list.names.n, 2);
	assert_string_equal(list.names.v[0], "B");
	assert_string_equal(list.names.v[1], "b");
	assert_true(local_exists(&place.home, "b"));
	assert_false(local_exists(&place.home, "half"));
	assert_false(local_exists(&place.home, "../vms/b"));
}

static void opening_tells_missing_from_incomplete(void **state)
{
	static const struct {
		const char *name;
		enum err_kind kind;
	} rows[] = {
		{ "nosuch", ERR_VM_MISSING }, { "half", ERR_VM_INCOMPLETE },
		{ "file", ERR_VM_MISSING },   { "", ERR_VM_MISSING },
		{ ".", ERR_VM_MISSING },      { "..", ERR_VM_MISSING },
		{ "b/", ERR_VM_MISSING },     { "../tmp", ERR_VM_MISSING },
	};
	CLEANUP(place_done) struct place place = place_make();

	(void)state;
	place_add_vm(&place, "b", "");
	place_add_vm(&place, "half", "");
	assert_int_equal(unlinkat(place.vms_fd, "half/" BUNDLE_NVRAM, 0), 0);
	place_write(place.vms_fd, "file", "");
	each_row(rows, row) {
		struct err err = { 0 };
		int fd = -2;

		check(!local_open(&place.home, row->name, &fd, &err), "'%s': opened", row->name);
		check(err.kind == row->kind && fd == -2, "'%s': %s", row->name, err.text);
	}
}

static void finds_macs(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(config_done) struct config config = { 0 };
	static const struct mac other = { { 2, 1, 1, 1, 1, 1 } };
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };
	bool found;

	(void)state;
	place_add_vm(&place, "a", "");
	place_add_vm(&place, "broken", "");
	place_write(place.vms_fd, "broken/" BUNDLE_CONFIG, "{");
	assert_true(local_peek(&place.home, "a", &fd, &err));
	assert_true(config_read(fd, &config, &err));
	assert_true(local_has_mac(&place.home, &config.mac, NULL, MAC_OF_ANY, &found, &err));
	assert_true(found);
	assert_true(local_has_mac(&place.home, &config.mac, "a", MAC_OF_ANY, &found, &err));
	assert_false(found);
	assert_true(local_has_mac(&place.home, &config.mac, NULL, MAC_OF_RUNNING, &found, &err));
	assert_false(found);
	assert_true(local_has_mac(&place.home, &other, NULL, MAC_OF_ANY, &found, &err));
	assert_false(found);
}

/* The entries of this process are held: it collects only what nobody does. */
static void collects_what_nobody_holds(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(temp_done) struct temp dir = TEMP_INIT;
	CLEANUP(temp_done) struct temp file = TEMP_INIT;
	struct temp kept = TEMP_INIT;
	struct err err = { 0 };

	(void)state;
	assert_true(temp_make_dir(&place.home, "", ".volume", &dir, &err));
	assert_true(temp_make_file(&place.home, "run-disk-", "", &file, &err));
	assert_true(temp_make_dir(&place.home, "", "", &kept, &err));
	place_write(kept.fd, "file", "");
	assert_int_equal(entries(place.home.tmp_fd), 3);
	check(temp_collect(&place.home, &err), "%s", err.text);
	assert_int_equal(entries(place.home.tmp_fd), 3);

	temp_release(&kept);
	check(temp_collect(&place.home, &err), "%s", err.text);
	assert_int_equal(entries(place.home.tmp_fd), 2);
	assert_true(fs_exists(dir.dir_fd, dir.name));
	assert_true(span_ends_with(span_of(dir.name), ".volume"));
	assert_true(span_starts_with(span_of(file.name), "run-disk-"));
	temp_done(&dir);
	temp_done(&dir);
	assert_int_equal(entries(place.home.tmp_fd), 1);
}

static void deleting_hides_first(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	struct temp temp = TEMP_INIT;
	struct err err = { 0 };

	(void)state;
	place_add_vm(&place, "a", "");
	assert_true(temp_hide(&place.home, place.vms_fd, place.vms_fd, "a", &temp, &err));
	assert_int_equal(entries(place.vms_fd), 0);
	assert_int_equal(entries(place.home.tmp_fd), 1);
	assert_true(temp_remove(&temp, &err));
	assert_int_equal(entries(place.home.tmp_fd), 0);
	assert_true(temp_hide(&place.home, place.vms_fd, place.vms_fd, "a", &temp, &err));
	assert_true(temp_remove(&temp, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(installs_and_replaces),
		cmocka_unit_test(installs_over_an_empty_folder_and_a_file),
		cmocka_unit_test(lists_what_is_complete),
		cmocka_unit_test(opening_tells_missing_from_incomplete),
		cmocka_unit_test(finds_macs),
		cmocka_unit_test(collects_what_nobody_holds),
		cmocka_unit_test(deleting_hides_first),
	};

	return unit_main(tests);
}
