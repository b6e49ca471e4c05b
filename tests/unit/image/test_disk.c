/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/disk.h but for cloning, which test_clone.c covers. */
#include "image/disk.h"

#include <errno.h>

#include "base/child.h"
#include "image/note.h"
#include "place.h"

static struct place place;
static struct place other;

static int set_up(void **state)
{
	(void)state;
	place_make(&place);
	place_make(&other);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&place);
	place_remove(&other);
	return 0;
}

static const struct piece data = { MIB, 100000, 5 };

/* A plain disk in `place`, or base and overlay (its clone in `other`). */
static void make_disk(enum disk_layout layout)
{
	make_file(place.fd, DISK_FILE, 10 * MIB + 512, &data, 1);
	if (layout == DISK_LAYOUT_OVERLAY)
		ok(disk_clone(place.fd, CLONE_SOURCE_STOPPED, other.fd, CLONE_OVERLAY, NULL, NULL,
			      &why));
}

static struct disk_info inspect(void)
{
	struct disk_info info = { .size_bytes = 0 };

	ok(disk_inspect(place.fd, &info, &why));
	return info;
}

static void creates_exact_sizes(void **state)
{
	struct err err = { 0 };

	(void)state;
	ok(disk_create(place.fd, UINT64_C(50000000000), &why));
	assert_int_equal(stat_at(place.fd, DISK_FILE).st_size, UINT64_C(50000000000));
	assert_true(inspect().allocated_bytes < MIB);
	assert_int_equal(inspect().layout, DISK_LAYOUT_PLAIN);
	assert_false(disk_create(place.fd, 1000, &err));
	assert_int_equal(err.sys, EEXIST);
	assert_int_equal(inspect().size_bytes, UINT64_C(50000000000));
}

static void a_disk_too_large_leaves_nothing(void **state)
{
	struct err err = { 0 };

	(void)state;
	/* Some file systems take anything below it. */
	assert_false(disk_create(place.fd, (uint64_t)1 << 63, &err));
	assert_int_equal(err.sys, EINVAL);
	assert_false(fs_exists(place.fd, DISK_FILE));
}

static void inspects_both_layouts(void **state)
{
	struct disk_info info;

	(void)state;
	make_disk(DISK_LAYOUT_PLAIN);
	info = inspect();
	assert_int_equal(info.layout, DISK_LAYOUT_PLAIN);
	assert_int_equal(info.size_bytes, 10 * MIB + 512);
	assert_in_range(info.allocated_bytes, 100000, 200000);
	ok(disk_clone(place.fd, CLONE_SOURCE_STOPPED, other.fd, CLONE_OVERLAY, NULL, NULL, &why));
	info = inspect();
	assert_int_equal(info.layout, DISK_LAYOUT_OVERLAY);
	assert_int_equal(info.size_bytes, 10 * MIB + 512);
	/* The base is linked twice and does not count. */
	assert_in_range(info.allocated_bytes, 1, 60000);
	assert_int_equal(unlinkat(other.fd, DISK_FILE, 0), 0);
	assert_in_range(inspect().allocated_bytes, 100000, 260000);
}

static void knows_asif_by_its_magic(void **state)
{
	bool is_asif = true;
	int fd;

	(void)state;
	make_disk(DISK_LAYOUT_PLAIN);
	ok(disk_is_asif(place.fd, &is_asif, &why));
	assert_false(is_asif);
	fd = open_at(place.fd, DISK_FILE, O_WRONLY);
	assert_int_equal(write(fd, "shdw", 4), 4);
	(void)close(fd);
	ok(disk_is_asif(place.fd, &is_asif, &why));
	assert_true(is_asif);
	make_file(place.fd, DISK_FILE, 3, NULL, 0);
	ok(disk_is_asif(place.fd, &is_asif, &why));
	assert_false(is_asif);
}

static const struct {
	const char *name;
	enum disk_layout layout;
	uint64_t size;
	bool ok;
} growths[] = {
	{ "plain, larger", DISK_LAYOUT_PLAIN, 20 * MIB, true },
	{ "plain, equal", DISK_LAYOUT_PLAIN, 10 * MIB + 512, true },
	{ "plain, smaller", DISK_LAYOUT_PLAIN, 10 * MIB, false },
	{ "overlay, larger", DISK_LAYOUT_OVERLAY, 20 * MIB, true },
	{ "overlay, equal", DISK_LAYOUT_OVERLAY, 10 * MIB + 512, true },
	{ "overlay, smaller", DISK_LAYOUT_OVERLAY, 10 * MIB, false },
};

static void grows_only(void **state)
{
	(void)state;
	each_row(growths, row) {
		struct err err = { 0 };
		bool done;

		place_remove(&place);
		place_make(&place);
		place_remove(&other);
		place_make(&other);
		make_disk(row->layout);
		done = disk_grow(place.fd, row->size, &err);
		check(done == row->ok, "%s: %s", row->name, done ? "done" : err.text);
		check(done || err.kind == ERR_DISK_SIZE, "%s: %s", row->name, err.text);
		check(inspect().layout == row->layout, "%s: layout", row->name);
		check(inspect().size_bytes == (row->ok ? row->size : 10 * MIB + 512), "%s: size",
		      row->name);
		ok(disk_check(place.fd, &why));
	}
}

