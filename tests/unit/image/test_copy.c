/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/copy.h. Reflinks need a file system that has them: tests/image/reflink.bats. */
#include "image/copy.h"

#include <errno.h>

#include "place.h"

static struct place place;

static int set_up(void **state)
{
	(void)state;
	place_make(&place);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&place);
	return 0;
}

static const struct {
	const char *name;
	uint64_t size;
	struct piece pieces[4];
	size_t n;
} files[] = {
	{ "empty", 0, { { 0, 0, 0 } }, 0 },
	{ "one byte", 1, { { 0, 1, 7 } }, 1 },
	{ "all hole", 64 * MIB, { { 0, 0, 0 } }, 0 },
	{ "all data", 2 * MIB, { { 0, 2 * MIB, 1 } }, 1 },
	{ "data at both ends", 100 * MIB, { { 0, 4096, 3 }, { 100 * MIB - 4096, 4096, 9 } }, 2 },
	{ "hole at the end", 5 * MIB, { { MIB, MIB, 5 } }, 1 },
	{ "last page partial and data", 1000000512, { { 1000000000, 512, 11 } }, 1 },
	{ "last page partial and hole", 1000000512, { { 4096, 8192, 11 } }, 1 },
	{ "more than one piece", 40 * MIB, { { MIB, 35 * MIB, 17 } }, 1 },
	{ "many runs",
	  10 * MIB,
	  { { 0, 4096, 1 }, { 65536, 4096, 2 }, { 5 * MIB, 12288, 3 }, { 9 * MIB, 65536, 4 } },
	  4 },
};

static void same_bytes_and_same_holes(void **state)
{
	char before[512];
	char after[512];

	(void)state;
	each_row(files, row) {
		int src;
		int dst;

		make_file(place.fd, "src", row->size, row->pieces, row->n);
		src = open_at(place.fd, "src", O_RDONLY);
		dst = open_at(place.fd, "dst", O_RDWR | O_CREAT | O_TRUNC);
		ok(copy_sparse(src, dst, NULL, &why));
		assert_int_equal(fsync(dst), 0);
		check(same_content(place.fd, "src", place.fd, "dst"), "%s: content", row->name);
		describe_holes(place.fd, "src", before, sizeof(before));
		describe_holes(place.fd, "dst", after, sizeof(after));
		check(strcmp(before, after) == 0, "%s: '%s' became '%s'", row->name, before, after);
		(void)close(src);
		(void)close(dst);
	}
}

static void copies_between_file_systems(void **state)
{
	const struct piece piece = { 3 * MIB, 40000, 5 };
	struct stat here = stat_at(place.fd, ".");
	struct stat there;
	int shm = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int back;
	int src;

	(void)state;
	if (shm < 0 || fstat(shm, &there) < 0 || here.st_dev == there.st_dev)
		skip();
	make_file(place.fd, "src", 9 * MIB + 1, &piece, 1);
	src = open_at(place.fd, "src", O_RDONLY);
	back = open_at(place.fd, "back", O_RDWR | O_CREAT);
	ok(copy_sparse(src, shm, NULL, &why));
	assert_int_equal(fstat(shm, &there), 0);
	assert_true(there.st_blocks * 512 < (off_t)MIB);
	ok(copy_sparse(shm, back, NULL, &why));
	assert_true(same_content(place.fd, "src", place.fd, "back"));
	(void)close(src);
	(void)close(back);
	(void)close(shm);
}

struct watch {
	uint64_t last;
	uint64_t total;
	size_t calls;
	int src_fd; /* to be changed at the first call; -1 = leave it */
	off_t new_size;
};

static void watch(void *ctx, uint64_t done, uint64_t total)
{
	struct watch *watch = ctx;

	assert_true(done >= watch->last && done <= total);
	watch->last = done;
	watch->total = total;
	watch->calls++;
	if (watch->src_fd >= 0 && watch->calls == 1)
		assert_int_equal(ftruncate(watch->src_fd, watch->new_size), 0);
}

