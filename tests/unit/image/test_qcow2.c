/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/qcow2.h: headers by hand, what we make against qemu-img. */
#include "image/qcow2.h"

#include <errno.h>

#include "base/child.h"
#include "place.h"

#define GB UINT64_C(1000000000)

/* A version 3 header as qemu-img writes it, to be damaged by the rows below. */
struct header {
	unsigned char bytes[1024];
	size_t len;
};

static void put(struct header *h, size_t offset, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		h->bytes[offset + i] = (unsigned char)(value >> (8 * (bytes - 1 - i)));
}

static struct header good_header(void)
{
	struct header h = { .len = 1024 };

	put(&h, 0, 0x514649fb, 4);
	put(&h, 4, 3, 4);
	put(&h, 8, 600, 8); /* backing file's name */
	put(&h, 16, 8, 4);
	put(&h, 20, 16, 4);
	put(&h, 24, 50 * GB, 8);
	put(&h, 36, 94, 4);
	put(&h, 40, 0x30000, 8);
	put(&h, 48, 0x10000, 8);
	put(&h, 56, 1, 4);
	put(&h, 96, 4, 4);
	put(&h, 100, 104, 4);
	put(&h, 104, 0xe2792aca, 4);
	put(&h, 108, 3, 4);
	memcpy(h.bytes + 112, "raw", 3);
	memcpy(h.bytes + 600, "disk.img", 8);
	return h;
}

static struct span span_of_header(const struct header *h)
{
	return span_make((const char *)h->bytes, h->len);
}

static void reads_a_good_header(void **state)
{
	struct header h = good_header();
	struct qcow2_header header;

	(void)state;
	ok(qcow2_parse(span_of_header(&h), &header, &why));
	assert_int_equal(header.version, 3);
	assert_int_equal(header.cluster_bits, 16);
	assert_int_equal(header.size_bytes, 50 * GB);
	assert_int_equal(header.l1_entries, 94);
	assert_int_equal(header.l1_offset, 0x30000);
	assert_int_equal(header.incompatible, 0);
	assert_true(span_is(header.backing_file, "disk.img"));
	assert_true(span_is(header.backing_format, "raw"));
}

static const struct {
	const char *name;
	size_t offset;
	uint64_t value;
	size_t bytes;
	const char *want; /* part of the message; NULL = accepted */
} changes[] = {
	{ "magic", 0, 0x514649fa, 4, "not a qcow2 file" },
	{ "version 1", 4, 1, 4, "unknown version 1" },
	{ "version 4", 4, 4, 4, "unknown version 4" },
	{ "version 2", 4, 2, 4, NULL },
	{ "no backing file", 8, 0, 8, NULL },
	{ "name inside the header", 8, 96, 8, "lies outside" },
	{ "name past the end", 8, 1020, 8, "lies outside" },
	{ "name far past the end", 8, UINT64_MAX, 8, "lies outside" },
	{ "name too long", 16, 1024, 4, "lies outside" },
	{ "name of all the rest", 16, 424, 4, NULL },
	{ "name one byte too long", 16, 425, 4, "lies outside" },
	{ "clusters too small", 20, 8, 4, "clusters of 2^8" },
	{ "clusters too large", 20, 22, 4, "clusters of 2^22" },
	{ "clusters of 2^4294967295", 20, 0xffffffff, 4, "clusters of 2^" },
	{ "size 0", 24, 0, 8, NULL },
	{ "size one byte more than the table maps", 24, 94 * 512 * MIB + 1, 8,
	  "level 1 table of 94" },
	{ "size just mapped", 24, 94 * 512 * MIB, 8, NULL },
	{ "size 2^63", 24, (uint64_t)1 << 63, 8, "larger than 2^63" },
	{ "size 2^63 - 1", 24, INT64_MAX, 8, "level 1 table" },
	{ "AES", 32, 1, 4, NULL },
	{ "empty level 1 table", 36, 0, 4, "level 1 table of 0" },
	{ "largest level 1 table", 36, QCOW2_L1_ENTRY_MAX, 4, NULL },
	{ "level 1 table too large", 36, QCOW2_L1_ENTRY_MAX + 1, 4, "level 1 table of" },
	{ "level 1 table not aligned", 40, 0x30001, 8, "lies at offset" },
	{ "level 1 table at 2^63", 40, (uint64_t)1 << 63, 8, "lies at offset" },
	{ "dirty", 72, 1, 8, NULL },
	{ "data file", 72, 4, 8, NULL },
	{ "unknown feature", 72, 32, 8, "features 0x20" },
	{ "unknown highest feature", 72, (uint64_t)1 << 63, 8, "features 0x8000000000000000" },
	{ "header too short", 100, 96, 4, "header of 96" },
	{ "header not aligned", 100, 108, 4, "header of 108" },
	{ "header larger than a cluster", 100, 65544, 4, "header of 65544" },
	{ "header longer than the file", 100, 1032, 4, "cut off" },
	{ "extension past the name", 108, 600, 4, "extension ends outside" },
	{ "extension of 4 GiB", 108, 0xffffffff, 4, "extension ends outside" },
	{ "other extension", 104, 0x12345678, 4, NULL },
};