static void does_not_grow_asif(void **state)
{
	struct err err = { 0 };
	int fd;

	(void)state;
	make_disk(DISK_LAYOUT_PLAIN);
	fd = open_at(place.fd, DISK_FILE, O_WRONLY);
	assert_int_equal(write(fd, "shdw", 4), 4);
	(void)close(fd);
	assert_false(disk_grow(place.fd, 20 * MIB, &err));
	assert_non_null(strstr(err.text, "Apple's Sparse Image Format"));
	assert_int_equal(stat_at(place.fd, DISK_FILE).st_size, 10 * MIB + 512);
}

static void damage_nothing(void)
{
}

static void damage_base_size(void)
{
	assert_int_equal(fchmodat(place.fd, DISK_FILE, 0644, 0), 0);
	int fd = open_at(place.fd, DISK_FILE, O_WRONLY);

	assert_int_equal(ftruncate(fd, 11 * MIB), 0);
	(void)close(fd);
}

static void damage_base_time(void)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1000 } };

	assert_int_equal(utimensat(place.fd, DISK_FILE, times, 0), 0);
}

static void damage_base_replaced(void)
{
	make_file(place.fd, "new", 10 * MIB + 512, &data, 1);
	assert_int_equal(renameat(place.fd, "new", place.fd, DISK_FILE), 0);
}

static void damage_note_gone(void)
{
	assert_int_equal(unlinkat(place.fd, DISK_NOTE_FILE, 0), 0);
}

static void damage_note_garbage(void)
{
	make_file(place.fd, DISK_NOTE_FILE, 100, NULL, 0);
}

static void replace_overlay(const char *const *argv)
{
	struct child_spec spec = CHILD_SPEC_INIT;

	spec.argv = argv;
	spec.cwd_fd = place.fd;
	ok(child_run_spec(&spec, 4096, NULL, &why));
}

static void damage_other_backing_file(void)
{
	const char *const argv[] = { "qemu-img", "create",      "-q", "-f",  "qcow2",
				     "-b",       "/etc/passwd", "-F", "raw", "overlay.qcow2",
				     "1M",       NULL };

	replace_overlay(argv);
}

static void damage_probed_backing_file(void)
{
	int fd = open_at(place.fd, DISK_OVERLAY_FILE, O_WRONLY);

	/* Without this extension QEMU looks at the first bytes, which are the guest's to write. */
	assert_int_equal(pwrite(fd, "none", 4, 104), 4);
	(void)close(fd);
}

static void damage_backing_format(void)
{
	const char *const argv[] = { "qemu-img",      "create", "-q",       "-u", "-f",
				     "qcow2",         "-b",     "disk.img", "-F", "qcow2",
				     "overlay.qcow2", "1M",     NULL };

	replace_overlay(argv);
}

static void damage_no_backing_file(void)
{
	const char *const argv[] = { "qemu-img", "create",        "-q", "-f",
				     "qcow2",    "overlay.qcow2", "1M", NULL };

	replace_overlay(argv);
}

static void damage_no_qcow2(void)
{
	make_file(place.fd, DISK_OVERLAY_FILE, MIB, NULL, 0);
}

static void damage_fifo(void)
{
	assert_int_equal(unlinkat(place.fd, DISK_OVERLAY_FILE, 0), 0);
	assert_int_equal(mkfifoat(place.fd, DISK_OVERLAY_FILE, 0644), 0);
}

static const struct {
	const char *name;
	void (*damage)(void);
	const char *want; /* NULL = fine */
} damages[] = {
	{ "none", damage_nothing, NULL },
	{ "base of another size", damage_base_size, "is not the disk that" },
	{ "base written later", damage_base_time, "is not the disk that" },
	{ "base replaced", damage_base_replaced, "is not the disk that" },
	{ "note gone", damage_note_gone, "cannot tell what" },
	{ "note of NULs", damage_note_garbage, "cannot tell what" },
	{ "other backing file", damage_other_backing_file, "not backed by a raw 'disk.img'" },
	{ "backing format left to probing", damage_probed_backing_file,
	  "not backed by a raw 'disk.img'" },
	{ "backing format qcow2", damage_backing_format, "not backed by a raw 'disk.img'" },
	{ "no backing file", damage_no_backing_file, "not backed by a raw 'disk.img'" },
	{ "no qcow2", damage_no_qcow2, "not a qcow2 file" },
	{ "a FIFO", damage_fifo, "not a regular file" },
};

static void refuses_a_base_that_does_not_match(void **state)
{
	(void)state;
	each_row(damages, row) {
		struct err err = { 0 };
		bool done;

		place_remove(&place);
		place_make(&place);
		place_remove(&other);
		place_make(&other);
		make_disk(DISK_LAYOUT_OVERLAY);
		row->damage();
		done = disk_check(place.fd, &err);
		check(done == !row->want, "%s: %s", row->name, done ? "accepted" : err.text);
		check(done || strstr(err.text, row->want), "%s: says '%s'", row->name, err.text);
	}
}

