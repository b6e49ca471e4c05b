/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a file in a FAT volume. */
#include "machine/fat.h"

#include <string.h>

#include "base/checked.h"

#define BOOT_SECTOR 512
#define ENTRY_BYTES 32
#define READ_BYTES \
	512 /* directories are read in pieces of this size, which divides every cluster */
#define READS_MAX      16384
#define ATTR_DIRECTORY 0x10
#define ATTR_VOLUME_ID 0x08 /* also set in entries of long names */
#define FIRST_CLUSTER  2
#define FAT12_MAX      4084
#define FAT16_MAX      65524
#define FAT32_MASK     0x0fffffff

static uint32_t le16(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const unsigned char *p)
{
	return le16(p) | le16(p + 2) << 16;
}

static bool read_at(struct fat *fat, uint64_t offset, void *buf, size_t len)
{
	uint64_t end;

	if (fat->budget == 0 || ckd_add(&end, offset, len) || end > fat->size)
		return false;
	fat->budget--;
	return fat->source->read(fat->source->ctx, fat->start + offset, buf, len);
}

static bool is_power_of_2(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* What the boot sector says, checked as far as the arithmetic here needs it. */
static bool read_geometry(const unsigned char *b, struct fat *fat)
{
	uint32_t sector = le16(b + 11);
	uint32_t per_cluster = b[13];
	uint32_t reserved = le16(b + 14);
	uint32_t n_tables = b[16];
	uint32_t n_root = le16(b + 17);
	uint32_t total = le16(b + 19) != 0 ? le16(b + 19) : le32(b + 32);
	bool is_fat32 = le16(b + 22) == 0;
	uint64_t table_sectors = is_fat32 ? le32(b + 36) : le16(b + 22);
	uint64_t data_sector;

	if (sector < 512 || sector > 4096 || !is_power_of_2(sector) ||
	    !is_power_of_2(per_cluster) || reserved == 0 || n_tables == 0 || table_sectors == 0 ||
	    (is_fat32 ? n_root != 0 : n_root == 0))
		return false;
	fat->root_bytes = n_root * ENTRY_BYTES;
	fat->table = (uint64_t)reserved * sector;
	fat->root = fat->table + n_tables * table_sectors * sector;
	data_sector = reserved + n_tables * table_sectors + (fat->root_bytes + sector - 1) / sector;
	if (data_sector >= total)
		return false;
	fat->data = data_sector * sector;
	fat->cluster_bytes = sector * per_cluster;
	fat->n_clusters = (uint32_t)((total - data_sector) / per_cluster);
	fat->root_cluster = is_fat32 ? le32(b + 44) : 0;
	if (is_fat32)
		fat->bits = 32;
	else
		fat->bits = fat->n_clusters <= FAT12_MAX ? 12 : 16;
	return fat->n_clusters > 0 && fat->n_clusters <= (is_fat32 ? FAT32_MASK - 16 : FAT16_MAX);
}

bool fat_open(const struct esp_source *source, uint64_t start, uint64_t size, struct fat *ret)
{
	struct fat fat = { .source = source, .start = start, .size = size, .budget = READS_MAX };
	unsigned char sector[BOOT_SECTOR];

	if (!read_at(&fat, 0, sector, sizeof(sector)) || sector[510] != 0x55 ||
	    sector[511] != 0xaa || !read_geometry(sector, &fat))
		return false;
	*ret = fat;
	return true;
}

static bool is_cluster(const struct fat *fat, uint32_t cluster)
{
	return cluster >= FIRST_CLUSTER && cluster - FIRST_CLUSTER < fat->n_clusters;
}

/* The entry of the table for a cluster; values beyond the last cluster mean the end of a chain. */
static bool next_cluster(struct fat *fat, uint32_t cluster, uint32_t *ret)
{
	unsigned char raw[4] = { 0 };
	uint64_t at = fat->table + (uint64_t)cluster * fat->bits / 8;

	if (!read_at(fat, at, raw, fat->bits == 32 ? 4 : 2))
		return false;
	if (fat->bits == 32)
		*ret = le32(raw) & FAT32_MASK;
	else if (fat->bits == 16)
		*ret = le16(raw);
	else
		*ret = cluster % 2 == 0 ? le16(raw) & 0xfff : le16(raw) >> 4;
	return true;
}

/* What a piece of a directory tells about a name. */
enum scan { SCAN_FOUND, SCAN_END, SCAN_GOES_ON, SCAN_FAILED };

struct found {
	bool is_directory;
	uint32_t cluster;
};

static enum scan scan_piece(const unsigned char *piece, const char *name, struct found *ret)
{
	for (size_t i = 0; i < READ_BYTES; i += ENTRY_BYTES) {
		const unsigned char *entry = piece + i;

		if (entry[0] == 0)
			return SCAN_END;
		if ((entry[11] & ATTR_VOLUME_ID) != 0 || memcmp(entry, name, FAT_NAME_LEN) != 0)
			continue;
		ret->is_directory = (entry[11] & ATTR_DIRECTORY) != 0;
		ret->cluster = le16(entry + 20) << 16 | le16(entry + 26);
		return SCAN_FOUND;
	}
	return SCAN_GOES_ON;
}

static enum scan scan_run(struct fat *fat, uint64_t offset, uint32_t bytes, const char *name,
			  struct found *ret)
{
	unsigned char piece[READ_BYTES];
	enum scan result = SCAN_GOES_ON;

	for (uint32_t at = 0; at < bytes && result == SCAN_GOES_ON; at += READ_BYTES) {
		if (!read_at(fat, offset + at, piece, sizeof(piece)))
			return SCAN_FAILED;
		result = scan_piece(piece, name, ret);
	}
	return result;
}

/* A chain that runs in a circle ends with the budget of reads. */
static enum scan scan_chain(struct fat *fat, uint32_t cluster, const char *name, struct found *ret)
{
	enum scan result = SCAN_GOES_ON;

	while (result == SCAN_GOES_ON && is_cluster(fat, cluster)) {
		uint64_t offset = fat->data +
				  (uint64_t)(cluster - FIRST_CLUSTER) * fat->cluster_bytes;

		result = scan_run(fat, offset, fat->cluster_bytes, name, ret);
		if (result == SCAN_GOES_ON && !next_cluster(fat, cluster, &cluster))
			return SCAN_FAILED;
	}
	return result;
}

static enum scan scan_root(struct fat *fat, const char *name, struct found *ret)
{
	if (fat->bits == 32)
		return scan_chain(fat, fat->root_cluster, name, ret);
	return scan_run(fat, fat->root, fat->root_bytes, name, ret);
}

enum fat_find fat_find(struct fat *fat, const char *const *path, size_t n)
{
	struct found found = { .is_directory = true };

	for (size_t i = 0; i < n; i++) {
		enum scan result;

		if (!found.is_directory)
			return FAT_ABSENT;
		result = i == 0 ? scan_root(fat, path[i], &found) :
				  scan_chain(fat, found.cluster, path[i], &found);
		if (result == SCAN_FAILED)
			return FAT_DAMAGED;
		if (result != SCAN_FOUND)
			return FAT_ABSENT;
		/* The upper half belongs to something else in the smaller formats. */
		if (fat->bits != 32)
			found.cluster &= 0xffff;
	}
	return FAT_FOUND;
}
