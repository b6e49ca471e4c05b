/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of data in raw files and overlays. */
#include "image/extent.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "image/qcow2.h"

bool extent_find(int fd, uint64_t offset, uint64_t end, struct extent *ret, struct err *err)
{
	off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
	off_t hole;

	*ret = (struct extent){ .start = end, .fd = fd, .fd_offset = end };
	if (data < 0 && errno == ENXIO)
		return true;
	if (data < 0 && errno == EINVAL)
		data = (off_t)offset;
	if (data < 0)
		return err_sys(err, errno, "cannot look for data");
	if ((uint64_t)data >= end)
		return true;
	hole = lseek(fd, data, SEEK_HOLE);
	if (hole < 0 && errno != EINVAL && errno != ENXIO)
		return err_sys(err, errno, "cannot look for a hole");
	ret->start = ret->fd_offset = (uint64_t)data;
	ret->len = hole > data && (uint64_t)hole < end ? (uint64_t)(hole - data) : end - ret->start;
	return true;
}

struct extent_map {
	int fd; /* the raw file, or the base */
	uint64_t fd_size;
	uint64_t size_bytes;
	struct qcow2_map *overlay; /* NULL for a raw file */
	int overlay_fd;            /* -1 for a raw file */
	bool owns_fds;
};

struct extent_map *extent_map_of_file(int fd, uint64_t size_bytes)
{
	struct extent_map *map = xcalloc(1, sizeof(*map));

	*map = (struct extent_map){
		.fd = fd, .fd_size = size_bytes, .size_bytes = size_bytes, .overlay_fd = -1
	};
	return map;
}

bool extent_map_of_overlay(int overlay_fd, int base_fd, struct extent_map **ret, struct err *err)
{
	CLEANUP_FREE char *head = xcalloc(1, QCOW2_HEAD_BYTES);
	struct qcow2_header header;
	struct qcow2_map *overlay;
	struct stat base;

	if (fstat(base_fd, &base) < 0)
		return err_sys(err, errno, "cannot stat");
	if (!qcow2_read_header(overlay_fd, head, &header, err) ||
	    !qcow2_map_open(overlay_fd, &header, &overlay, err))
		return false;
	*ret = extent_map_of_file(base_fd, (uint64_t)base.st_size);
	(*ret)->size_bytes = header.size_bytes;
	(*ret)->overlay = overlay;
	(*ret)->overlay_fd = overlay_fd;
	return true;
}

void extent_map_adopt_fds(struct extent_map *map)
{
	map->owns_fds = true;
}

void extent_map_free(struct extent_map *map)
{
	if (!map)
		return;
	if (map->owns_fds)
		(void)close(map->fd);
	if (map->owns_fds && map->overlay_fd >= 0)
		(void)close(map->overlay_fd);
	qcow2_map_free(map->overlay);
	free(map);
}

uint64_t extent_map_size(const struct extent_map *map)
{
	return map->size_bytes;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Data of one run from `offset` on: the overlay's clusters may have holes too, or lie past the
 * end of its file. */
static bool find_in_run(const struct extent_map *map, const struct qcow2_run *run, uint64_t offset,
			struct extent *ret, struct err *err)
{
	uint64_t skipped = offset - run->start;

	switch (run->kind) {
	case QCOW2_RUN_ZERO:
		*ret = (struct extent){ .fd = -1 };
		return true;
	case QCOW2_RUN_DATA:
		if (!extent_find(map->overlay_fd, run->file_offset + skipped,
				 run->file_offset + run->len, ret, err))
			return false;
		ret->start = ret->fd_offset - run->file_offset + run->start;
		return true;
	case QCOW2_RUN_BACKING:
		break;
	}
	*ret = (struct extent){ .fd = -1 };
	return offset >= map->fd_size ||
	       extent_find(map->fd, offset, min_u64(run->start + run->len, map->fd_size), ret, err);
}

bool extent_map_next(struct extent_map *map, uint64_t offset, struct extent *ret, struct err *err)
{
	struct qcow2_run run;

	if (!map->overlay)
		return extent_find(map->fd, offset, map->size_bytes, ret, err);
	while (offset < map->size_bytes) {
		if (!qcow2_map_run(map->overlay, offset, &run, err) ||
		    !find_in_run(map, &run, offset, ret, err))
			return false;
		if (ret->len > 0)
			return true;
		offset = run.start + run.len;
	}
	*ret = (struct extent){ .start = offset, .fd = -1 };
	return true;
}

bool extent_map_is_overlaid(struct extent_map *map, uint64_t start, uint64_t end, bool *ret,
			    struct err *err)
{
	struct qcow2_run run;

	*ret = false;
	for (uint64_t offset = start; map->overlay && offset < end && !*ret;
	     offset = run.start + run.len) {
		if (!qcow2_map_run(map->overlay, offset, &run, err))
			return false;
		*ret = run.kind != QCOW2_RUN_BACKING;
	}
	return true;
}

static bool read_all(int fd, char *buf, size_t len, uint64_t offset, struct err *err)
{
	while (len > 0) {
		ssize_t n = pread(fd, buf, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read");
		if (n == 0)
			return err_set(err, ERR_GENERAL, "it got shorter while it was read");
		buf += n;
		offset += (size_t)n;
		len -= (size_t)n;
	}
	return true;
}

bool extent_map_read(struct extent_map *map, uint64_t offset, void *buf, size_t len,
		     struct err *err)
{
	const uint64_t end = offset + len;
	char *at = buf;

	memset(buf, 0, len);
	while (offset < end) {
		struct extent extent;
		uint64_t extent_end;

		if (!extent_map_next(map, offset, &extent, err))
			return false;
		if (extent.len == 0 || extent.start >= end)
			break;
		extent_end = min_u64(extent.start + extent.len, end);
		if (!read_all(extent.fd, at + (extent.start - offset),
			      (size_t)(extent_end - extent.start), extent.fd_offset, err))
			return false;
		at += extent_end - offset;
		offset = extent_end;
	}
	return true;
}
