/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/extent.h: overlays written by QEMU must read as QEMU reads them. */
#include "image/extent.h"

#include <errno.h>

#include "base/child.h"
#include "image/copy.h"
#include "image/qcow2.h"
#include "place.h"

static struct place place;

static int set_up(void **state)
{
	const char *const argv[] = { "qemu-img", "--version", NULL };
	struct err err = { 0 };

	(void)state;
	place_make(&place);
	return child_run(argv, 4096, NULL, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove(&place);
	return 0;
}

static void run(const char *const *argv)
{
	struct child_spec spec = CHILD_SPEC_INIT;

	spec.argv = argv;
	spec.cwd_fd = place.fd;
	ok(child_run_spec(&spec, 1 << 20, NULL, &why));
}

static void make_overlay(uint64_t base_bytes)
{
	const struct piece pieces[] = {
		{ 0, 300000, 3 },
		{ 2 * MIB, 65536, 5 },
		{ base_bytes - 70000, 70000, 9 },
	};
	int fd = open_at(place.fd, "overlay.qcow2", O_RDWR | O_CREAT | O_TRUNC);

	make_file(place.fd, "disk.img", base_bytes, pieces, ARRAY_LEN(pieces));
	ok(qcow2_create_overlay(fd, base_bytes, "disk.img", &why));
	(void)close(fd);
}

static bool flatten(const char *name, struct err *err)
{
	CLEANUP(extent_map_cleanup) struct extent_map *map = NULL;
	int base = open_at(place.fd, "disk.img", O_RDONLY);
	int overlay = open_at(place.fd, "overlay.qcow2", O_RDONLY);
	int dst;
	bool done = true;

	if (!extent_map_of_overlay(overlay, base, &map, err)) {
		(void)close(base);
		(void)close(overlay);
		return false;
	}
	extent_map_adopt_fds(map);
	dst = open_at(place.fd, name, O_RDWR | O_CREAT | O_TRUNC);
	done = copy_extents(map, dst, NULL, err);
	(void)close(dst);
	return done;
}

static void check_against_qemu(const char *row_name)
{
	const char *const argv[] = { "qemu-img", "convert",       "-f",       "qcow2", "-O",
				     "raw",      "overlay.qcow2", "qemu.raw", NULL };
	struct err err = { 0 };

	run(argv);
	check(flatten("ours.raw", &err), "%s: %s", row_name, err.text);
	check(same_content(place.fd, "qemu.raw", place.fd, "ours.raw"), "%s: content", row_name);
}

#define LARGE (1500 * MIB) /* three level 2 tables */

static const struct {
	const char *name;
	uint64_t base_bytes;
	const char *const argv[12]; /* of qemu-io; NULL = nothing is written */
} writes[] = {
	{ "nothing written", 5 * MIB, { NULL } },
	{ "base that is no multiple of a cluster", 5 * MIB + 512, { NULL } },
	{ "one cluster", 5 * MIB, { "-c", "write -P 1 64k 64k" } },
	{ "part of a cluster", 5 * MIB, { "-c", "write -P 1 70k 512" } },
	{ "over the end of base data", 5 * MIB, { "-c", "write -P 1 250k 100k" } },
	{ "zero clusters over data",
	  5 * MIB,
	  { "-c", "write -z 0 128k", "-c", "write -z 2M 64k" } },
	{ "discarded clusters", 5 * MIB, { "-c", "write -P 1 1M 1M", "-c", "discard 1M 512k" } },
	{ "zeros allocated", 5 * MIB, { "-c", "write -P 0 0 256k" } },
	{ "clusters out of order",
	  5 * MIB,
	  { "-c", "write -P 1 3M 64k", "-c", "write -P 2 1M 64k", "-c", "write -P 3 2M 64k", "-c",
	    "write -P 4 1088k 64k" } },
	{ "the last cluster, partial", 5 * MIB + 512, { "-c", "write -P 6 5M 512" } },
	{ "first and last level 2 table",
	  LARGE,
	  { "-c", "write -P 7 0 64k", "-c", "write -P 8 1499M 1M" } },
	{ "across level 2 tables", LARGE, { "-c", "write -P 9 511M 2M" } },
	{ "everything", 5 * MIB, { "-c", "write -P 9 0 5M" } },
};

static void reads_what_qemu_wrote(void **state)
{
	(void)state;
	each_row(writes, row) {
		const char *argv[20] = { "qemu-io", "-f", "qcow2" };
		size_t n = 3;

		make_overlay(row->base_bytes);
		for (size_t i = 0; i < ARRAY_LEN(row->argv) && row->argv[i]; i++)
			argv[n++] = row->argv[i];
		argv[n++] = "overlay.qcow2";
		if (row->argv[0])
			run(argv);
		check_against_qemu(row->name);
	}
}

/* The same numbers at each run: a failure can be looked at again. */
static unsigned int next_random(unsigned int *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 8;
}

static void reads_many_small_writes(void **state)
{
	char commands[40][64];
	const char *argv[100] = { "qemu-io", "-f", "qcow2" };
	unsigned int seed = 1;
	size_t n = 3;

	(void)state;
	make_overlay(40 * MIB);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		static const char *const verbs[] = { "write -P 1", "write -P 77", "write -z",
						     "discard" };
		unsigned int sector = next_random(&seed) % (40 * 2048 - 2048);

		(void)snprintf(commands[i], sizeof(commands[i]), "%s %u %u",
			       verbs[next_random(&seed) % 4], sector * 512,
			       (1 + next_random(&seed) % 1024) * 512);
		argv[n++] = "-c";
		argv[n++] = commands[i];
	}
	argv[n++] = "overlay.qcow2";
	run(argv);
	check_against_qemu("many small writes");
}

