/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks with an EFI system partition: any disk is read within bounds and to an end. The input is a list of sectors
 * that are not zero: two bytes of sector number (little-endian), 512 bytes of content.
 */
#include "machine/esp.h"

#include <string.h>

#include "fuzz.h"

#define SECTOR       512
#define RECORD       (2 + SECTOR)
#define DISK_SECTORS 65536
#define READS_MAX    200000 /* four partitions, 16384 reads each for two files, and the tables */

struct disk {
	const uint8_t *records;
	size_t size;
	size_t n_reads;
};

/* The first record of a sector counts. */
static void copy_sector(const struct disk *disk, uint64_t number, size_t skip, uint8_t *out,
			size_t len)
{
	memset(out, 0, len);
	for (size_t at = 0; at + 2 < disk->size; at += RECORD) {
		const uint8_t *record = disk->records + at;
		size_t have = disk->size - at - 2;

		if ((uint64_t)(record[0] | record[1] << 8) != number)
			continue;
		if (have > SECTOR)
			have = SECTOR;
		if (have > skip)
			memcpy(out, record + 2 + skip, have - skip < len ? have - skip : len);
		return;
	}
}

static bool read_disk(void *ctx, uint64_t offset, void *buf, size_t len)
{
	struct disk *disk = ctx;
	uint8_t *out = buf;

	fuzz_check(offset <= (uint64_t)DISK_SECTORS * SECTOR &&
		   len <= (uint64_t)DISK_SECTORS * SECTOR - offset);
	fuzz_check(++disk->n_reads <= READS_MAX);
	while (len > 0) {
		size_t skip = (size_t)(offset % SECTOR);
		size_t n = SECTOR - skip < len ? SECTOR - skip : len;

		copy_sector(disk, offset / SECTOR, skip, out, n);
		offset += n;
		out += n;
		len -= n;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct disk disk = { .records = data, .size = size };
	struct esp_source source = { read_disk, &disk, (uint64_t)DISK_SECTORS * SECTOR };
	struct esp_info info = { 0 };

	/* A disk of many records would only be slow. */
	if (size > 64 * RECORD)
		return 0;
	esp_inspect(&source, &info);
	fuzz_check(info.found || (!info.boots_amd64 && !info.boots_arm64));
	return 0;
}
