/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the data of a logical file lies: a raw file with holes, or an overlay over its base.
 * Whoever copies or archives a disk walks its extents and never touches a hole.
 */
#ifndef TART_IMAGE_EXTENT_H
#define TART_IMAGE_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A run of data; everything between two of them is zeros. */
struct extent {
	uint64_t start; /* in the logical file */
	uint64_t len;   /* 0 = there is none */
	int fd;         /* borrowed: where its bytes are, at fd_offset */
	uint64_t fd_offset;
};

/* The next run of data of a raw file in [offset, end), by SEEK_DATA and SEEK_HOLE; len 0 when
 * there is none. A file system that does not know holes has data everywhere. */
bool extent_find(int fd, uint64_t offset, uint64_t end, struct extent *ret, struct err *err);

struct extent_map;

/* Of a raw file of this size. The descriptor is borrowed for the map's life. */
struct extent_map *extent_map_of_file(int fd, uint64_t size_bytes);

/* Of a qcow2 overlay over a raw base; both descriptors are borrowed. The overlay must not change
 * meanwhile. Reads its header and level 1 table; compressed clusters and formats we do not make
 * are errors, here or later. */
bool extent_map_of_overlay(int overlay_fd, int base_fd, struct extent_map **ret, struct err *err);

/* From now on the map owns its descriptors. */
void extent_map_adopt_fds(struct extent_map *map);

void extent_map_free(struct extent_map *map);
static inline void extent_map_cleanup(struct extent_map **slot)
{
	extent_map_free(*slot);
}

uint64_t extent_map_size(const struct extent_map *map);

/* The next run of data at or after `offset`. Two neighbours may touch. */
bool extent_map_next(struct extent_map *map, uint64_t offset, struct extent *ret, struct err *err);

/* Whether an overlay has something, zeros too, in place of any of its base's bytes in [start, end). Never true of a raw
 * file. */
bool extent_map_is_overlaid(struct extent_map *map, uint64_t start, uint64_t end, bool *ret,
			    struct err *err);

/* Bytes [offset, offset + len) of the logical file, which must lie in it. */
bool extent_map_read(struct extent_map *map, uint64_t offset, void *buf, size_t len,
		     struct err *err);

#endif