static void a_grown_overlay_ends_in_zeros(void **state)
{
	const char *const resize[] = { "qemu-img", "resize",        "-q", "-f",
				       "qcow2",    "overlay.qcow2", "9M", NULL };
	struct err err = { 0 };

	(void)state;
	make_overlay(5 * MIB + 512);
	run(resize);
	check_against_qemu("grown");
	check(flatten("ours.raw", &err), "%s", err.text);
	assert_int_equal(stat_at(place.fd, "ours.raw").st_size, 9 * MIB);
}

static void holes_stay_holes(void **state)
{
	const char *const argv[] = { "qemu-io",       "-f", "qcow2", "-c", "write -P 1 100M 64k",
				     "overlay.qcow2", NULL };
	struct err err = { 0 };
	char holes[512];

	(void)state;
	make_overlay(1000 * MIB);
	run(argv);
	check(flatten("ours.raw", &err), "%s", err.text);
	describe_holes(place.fd, "ours.raw", holes, sizeof(holes));
	/* The pieces of make_overlay(), in whole pages, and what was written. */
	assert_string_equal(holes, "0+303104 2097152+65536 104857600+65536 1048502272+73728 ");
}

static const struct {
	const char *name;
	uint64_t start;
	uint64_t end;
	bool want;
} ranges[] = {
	{ "before the first write", 0, MIB, false },
	{ "with the write", MIB, 2 * MIB, true },
	{ "one byte of the write's cluster", MIB + 65535, MIB + 65536, true },
	{ "right behind the write", MIB + 65536, 3 * MIB, false },
	{ "written zeros", 3 * MIB + 65536, 4 * MIB, true },
	{ "discarded", 4 * MIB, 4 * MIB + 65536, true },
	{ "with the end of a write", 0, MIB + 1, true },
	{ "all of it", 0, 1000 * MIB, true },
	{ "the last level 2 table", 600 * MIB, 1000 * MIB, false },
	{ "nothing", MIB, MIB, false },
};