static void progress_ends_at_the_total(void **state)
{
	const struct piece piece = { 0, 50 * MIB, 5 };
	struct watch seen = { .src_fd = -1 };
	const struct progress_sink progress = { .update = watch, .ctx = &seen };
	int src;
	int dst;

	(void)state;
	make_file(place.fd, "src", 80 * MIB, &piece, 1);
	src = open_at(place.fd, "src", O_RDONLY);
	dst = open_at(place.fd, "dst2", O_RDWR | O_CREAT);
	ok(copy_sparse(src, dst, &progress, &why));
	assert_true(seen.calls >= 4);
	assert_int_equal(seen.last, 80 * MIB);
	assert_int_equal(seen.total, 80 * MIB);
	(void)close(src);
	(void)close(dst);
	/* A reflink, too, if it is one. */
	seen = (struct watch){ .src_fd = -1 };
	ok(copy_file(place.fd, "src", place.fd, "dst2b", 0644, &progress, &why));
	assert_true(seen.calls >= 1);
	assert_int_equal(seen.last, 80 * MIB);
}

static void a_source_that_grows_is_copied_as_it_was(void **state)
{
	const struct piece piece = { 0, 50 * MIB, 5 };
	struct watch seen = { .new_size = (off_t)(200 * MIB) };
	const struct progress_sink progress = { .update = watch, .ctx = &seen };
	int dst = open_at(place.fd, "dst3", O_RDWR | O_CREAT);

	(void)state;
	make_file(place.fd, "src", 50 * MIB, &piece, 1);
	seen.src_fd = open_at(place.fd, "src", O_RDWR);
	ok(copy_sparse(seen.src_fd, dst, &progress, &why));
	assert_int_equal(stat_at(place.fd, "dst3").st_size, 50 * MIB);
	(void)close(seen.src_fd);
	(void)close(dst);
}

static const struct {
	const char *name;
	uint64_t left;
} cuts[] = {
	{ "nothing left", 0 },
	{ "inside of what is copied", 20 * MIB },
	{ "one byte less", 80 * MIB - 1 },
};

static void a_source_that_gets_shorter_is_an_error(void **state)
{
	const struct piece piece = { 0, 50 * MIB, 5 };

	(void)state;
	each_row(cuts, row) {
		struct watch seen = { .new_size = (off_t)row->left };
		const struct progress_sink progress = { .update = watch, .ctx = &seen };
		struct err err = { 0 };
		int dst = open_at(place.fd, "dst4", O_RDWR | O_CREAT | O_TRUNC);

		make_file(place.fd, "src", 80 * MIB, &piece, 1);
		seen.src_fd = open_at(place.fd, "src", O_RDWR);
		check(!copy_sparse(seen.src_fd, dst, &progress, &err), "%s", row->name);
		check(strstr(err.text, "got shorter") != NULL, "%s: %s", row->name, err.text);
		(void)close(seen.src_fd);
		(void)close(dst);
	}
}

static void never_overwrites(void **state)
{
	const struct piece piece = { 0, 100, 5 };
	struct err err = { 0 };

	(void)state;
	make_file(place.fd, "src", 100, &piece, 1);
	make_file(place.fd, "taken", 7, NULL, 0);
	assert_false(copy_file(place.fd, "src", place.fd, "taken", 0644, NULL, &err));
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(stat_at(place.fd, "taken").st_size, 7);
}

static void reflinks_say_why_not(void **state)
{
	bool can = false;
	int reason = -1;
	int src;
	int dst;

	(void)state;
	make_file(place.fd, "src", 4096, NULL, 0);
	src = open_at(place.fd, "src", O_RDONLY);
	dst = open_at(place.fd, "dst5", O_RDWR | O_CREAT);
	ok(copy_can_reflink(place.fd, &can, &why));
	ok(copy_reflink(src, dst, &reason, &why));
	assert_int_equal(reason == 0, can);
	(void)close(src);
	(void)close(dst);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_bytes_and_same_holes),
		cmocka_unit_test(copies_between_file_systems),
		cmocka_unit_test(progress_ends_at_the_total),
		cmocka_unit_test(a_source_that_grows_is_copied_as_it_was),
		cmocka_unit_test(a_source_that_gets_shorter_is_an_error),
		cmocka_unit_test(never_overwrites),
		cmocka_unit_test(reflinks_say_why_not),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
