/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of access times in storage/bundle.h; states and locks are in tests/cli. */
#include "storage/bundle.h"

#include <time.h>

#include "place.h"

static struct stat stat_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st;
}

static void access_time_is_set_and_read_back(void **state)
{
	const struct timespec when = { .tv_sec = 1222643700 }; /* 2008-09-28T23:15:00Z */
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP_CLOSE int fd = -1;
	struct timespec accessed;
	struct err err = { 0 };
	struct stat before;

	(void)state;
	place_add_vm(&place, "vm", "disk");
	assert_true(fs_open_dir(place.vms_fd, "vm", &fd, &err));
	before = stat_of(fd);
	assert_true(bundle_touch(fd, &when, &err));
	assert_true(bundle_accessed(fd, &accessed, &err));
	assert_int_equal(accessed.tv_sec, when.tv_sec);
	assert_int_equal(accessed.tv_nsec, 0);
	assert_int_equal(stat_of(fd).st_mtim.tv_sec, before.st_mtim.tv_sec);
	assert_int_equal(stat_of(fd).st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

static void now_is_a_whole_second(void **state)
{
	CLEANUP(place_done) struct place place = place_make();
	CLEANUP_CLOSE int fd = -1;
	struct timespec accessed;
	struct err err = { 0 };
	time_t before = time(NULL);

	(void)state;
	place_add_vm(&place, "vm", "disk");
	assert_true(fs_open_dir(place.vms_fd, "vm", &fd, &err));
	assert_true(bundle_touch(fd, NULL, &err));
	assert_true(bundle_accessed(fd, &accessed, &err));
	assert_int_equal(accessed.tv_nsec, 0);
	assert_true(accessed.tv_sec >= before && accessed.tv_sec <= time(NULL) + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(access_time_is_set_and_read_back),
		cmocka_unit_test(now_is_a_whole_second),
	};

	return unit_main(tests);
}
