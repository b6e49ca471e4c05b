/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a disk's EFI system partition. */
#include "machine/esp.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/checked.h"
#include "machine/fat.h"

#define GPT_HEADER_BYTES 92
#define GPT_ENTRY_MIN    128
#define GPT_ENTRY_MAX    4096
#define GPT_ENTRIES_MAX  1024
#define ESP_MAX          4 /* partitions looked into */
#define MBR_TABLE        446
#define MBR_TYPE_ESP     0xef

/* C12A7328-F81F-11D2-BA4B-00A0C93EC93B as it lies on the disk */
static const unsigned char esp_guid[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
					    0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };

static uint64_t le(const unsigned char *p, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = bytes; i > 0; i--)
		value = value << 8 | p[i - 1];
	return value;
}

static bool read_at(const struct esp_source *source, uint64_t offset, void *buf, size_t len)
{
	uint64_t end;

	return !ckd_add(&end, offset, len) && end <= source->size_bytes &&
	       source->read(source->ctx, offset, buf, len);
}

/* A volume that breaks off in the middle tells nothing, not even that the files are missing. */
static void look_into(const struct esp_source *source, uint64_t start, uint64_t size,
		      struct esp_info *info)
{
	static const char *const amd64[] = { "EFI        ", "BOOT       ", "BOOTX64 EFI" };
	static const char *const arm64[] = { "EFI        ", "BOOT       ", "BOOTAA64EFI" };
	enum fat_find has_amd64;
	enum fat_find has_arm64;
	struct fat fat;

	if (!fat_open(source, start, size, &fat))
		return;
	has_amd64 = fat_find(&fat, amd64, ARRAY_LEN(amd64));
	has_arm64 = fat_find(&fat, arm64, ARRAY_LEN(arm64));
	if (has_amd64 == FAT_DAMAGED || has_arm64 == FAT_DAMAGED)
		return;
	info->found = true;
	info->boots_amd64 = info->boots_amd64 || has_amd64 == FAT_FOUND;
	info->boots_arm64 = info->boots_arm64 || has_arm64 == FAT_FOUND;
}

static void look_at_sectors(const struct esp_source *source, uint64_t first, uint64_t count,
			    uint32_t sector_bytes, struct esp_info *info)
{
	uint64_t start;
	uint64_t size;

	if (ckd_mul(&start, first, sector_bytes) || ckd_mul(&size, count, sector_bytes) ||
	    start >= source->size_bytes)
		return;
	if (size > source->size_bytes - start)
		size = source->size_bytes - start;
	look_into(source, start, size, info);
}

/* One table entry: its type GUID, then a GUID of its own, then first and last sector. */
static bool look_at_gpt_entry(const struct esp_source *source, const unsigned char *entry,
			      uint32_t sector_bytes, struct esp_info *info)
{
	uint64_t first = le(entry + 32, 8);
	uint64_t last = le(entry + 40, 8);

	if (memcmp(entry, esp_guid, sizeof(esp_guid)) != 0 || last < first || last == UINT64_MAX)
		return false;
	look_at_sectors(source, first, last - first + 1, sector_bytes, info);
	return true;
}

static bool inspect_gpt(const struct esp_source *source, uint32_t sector_bytes,
			struct esp_info *info)
{
	unsigned char header[GPT_HEADER_BYTES];
	unsigned char entry[48];
	uint64_t table;
	uint64_t n;
	uint64_t entry_bytes;
	int n_looked = 0;

	if (!read_at(source, sector_bytes, header, sizeof(header)) ||
	    memcmp(header, "EFI PART", 8) != 0)
		return false;
	n = le(header + 80, 4);
	entry_bytes = le(header + 84, 4);
	if (ckd_mul(&table, le(header + 72, 8), sector_bytes) || n > GPT_ENTRIES_MAX ||
	    entry_bytes < GPT_ENTRY_MIN || entry_bytes > GPT_ENTRY_MAX)
		return true;
	for (uint64_t i = 0; i < n && n_looked < ESP_MAX; i++) {
		uint64_t at;

		if (ckd_add(&at, table, i * entry_bytes) ||
		    !read_at(source, at, entry, sizeof(entry)))
			break;
		n_looked += look_at_gpt_entry(source, entry, sector_bytes, info);
	}
	return true;
}

static void inspect_mbr(const struct esp_source *source, struct esp_info *info)
{
	unsigned char sector[512];

	if (!read_at(source, 0, sector, sizeof(sector)) || sector[510] != 0x55 ||
	    sector[511] != 0xaa)
		return;
	for (size_t i = 0; i < 4; i++) {
		const unsigned char *entry = sector + MBR_TABLE + 16 * i;

		if (entry[4] == MBR_TYPE_ESP)
			look_at_sectors(source, le(entry + 8, 4), le(entry + 12, 4), 512, info);
	}
}

void esp_inspect(const struct esp_source *source, struct esp_info *ret)
{
	struct esp_info info = { 0 };

	if (!inspect_gpt(source, 512, &info) && !inspect_gpt(source, 4096, &info))
		inspect_mbr(source, &info);
	*ret = info;
}

static bool read_fd(void *ctx, uint64_t offset, void *buf, size_t len)
{
	const int *fd = ctx;
	ssize_t n;

	do
		n = pread(*fd, buf, len, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

void esp_inspect_fd(int fd, struct esp_info *ret)
{
	struct esp_source source = { .read = read_fd, .ctx = &fd };
	off_t size = lseek(fd, 0, SEEK_END); /* of a block device too */

	*ret = (struct esp_info){ 0 };
	if (size <= 0)
		return;
	source.size_bytes = (uint64_t)size;
	esp_inspect(&source, ret);
}

void esp_add_hint(const struct esp_info *info, enum guest_arch arch, struct str *out)
{
	bool is_amd64 = arch == ARCH_AMD64;
	const char *file = is_amd64 ? "BOOTX64.EFI" : "BOOTAA64.EFI";

	if (!info->found || (is_amd64 ? info->boots_amd64 : info->boots_arm64))
		return;
	if (is_amd64 ? info->boots_arm64 : info->boots_amd64)
		str_addf(out,
			 "The disk is made for %s machines, but this VM is %s: it will not boot",
			 guest_arch_text(is_amd64 ? ARCH_ARM64 : ARCH_AMD64),
			 guest_arch_text(arch));
	else
		str_addf(
			out,
			"The disk has no \\EFI\\BOOT\\%s: without a boot entry in the firmware's variables the VM ends "
			"up in the firmware's shell",
			file);
}
