/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a file in a FAT12, FAT16 or FAT32 volume by its short names. For esp.c. */
#ifndef TART_MACHINE_FAT_H
#define TART_MACHINE_FAT_H

#include "machine/esp.h"

#define FAT_NAME_LEN 11 /* 8 characters of the name and 3 of the extension, padded with blanks */

enum fat_find { FAT_FOUND, FAT_ABSENT, FAT_DAMAGED };

struct fat {
	const struct esp_source *source;
	uint64_t start;    /* of the volume on the disk, in bytes */
	uint64_t size;     /* bytes */
	unsigned int bits; /* 12, 16 or 32 */
	uint32_t cluster_bytes;
	uint32_t n_clusters;
	uint64_t
		table; /* byte offsets in the volume: the first FAT, the fixed root directory, cluster 2 */
	uint64_t root;
	uint64_t data;
	uint32_t root_bytes;   /* of the fixed root directory; FAT32 has none */
	uint32_t root_cluster; /* FAT32 */
	uint32_t budget;       /* reads that may still be made */
};

/* False when there is no FAT volume here. */
bool fat_open(const struct esp_source *source, uint64_t start, uint64_t size, struct fat *ret);

/* Follows `path`: short names of directories and, last, of a file or directory. */
enum fat_find fat_find(struct fat *fat, const char *const *path, size_t n);

#endif
