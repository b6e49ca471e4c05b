/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own, and sparse files in it whose content can be compared. */
#ifndef TART_TESTS_UNIT_IMAGE_PLACE_H
#define TART_TESTS_UNIT_IMAGE_PLACE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "image/extent.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)

struct place {
	char path[256];
	int fd;
};

static inline void place_make(struct place *place)
{
	const char *below = getenv("TMPDIR");

	(void)snprintf(place->path, sizeof(place->path), "%s/tart-unit-XXXXXX",
		       below ? below : "/tmp");
	assert_non_null(mkdtemp(place->path));
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->fd >= 0);
}

static inline void place_remove(struct place *place)
{
	struct err err = { 0 };

	(void)close(place->fd);
	check(fs_remove_tree(AT_FDCWD, place->path, &err), "%s", err.text);
}

/* What must succeed, with the reason when it does not: ok(disk_check(fd, &why)). */
#define ok(call)                                     \
	do {                                         \
		struct err why = { 0 };              \
		check(call, #call ": %s", why.text); \
	} while (0)

static inline int open_at(int dirfd, const char *name, int flags)
{
	int fd = openat(dirfd, name, flags | O_CLOEXEC, 0644);

	check(fd >= 0, "cannot open %s", name);
	return fd;
}

struct piece {
	uint64_t offset;
	uint64_t len;
	unsigned char seed; /* bytes seed, seed + 1, … */
};

static inline void write_piece(int fd, const struct piece *piece)
{
	unsigned char buf[4096];

	for (uint64_t done = 0; done < piece->len;) {
		size_t n = piece->len - done < sizeof(buf) ? (size_t)(piece->len - done) :
							     sizeof(buf);

		for (size_t i = 0; i < n; i++)
			buf[i] = (unsigned char)(piece->seed + (done + i) % 251);
		assert_int_equal(pwrite(fd, buf, n, (off_t)(piece->offset + done)), n);
		done += n;
	}
}

static inline void make_file(int dirfd, const char *name, uint64_t size, const struct piece *pieces,
			     size_t n)
{
	int fd = open_at(dirfd, name, O_RDWR | O_CREAT | O_TRUNC);

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	for (size_t i = 0; i < n; i++)
		write_piece(fd, &pieces[i]);
	/* Delayed allocation: st_blocks is right only then. */
	assert_int_equal(fsync(fd), 0);
	(void)close(fd);
}

static inline struct stat stat_at(int dirfd, const char *name)
{
	struct stat st = { 0 };

	check(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0, "cannot stat %s", name);
	return st;
}

/* Whether the two files show the same bytes; sizes included. */
static inline bool same_content(int a_dirfd, const char *a, int b_dirfd, const char *b)
{
	int fds[2] = { open_at(a_dirfd, a, O_RDONLY), open_at(b_dirfd, b, O_RDONLY) };
	char *bufs = malloc(2 * MIB);
	bool same = stat_at(a_dirfd, a).st_size == stat_at(b_dirfd, b).st_size;
	ssize_t n = 1;

	for (off_t at = 0; same && n > 0; at += n) {
		n = pread(fds[0], bufs, MIB, at);
		same = n >= 0 && pread(fds[1], bufs + MIB, MIB, at) == n &&
		       memcmp(bufs, bufs + MIB, (size_t)n) == 0;
	}
	free(bufs);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return same;
}

/* The runs of data, as "0+4096 1048576+512 ". */
static inline void describe_holes(int dirfd, const char *name, char *out, size_t size)
{
	int fd = open_at(dirfd, name, O_RDONLY);
	uint64_t end = (uint64_t)stat_at(dirfd, name).st_size;
	struct extent extent = { 0 };
	size_t used = 0;

	out[0] = '\0';
	for (uint64_t at = 0; at < end; at = extent.start + extent.len) {
		ok(extent_find(fd, at, end, &extent, &why));
		if (extent.len == 0)
			break;
		used += (size_t)snprintf(out + used, size - used, "%llu+%llu ",
					 (unsigned long long)extent.start,
					 (unsigned long long)extent.len);
		assert_true(used < size);
	}
	(void)close(fd);
}

#endif
