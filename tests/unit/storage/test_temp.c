/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the directories of pulls in storage/temp.h; tests/cli/concurrency.bats has the other entries. */
#include "storage/temp.h"

#include <time.h>

#include "place.h"
#include "storage/dir.h"

#define KEY "registry.example/ns:tag"

static void open_pull(const struct place *place, struct temp *ret)
{
	struct err err = { 0 };

	check(temp_open_pull(&place->home, KEY, ret, &err), "%s", err.text);
}

static size_t count(const struct place *place)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct err err = { 0 };

	assert_true(dir_list(place->home.tmp_fd, &list, &err));
	return list.names.n;
}

static void set_age(int dir_fd, const char *name, time_t age_s)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   { .tv_sec = time(NULL) - age_s } };

	assert_int_equal(utimensat(dir_fd, name, times, 0), 0);
}

static void name_follows_from_the_key(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(temp_release) struct temp other = TEMP_INIT;
	struct temp temp = TEMP_INIT;
	struct err err = { 0 };

	(void)state;
	open_pull(&place, &temp);
	/* sha256sum of the key */
	assert_string_equal(temp.name, "pull-b7cbae243f883b570bd0aed9918dd456");
	place_write(temp.fd, "journal", "so far");
	assert_true(temp_open_pull(&place.home, KEY "2", &other, &err));
	assert_string_not_equal(temp.name, other.name);
	temp_release(&temp);
	open_pull(&place, &temp);
	assert_true(fs_exists(temp.fd, "journal"));
	temp_done(&temp);
	assert_int_equal(count(&place), 1);
}

static void something_else_in_its_place_is_an_error(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	struct temp temp = TEMP_INIT;
	struct err err = { 0 };
	char name[sizeof(temp.name)];

	(void)state;
	open_pull(&place, &temp);
	memcpy(name, temp.name, sizeof(name));
	temp_done(&temp);
	assert_int_equal(symlinkat(place.path, place.home.tmp_fd, name), 0);
	assert_false(temp_open_pull(&place.home, KEY, &temp, &err));
	assert_int_equal(temp.fd, -1);
}

static const struct {
	const char *name;
	time_t dir_age_s, file_age_s;
	bool stays;
} ages[] = {
	{ "new", 0, 0, true },
	{ "almost a day old", TEMP_PULL_KEPT_S - 60, TEMP_PULL_KEPT_S - 60, true },
	{ "at work until lately", 3 * TEMP_PULL_KEPT_S, 60, true },
	{ "a file removed lately", 60, 3 * TEMP_PULL_KEPT_S, true },
	{ "old", TEMP_PULL_KEPT_S + 60, TEMP_PULL_KEPT_S + 60, false },
	{ "from tomorrow, by a clock that was wrong", -86400, -86400, true },
};

static void young_ones_stay(void **state)
{
	(void)state;
	each_row(ages, row) {
		CLEANUP(place_done) struct place place = place_make();
		struct temp temp = TEMP_INIT;
		struct err err = { 0 };

		open_pull(&place, &temp);
		place_write(temp.fd, "journal", "so far");
		set_age(temp.fd, "journal", row->file_age_s);
		set_age(temp.dir_fd, temp.name, row->dir_age_s);
		check(temp_collect(&place.home, &err), "%s: %s", row->name, err.text);
		check(count(&place) == 1, "%s: collected while it is held", row->name);
		temp_release(&temp);
		check(temp_collect(&place.home, &err), "%s: %s", row->name, err.text);
		check(count(&place) == (row->stays ? 1 : 0), "%s: wrong", row->name);
		check(temp_collect_pulls(&place.home, &err), "%s: %s", row->name, err.text);
		check(count(&place) == 0, "%s: still there", row->name);
	}
}

static void held_ones_stay_always(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP(temp_done) struct temp pull = TEMP_INIT;
	CLEANUP(temp_release) struct temp left = TEMP_INIT;
	struct err err = { 0 };

	(void)state;
	open_pull(&place, &pull);
	set_age(pull.dir_fd, pull.name, 3 * TEMP_PULL_KEPT_S);
	assert_true(temp_make_dir(&place.home, "", "", &left, &err));
	temp_release(&left);
	/* Not its business. */
	assert_true(temp_collect_pulls(&place.home, &err));
	assert_int_equal(count(&place), 2);
	assert_true(temp_collect(&place.home, &err));
	assert_int_equal(count(&place), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_follows_from_the_key),
		cmocka_unit_test(something_else_in_its_place_is_an_error),
		cmocka_unit_test(young_ones_stay),
		cmocka_unit_test(held_ones_stay_always),
	};

	return unit_main(tests);
}
