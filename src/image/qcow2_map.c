/* SPDX-License-Identifier: Apache-2.0 */
/* Which clusters a qcow2 file holds: walking its level 1 and level 2 tables, one level 2 table
 * in memory. */
#include <endian.h>
#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "image/qcow2.h"

/* Entries are big-endian; bits 9 to 55 are an offset in the file, 0 = nothing there. */
#define ENTRY_OFFSET     ((uint64_t)0x00fffffffffffe00)
#define ENTRY_COMPRESSED ((uint64_t)1 << 62)
#define ENTRY_ZERO       ((uint64_t)1 << 0) /* version 3 */

struct qcow2_map {
	int fd;
	uint64_t size_bytes;
	uint32_t cluster_bits;
	bool has_zero_bit;
	uint64_t *l1;
	uint64_t n_l1;
	uint64_t *l2;      /* the table of l1[l2_index] */
	uint64_t l2_index; /* n_l1 = none yet */
	uint64_t l2_entries;
};

static bool read_table(int fd, uint64_t offset, uint64_t *table, size_t entries, struct err *err)
{
	char *at = (char *)table;
	size_t left = entries * sizeof(*table);

	while (left > 0) {
		ssize_t n = pread(fd, at, left, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "cannot read");
		if (n == 0)
			return err_set(err, ERR_GENERAL, "qcow2: a table ends past the file");
		at += n;
		offset += (size_t)n;
		left -= (size_t)n;
	}
	for (size_t i = 0; i < entries; i++)
		table[i] = be64toh(table[i]);
	return true;
}

static bool check_readable(const struct qcow2_header *header, struct err *err)
{
	if (header->crypt_method != 0)
		return err_set(err, ERR_GENERAL, "qcow2: it is encrypted");
	if (header->incompatible & QCOW2_INCOMPATIBLE_CORRUPT)
		return err_set(err, ERR_GENERAL, "qcow2: it is marked as corrupt");
	if (header->incompatible & QCOW2_INCOMPATIBLE_DATA_FILE)
		return err_set(err, ERR_GENERAL, "qcow2: its data lies in another file");
	if (header->incompatible & QCOW2_INCOMPATIBLE_EXTENDED_L2)
		return err_set(err, ERR_GENERAL, "qcow2: it has extended level 2 entries");
	return true;
}

bool qcow2_map_open(int fd, const struct qcow2_header *header, struct qcow2_map **ret,
		    struct err *err)
{
	struct qcow2_map *map;

	if (!check_readable(header, err))
		return false;
	map = xcalloc(1, sizeof(*map));
	*map = (struct qcow2_map){
		.fd = fd,
		.size_bytes = header->size_bytes,
		.cluster_bits = header->cluster_bits,
		.has_zero_bit = header->version >= 3,
		.n_l1 = header->l1_entries,
		.l2_index = header->l1_entries,
		.l2_entries = ((uint64_t)1 << header->cluster_bits) / sizeof(uint64_t),
	};
	map->l1 = xcalloc(map->n_l1 + 1, sizeof(*map->l1));
	map->l2 = xcalloc(map->l2_entries, sizeof(*map->l2));
	if (!read_table(fd, header->l1_offset, map->l1, map->n_l1, err)) {
		qcow2_map_free(map);
		return false;
	}
	*ret = map;
	return true;
}

void qcow2_map_free(struct qcow2_map *map)
{
	if (!map)
		return;
	free(map->l1);
	free(map->l2);
	free(map);
}

static bool check_offset(const struct qcow2_map *map, uint64_t offset, struct err *err)
{
	if (offset & (((uint64_t)1 << map->cluster_bits) - 1))
		return err_set(err, ERR_GENERAL, "qcow2: a cluster at the odd offset %llu",
			       (unsigned long long)offset);
	return true;
}

static bool load_l2(struct qcow2_map *map, uint64_t index, struct err *err)
{
	uint64_t offset = map->l1[index] & ENTRY_OFFSET;

	if (map->l2_index == index)
		return true;
	map->l2_index = map->n_l1;
	if (!check_offset(map, offset, err) ||
	    !read_table(map->fd, offset, map->l2, map->l2_entries, err))
		return false;
	map->l2_index = index;
	return true;
}

static bool classify(const struct qcow2_map *map, uint64_t entry, struct qcow2_run *ret,
		     struct err *err)
{
	ret->file_offset = entry & ENTRY_OFFSET;
	if (entry & ENTRY_COMPRESSED)
		return err_set(err, ERR_GENERAL, "qcow2: it has compressed clusters");
	if (map->has_zero_bit && (entry & ENTRY_ZERO))
		ret->kind = QCOW2_RUN_ZERO;
	else
		ret->kind = ret->file_offset ? QCOW2_RUN_DATA : QCOW2_RUN_BACKING;
	return ret->kind != QCOW2_RUN_DATA || check_offset(map, ret->file_offset, err);
}

/* Whether `next` goes on where `run` ends. */
static bool continues(const struct qcow2_run *run, const struct qcow2_run *next)
{
	return run->kind == next->kind &&
	       (run->kind != QCOW2_RUN_DATA || run->file_offset + run->len == next->file_offset);
}

bool qcow2_map_run(struct qcow2_map *map, uint64_t offset, struct qcow2_run *ret, struct err *err)
{
	uint64_t cluster_bytes = (uint64_t)1 << map->cluster_bits;
	uint64_t cluster = offset >> map->cluster_bits;
	uint64_t l1_index = cluster / map->l2_entries;
	uint64_t i = cluster % map->l2_entries;
	struct qcow2_run run = { .kind = QCOW2_RUN_BACKING, .start = cluster << map->cluster_bits };
	struct qcow2_run next = { 0 };

	if ((map->l1[l1_index] & ENTRY_OFFSET) == 0) {
		run.len = (map->l2_entries - i) << map->cluster_bits;
	} else {
		if (!load_l2(map, l1_index, err) || !classify(map, map->l2[i], &run, err))
			return false;
		run.len = cluster_bytes;
		while (++i < map->l2_entries) {
			if (!classify(map, map->l2[i], &next, err))
				return false;
			if (!continues(&run, &next))
				break;
			run.len += cluster_bytes;
		}
	}
	if (run.len > map->size_bytes - run.start)
		run.len = map->size_bytes - run.start;
	*ret = run;
	return true;
}