static void tells_what_is_overlaid(void **state)
{
	const char *const argv[] = { "qemu-io",
				     "-f",
				     "qcow2",
				     "-c",
				     "write -P 1 1M 4k",
				     "-c",
				     "write -z 3M 128k",
				     "-c",
				     "write -P 1 4M 64k",
				     "-c",
				     "discard 4M 64k",
				     "overlay.qcow2",
				     NULL };
	CLEANUP(extent_map_cleanup) struct extent_map *map = NULL;
	CLEANUP(extent_map_cleanup) struct extent_map *raw = NULL;
	bool overlaid = true;

	(void)state;
	make_overlay(1000 * MIB);
	run(argv);
	ok(extent_map_of_overlay(open_at(place.fd, "overlay.qcow2", O_RDONLY),
				 open_at(place.fd, "disk.img", O_RDONLY), &map, &why));
	extent_map_adopt_fds(map);
	each_row(ranges, row) {
		ok(extent_map_is_overlaid(map, row->start, row->end, &overlaid, &why));
		check(overlaid == row->want, "%s: %d", row->name, overlaid);
	}
	raw = extent_map_of_file(open_at(place.fd, "disk.img", O_RDONLY), 1000 * MIB);
	extent_map_adopt_fds(raw);
	ok(extent_map_is_overlaid(raw, 0, 1000 * MIB, &overlaid, &why));
	assert_false(overlaid);
}

static const struct {
	const char *name;
	const char *const argv[10];
	const char *want;
} foreign[] = {
	{ "compressed clusters",
	  { "qemu-io", "-f", "qcow2", "-c", "write -c -P 1 64k 64k", "overlay.qcow2" },
	  "compressed" },
	{ "subclusters",
	  { "qemu-img", "create", "-q", "-f", "qcow2", "-o", "extended_l2=on", "overlay.qcow2",
	    "5M" },
	  "extended level 2" },
	{ "data file",
	  { "qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=data.raw", "overlay.qcow2",
	    "5M" },
	  "another file" },
	{ "raw",
	  { "qemu-img", "create", "-q", "-f", "raw", "overlay.qcow2", "5M" },
	  "not a qcow2" },
};

static void refuses_what_it_cannot_read(void **state)
{
	(void)state;
	each_row(foreign, row) {
		struct err err = { 0 };

		make_overlay(5 * MIB);
		run(row->argv);
		check(!flatten("ours.raw", &err), "%s: accepted", row->name);
		check(strstr(err.text, row->want) != NULL, "%s: %s", row->name, err.text);
	}
}

static void put_u64(const char *name, uint64_t offset, uint64_t value)
{
	int fd = open_at(place.fd, name, O_RDWR);
	unsigned char raw[8];

	for (size_t i = 0; i < 8; i++)
		raw[i] = (unsigned char)(value >> (56 - 8 * i));
	assert_int_equal(pwrite(fd, raw, sizeof(raw), (off_t)offset), sizeof(raw));
	(void)close(fd);
}

static const struct {
	const char *name;
	uint64_t l1_entry;
	uint64_t l2_entry; /* at 0x40000, with l1_entry 0x40000 */
	const char *want;  /* NULL = reads as zeros or garbage, but safely */
} damage[] = {
	{ "level 2 table not aligned", 0x40200, 0, "odd offset" },
	{ "level 2 table past the end", 0x7f0000000000, 0, "past the file" },
	{ "cluster not aligned", 0x40000, 0x50200, "odd offset" },
	{ "cluster past the end", 0x40000, 0x7f0000000000, NULL },
	{ "cluster is the header", 0x40000, (uint64_t)1 << 63, NULL },
};

static void survives_damaged_tables(void **state)
{
	(void)state;
	each_row(damage, row) {
		const struct piece page = { 0x40000, 65536, 0 };
		struct err err = { 0 };
		bool done;
		int fd;

		make_overlay(5 * MIB);
		fd = open_at(place.fd, "overlay.qcow2", O_RDWR);
		write_piece(fd, &page);
		for (uint64_t i = 0; i < 65536; i += 8)
			put_u64("overlay.qcow2", 0x40000 + i, row->l2_entry);
		(void)close(fd);
		put_u64("overlay.qcow2", 0x30000, row->l1_entry);
		done = flatten("ours.raw", &err);
		check(done == !row->want, "%s: %s", row->name, done ? "accepted" : err.text);
		check(done || strstr(err.text, row->want), "%s: %s", row->name, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_qemu_wrote),
		cmocka_unit_test(reads_many_small_writes),
		cmocka_unit_test(a_grown_overlay_ends_in_zeros),
		cmocka_unit_test(holes_stay_holes),
		cmocka_unit_test(tells_what_is_overlaid),
		cmocka_unit_test(refuses_what_it_cannot_read),
		cmocka_unit_test(survives_damaged_tables),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
