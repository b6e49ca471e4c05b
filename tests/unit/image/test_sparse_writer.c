/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/sparse_writer.h and image/zeros.h. */
#include "image/sparse_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "image/zeros.h"
#include "noise.h"
#include "place.h"

/* In place of libc's: what sparse_zero() calls. */
static int fallocate_errno;

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	if (fallocate_errno) {
		errno = fallocate_errno;
		return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

static void zeros_are_told_from_data(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 63, 64, 65, 127, 128, 129, 4096, 65536, 65537 };
	CLEANUP_FREE char *bytes = xcalloc(1, 65537 + 4);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t len = sizes[i];
		size_t stride = len > 4096 ? 97 : 1;

		assert_true(is_zeros(span_make(bytes + 3, len)));
		for (size_t at = 0; at < len; at += stride) {
			bytes[3 + at] = 1;
			check(!is_zeros(span_make(bytes + 3, len)), "%zu of %zu", at, len);
			bytes[3 + at] = 0;
		}
		if (len > 0) {
			bytes[3 + len - 1] = 1;
			check(!is_zeros(span_make(bytes + 3, len)), "the last of %zu", len);
			bytes[3 + len - 1] = 0;
		}
		bytes[2] = bytes[3 + len] = 1;
		check(is_zeros(span_make(bytes + 3, len)), "%zu: looks outside", len);
		bytes[2] = bytes[3 + len] = 0;
	}
	assert_true(is_zeros(span_make(NULL, 0)));
}

#define FILE_BYTES ((size_t)1 << 20)
#define NEIGHBOUR  0xee

struct range {
	const char *name;
	uint64_t start;
	uint64_t end;
};

static const struct range ranges[] = {
	{ "whole pieces", 65536, 65536 + 655360 },
	{ "from the start", 0, 700000 },
	{ "odd", 65536 + 1000, 900001 },
	{ "in one piece", 65536 + 1000, 65536 + 50000 },
	{ "in one page", 65536 + 1, 65536 + 7 },
	{ "a piece and a bit", 131072, 131072 + 65537 },
	{ "a bit and a piece", 131071, 131072 + 65536 },
	{ "empty", 5000, 5000 },
	{ "to the end", 500000, FILE_BYTES },
};

/* A file whose range holds zeros (no data at all where it covers whole pages) or old data; around it are its neighbours'
 * bytes. */
static int prepare(int dirfd, const struct range *range, bool is_fresh)
{
	CLEANUP_FREE char *fill = xcalloc(1, FILE_BYTES);
	int fd = open_at(dirfd, "file", O_RDWR | O_CREAT | O_TRUNC);

	assert_int_equal(ftruncate(fd, (off_t)FILE_BYTES), 0);
	memset(fill, NEIGHBOUR, FILE_BYTES);
	assert_int_equal(pwrite(fd, fill, range->start, 0), range->start);
	assert_int_equal(pwrite(fd, fill, FILE_BYTES - range->end, (off_t)range->end),
			 FILE_BYTES - range->end);
	if (!is_fresh)
		assert_int_equal(pwrite(fd, fill, range->end - range->start, (off_t)range->start),
				 range->end - range->start);
	return fd;
}

/* The range holds `data`, its neighbours what they held. */
static void check_file(const char *what, int fd, const struct range *range, const char *data)
{
	CLEANUP_FREE char *want = xcalloc(1, FILE_BYTES);
	CLEANUP_FREE char *got = xcalloc(1, FILE_BYTES);

	memset(want, NEIGHBOUR, FILE_BYTES);
	memcpy(want + range->start, data, range->end - range->start);
	assert_int_equal(pread(fd, got, FILE_BYTES, 0), FILE_BYTES);
	for (size_t i = 0; i < FILE_BYTES; i++)
		check(want[i] == got[i], "%s: byte %zu is %d, not %d", what, i, got[i], want[i]);
}

static void write_in_steps(const struct range *range, bool is_fresh, int fd, const char *data,
			   size_t step, uint64_t *seed)
{
	struct sparse_writer writer = {
		.fd = fd, .offset = range->start, .end = range->end, .is_fresh = is_fresh
	};
	size_t len = range->end - range->start;
	struct err err = { 0 };

	for (size_t at = 0, n; at < len; at += n) {
		n = step > 0 ? step : 1 + noise_below(seed, 100000);
		n = n < len - at ? n : len - at;
		ok(sparse_write(&writer, span_make(data + at, n), &why));
	}
	assert_false(sparse_write(&writer, span_make("x", 1), &err));
	assert_int_equal(err.kind, ERR_CORRUPT);
	assert_int_equal(fsync(fd), 0);
}