static void refuses_what_makes_no_sense(void **state)
{
	(void)state;
	each_row(changes, row) {
		struct header h = good_header();
		struct qcow2_header header = { .version = 4711 };
		struct err err = { 0 };
		bool done;

		put(&h, row->offset, row->value, row->bytes);
		done = qcow2_parse(span_of_header(&h), &header, &err);
		check(done == !row->want, "%s: %s", row->name, done ? "accepted" : err.text);
		check(done || strstr(err.text, row->want), "%s: says '%s'", row->name, err.text);
		check(done || header.version == 4711, "%s: output touched", row->name);
	}
}

static void refuses_every_cut(void **state)
{
	struct header h = good_header();
	struct qcow2_header header;
	struct err err;

	(void)state;
	for (h.len = 0; h.len < 608; h.len++)
		check(!qcow2_parse(span_of_header(&h), &header, &err), "cut after %zu", h.len);
	assert_true(qcow2_parse(span_of_header(&h), &header, &err));
}

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

static bool has_qemu_img(void)
{
	const char *const argv[] = { "qemu-img", "--version", NULL };
	struct err err = { 0 };

	return child_run(argv, 4096, NULL, &err) || err.sys != ENOENT;
}

static void qemu_img(const char *const *argv)
{
	struct child_spec spec = CHILD_SPEC_INIT;

	spec.argv = argv;
	spec.cwd_fd = place.fd;
	ok(child_run_spec(&spec, 1 << 20, NULL, &why));
}

static const struct {
	const char *name;
	uint64_t base_bytes;
	uint64_t want_bytes;
} sizes[] = {
	{ "nothing", 0, 0 },
	{ "one byte", 1, 512 },
	{ "one sector", 512, 512 },
	{ "one cluster and a byte", 65537, 66048 },
	{ "one level 2 table", 512 * MIB, 512 * MIB },
	{ "one level 2 table and a byte", 512 * MIB + 1, 512 * MIB + 512 },
	{ "50 GB", 50 * GB, 50 * GB },
	{ "two clusters of level 1 table", 5 * GB * 1024, 5 * GB * 1024 },
	{ "10 TB", 10000 * GB, 10000 * GB },
};

static void qemu_agrees_with_our_overlays(void **state)
{
	const char *const check_argv[] = {
		"qemu-img", "check", "-q", "-f", "qcow2", "o.qcow2", NULL
	};
	/* Identical means: reads through to the base. */
	const char *const compare_argv[] = { "qemu-img", "compare", "-q",       "-f",      "raw",
					     "-F",       "qcow2",   "disk.img", "o.qcow2", NULL };
	const struct piece piece = { 0, 1, 42 };

	(void)state;
	if (!has_qemu_img())
		skip();
	each_row(sizes, row) {
		char head[QCOW2_HEAD_BYTES];
		struct qcow2_header header;
		int fd = open_at(place.fd, "o.qcow2", O_RDWR | O_CREAT | O_TRUNC);

		make_file(place.fd, "disk.img", row->base_bytes, &piece, row->base_bytes > 0);
		ok(qcow2_create_overlay(fd, row->base_bytes, "disk.img", &why));
		ok(qcow2_read_header(fd, head, &header, &why));
		check(header.size_bytes == row->want_bytes, "%s: %llu bytes", row->name,
		      (unsigned long long)header.size_bytes);
		assert_true(span_is(header.backing_file, "disk.img"));
		assert_true(span_is(header.backing_format, "raw"));
		(void)close(fd);
		qemu_img(check_argv);
		qemu_img(compare_argv);
	}
}

static void refuses_disks_beyond_the_format(void **state)
{
	int fd = open_at(place.fd, "huge.qcow2", O_RDWR | O_CREAT | O_TRUNC);
	struct err err = { 0 };

	(void)state;
	assert_false(qcow2_create_overlay(fd, UINT64_MAX, "disk.img", &err));
	assert_false(qcow2_create_overlay(fd, (uint64_t)2 << 50 | 1, "disk.img", &err));
	assert_true(qcow2_create_overlay(fd, (uint64_t)2 << 50, "disk.img", &err));
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_good_header),
		cmocka_unit_test(refuses_what_makes_no_sense),
		cmocka_unit_test(refuses_every_cut),
		cmocka_unit_test(qemu_agrees_with_our_overlays),
		cmocka_unit_test(refuses_disks_beyond_the_format),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
