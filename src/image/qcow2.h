/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The qcow2 format (QEMU's docs/interop/qcow2.txt) as far as we need it ourselves: what a header
 * says, making an empty overlay, and which clusters an overlay holds. All else is qemu-img's.
 */
#ifndef TART_IMAGE_QCOW2_H
#define TART_IMAGE_QCOW2_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define QCOW2_HEAD_BYTES   65536               /* enough of a file's start for qcow2_parse */
#define QCOW2_BACKING_MAX  1023                /* bytes of a backing file's name, QEMU's limit */
#define QCOW2_L1_ENTRY_MAX ((uint32_t)4 << 20) /* level 1 table of 32 MiB, QEMU's limit */

struct qcow2_header {
	uint32_t version; /* 2 or 3 */
	uint32_t cluster_bits;
	uint64_t size_bytes; /* of the virtual disk */
	uint32_t crypt_method;
	uint32_t n_snapshots;
	uint32_t l1_entries;
	uint64_t l1_offset;
	uint64_t incompatible;      /* QCOW2_INCOMPATIBLE_… */
	struct span backing_file;   /* borrowed from the input; empty = none */
	struct span backing_format; /* likewise; empty = QEMU would probe */
};

#define QCOW2_INCOMPATIBLE_DIRTY       ((uint64_t)1 << 0) /* reference counts are stale */
#define QCOW2_INCOMPATIBLE_CORRUPT     ((uint64_t)1 << 1)
#define QCOW2_INCOMPATIBLE_DATA_FILE   ((uint64_t)1 << 2)
#define QCOW2_INCOMPATIBLE_COMPRESSION ((uint64_t)1 << 3)
#define QCOW2_INCOMPATIBLE_EXTENDED_L2 ((uint64_t)1 << 4)
#define QCOW2_INCOMPATIBLE_KNOWN       ((uint64_t)0x1f)

/* `head` is the start of a file (QCOW2_HEAD_BYTES, or all of a shorter one). Checks that the
 * numbers make sense together; refuses unknown versions and incompatible features. What of the
 * rest is acceptable (encryption, a backing file, a data file) depends on the use: callers
 * check. Pure. */
bool qcow2_parse(struct span head, struct qcow2_header *ret, struct err *err);

bool qcow2_is_magic(struct span head);

/* Reads and parses the header of a file into `head` (QCOW2_HEAD_BYTES), which *ret then points
 * into. */
bool qcow2_read_header(int fd, char *head, struct qcow2_header *ret, struct err *err);

/* Makes the empty file fd an overlay, all of whose clusters are those of `backing_name`, a raw
 * file. The size is rounded up to 512, as QEMU rounds the backing file's. The result passes
 * `qemu-img check`. */
bool qcow2_create_overlay(int fd, uint64_t size_bytes, const char *backing_name, struct err *err);

/* What an overlay has in place of its backing file. */
enum qcow2_run_kind { QCOW2_RUN_BACKING, QCOW2_RUN_ZERO, QCOW2_RUN_DATA };

struct qcow2_run {
	enum qcow2_run_kind kind;
	uint64_t start;
	uint64_t len;
	uint64_t
		file_offset; /* QCOW2_RUN_DATA: where in the qcow2 file; may lie past its end (zeros) */
};

struct qcow2_map;

/* Reads the level 1 table. The file must not change while the map is used; fd is borrowed. */
bool qcow2_map_open(int fd, const struct qcow2_header *header, struct qcow2_map **ret,
		    struct err *err);
void qcow2_map_free(struct qcow2_map *map);

/* The longest run known at `offset` < size. Holds one level 2 table in memory. */
bool qcow2_map_run(struct qcow2_map *map, uint64_t offset, struct qcow2_run *ret, struct err *err);

#endif