/* Bytes of this range in aligned pieces, or what the range has of them, that are not all zeros. */
static uint64_t count_data(const struct range *range, const char *data)
{
	uint64_t n = 0;

	for (uint64_t at = range->start; at < range->end;) {
		uint64_t end = at - at % SPARSE_PIECE_BYTES + SPARSE_PIECE_BYTES;

		if (end > range->end)
			end = range->end;
		if (!is_zeros(span_make(data + (at - range->start), (size_t)(end - at))))
			n += end - at;
		at = end;
	}
	return n;
}

static uint64_t count_allocated(int fd, const struct range *range)
{
	struct extent extent = { 0 };
	uint64_t n = 0;

	for (uint64_t at = range->start; at < range->end; at = extent.start + extent.len) {
		ok(extent_find(fd, at, range->end, &extent, &why));
		if (extent.len == 0)
			break;
		n += extent.len;
	}
	return n;
}

static void write_range(int dirfd, const struct range *range, bool is_fresh, enum noise_kind kind,
			uint64_t *seed)
{
	static const size_t steps[] = { SIZE_MAX, 65536, 4096, 1000, 65537, 0, 0, 0 };
	size_t len = range->end - range->start;
	CLEANUP_FREE char *data = xcalloc(1, len + 1);
	uint64_t edges = 4 * 4096; /* pages that are shared with neighbours */
	char what[96];

	noise_fill(kind, data, len, seed);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		CLEANUP_CLOSE int fd = prepare(dirfd, range, is_fresh);
		uint64_t want = count_data(range, data);
		uint64_t got;

		(void)snprintf(what, sizeof(what), "%s, %s, kind %d, in %zu", range->name,
			       is_fresh ? "fresh" : "old", (int)kind, steps[i]);
		write_in_steps(range, is_fresh, fd, data, steps[i], seed);
		check_file(what, fd, range, data);
		got = count_allocated(fd, range);
		if (fallocate_errno == 0)
			check(got <= want + edges, "%s: %llu bytes of data, not %llu", what,
			      (unsigned long long)got, (unsigned long long)want);
	}
}

static void write_all(bool is_fresh)
{
	struct place place;
	uint64_t seed = 17;

	place_make(&place);
	each_row(ranges, row) {
		write_range(place.fd, row, is_fresh, NOISE_ZEROS, &seed);
		write_range(place.fd, row, is_fresh, NOISE_RANDOM, &seed);
		write_range(place.fd, row, is_fresh, NOISE_ISLANDS, &seed);
		write_range(place.fd, row, is_fresh, NOISE_MIXED, &seed);
	}
	place_remove(&place);
}

static void a_fresh_range_stays_sparse(void **state)
{
	(void)state;
	write_all(true);
}

static void an_old_range_becomes_sparse(void **state)
{
	(void)state;
	write_all(false);
}

static void without_holes_zeros_are_written(void **state)
{
	(void)state;
	fallocate_errno = EOPNOTSUPP;
	write_all(false);
	fallocate_errno = 0;
}

/* What is a hole must not depend on how the data came. */
static void holes_depend_on_the_content(void **state)
{
	const struct range range = { "", 65536, FILE_BYTES };
	size_t len = range.end - range.start;
	CLEANUP_FREE char *data = xcalloc(1, len);
	char want[4096];
	char got[4096];
	struct place place;
	uint64_t seed = 3;

	(void)state;
	place_make(&place);
	for (size_t i = 0; i < len / 65536; i += 2) /* a byte somewhere in every other piece */
		data[i * 65536 + noise_below(&seed, 65536)] = 1;
	for (size_t step = 0; step < 12; step++) {
		int fd = prepare(place.fd, &range, true);

		write_in_steps(&range, true, fd, data, step == 0 ? SIZE_MAX : 0, &seed);
		(void)close(fd);
		describe_holes(place.fd, "file", step == 0 ? want : got, sizeof(got));
		if (step > 0)
			assert_string_equal(got, want);
	}
	assert_string_equal(want, "0+131072 196608+65536 327680+65536 458752+65536 589824+65536 "
				  "720896+65536 851968+65536 983040+65536 ");
	place_remove(&place);
}

static void what_cannot_be_written_is_an_error(void **state)
{
	struct sparse_writer writer = { .fd = -1, .end = 65536 };
	static const char zeros[65536];
	struct err err = { 0 };

	(void)state;
	assert_false(sparse_write(&writer, span_make("x", 1), &err));
	assert_int_equal(err.sys, EBADF);
	writer = (struct sparse_writer){ .fd = -1, .end = 65536 };
	assert_false(sparse_write(&writer, span_make(zeros, sizeof(zeros)), &err));
	assert_int_equal(err.sys, EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeros_are_told_from_data),
		cmocka_unit_test(a_fresh_range_stays_sparse),
		cmocka_unit_test(an_old_range_becomes_sparse),
		cmocka_unit_test(without_holes_zeros_are_written),
		cmocka_unit_test(holes_depend_on_the_content),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
	};

	return unit_main(tests);
}