static void a_stray_note_is_cleared_away(void **state)
{
	(void)state;
	make_disk(DISK_LAYOUT_PLAIN);
	make_file(place.fd, DISK_NOTE_FILE, 10, NULL, 0);
	assert_int_equal(inspect().layout, DISK_LAYOUT_PLAIN);
	ok(disk_check(place.fd, &why));
	assert_false(fs_exists(place.fd, DISK_NOTE_FILE));
}

static const struct piece new_data = { 3 * MIB, 50000, 77 };

static void replaces_either_layout(void **state)
{
	static const enum disk_layout layouts[] = { DISK_LAYOUT_PLAIN, DISK_LAYOUT_OVERLAY };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		place_remove(&place);
		place_make(&place);
		place_remove(&other);
		place_make(&other);
		make_disk(layouts[i]);
		make_file(other.fd, "new", 7 * MIB, &new_data, 1);
		make_file(other.fd, "expected", 7 * MIB, &new_data, 1);
		ok(disk_replace(place.fd, other.fd, "new", &why));
		assert_int_equal(inspect().layout, DISK_LAYOUT_PLAIN);
		assert_true(same_content(place.fd, DISK_FILE, other.fd, "expected"));
		assert_false(fs_exists(place.fd, DISK_OVERLAY_FILE));
		assert_false(fs_exists(place.fd, DISK_NOTE_FILE));
		assert_false(fs_exists(other.fd, "new"));
		/* The clone goes on with the old base. */
		if (layouts[i] == DISK_LAYOUT_OVERLAY)
			ok(disk_check(other.fd, &why));
	}
}

static void replaces_a_disk_that_is_refused(void **state)
{
	struct err err = { 0 };

	(void)state;
	make_disk(DISK_LAYOUT_OVERLAY);
	damage_base_replaced();
	assert_false(disk_check(place.fd, &err));
	make_file(other.fd, "new", 7 * MIB, &new_data, 1);
	ok(disk_replace(place.fd, other.fd, "new", &why));
	ok(disk_check(place.fd, &why));
	assert_int_equal(inspect().layout, DISK_LAYOUT_PLAIN);
	assert_int_equal(inspect().size_bytes, 7 * MIB);
}

static void flattens(void **state)
{
	int fd;

	(void)state;
	make_disk(DISK_LAYOUT_OVERLAY);
	fd = open_at(place.fd, "flat", O_RDWR | O_CREAT);
	ok(disk_flatten(place.fd, fd, NULL, &why));
	assert_int_equal(fsync(fd), 0);
	(void)close(fd);
	assert_true(same_content(place.fd, DISK_FILE, place.fd, "flat"));
	assert_true(stat_at(place.fd, "flat").st_blocks * 512 < (off_t)MIB);
}

static void repairs_leaks(void **state)
{
	const struct piece leak = { 0, 65536, 1 };
	const char *const argv[] = { "qemu-img", "check",           "-q", "-f",
				     "qcow2",    DISK_OVERLAY_FILE, NULL };
	struct child_spec spec = CHILD_SPEC_INIT;
	struct err err = { 0 };
	int fd;

	(void)state;
	make_disk(DISK_LAYOUT_PLAIN);
	ok(disk_repair(place.fd, &why));
	make_file(other.fd, "unused", 0, NULL, 0);
	ok(disk_clone(place.fd, CLONE_SOURCE_STOPPED, other.fd, CLONE_OVERLAY, NULL, NULL, &why));
	/* Cluster 4 exists and is counted, but nothing refers to it: what a killed QEMU leaves. */
	fd = open_at(place.fd, DISK_OVERLAY_FILE, O_RDWR);
	write_piece(fd, &(struct piece){ 4 * 65536, leak.len, leak.seed });
	assert_int_equal(pwrite(fd, "\0\1", 2, 2 * 65536 + 8), 2);
	(void)close(fd);
	spec.argv = argv;
	spec.cwd_fd = place.fd;
	assert_false(child_run_spec(&spec, 4096, NULL, &err));
	ok(disk_repair(place.fd, &why));
	ok(child_run_spec(&spec, 4096, NULL, &why));
	ok(disk_check(place.fd, &why));
}

int main(void)
{
#define case_(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		case_(creates_exact_sizes),
		case_(a_disk_too_large_leaves_nothing),
		case_(inspects_both_layouts),
		case_(knows_asif_by_its_magic),
		case_(grows_only),
		case_(does_not_grow_asif),
		case_(refuses_a_base_that_does_not_match),
		case_(a_stray_note_is_cleared_away),
		case_(replaces_either_layout),
		case_(replaces_a_disk_that_is_refused),
		case_(flattens),
		case_(repairs_leaks),
	};

	return unit_main(tests);
}
