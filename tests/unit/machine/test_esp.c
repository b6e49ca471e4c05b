/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/esp.h: on disks made by sfdisk, mkfs.vfat and mtools, and on small ones made by hand to be wrong. */
#include "machine/esp.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/child.h"
#include "base/fs.h"
#include "base/mem.h"

#include "unit.h"

#define SECTOR     512
#define ESP_OFFSET (1 << 20)

static char folder[] = "/tmp/tart-esp-XXXXXX";

static int enter_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	struct err err = { 0 };

	(void)state;
	return chdir("/") == 0 && fs_remove_tree(AT_FDCWD, folder, &err) ? 0 : -1;
}

/* Runs a shell script with the row's values as $1 to $4; skips the test when the tools are not installed. */
static void shell(const char *script, const char *a, const char *b, const char *c, const char *d)
{
	const char *argv[] = { "sh", "-ec", script, "sh", a, b, c, d, NULL };
	const char *have[] = { "sh", "-c",
			       "PATH=$PATH:/sbin:/usr/sbin; command -v sfdisk mkfs.vfat mmd",
			       NULL };
	struct err err = { 0 };

	if (!child_run(have, 1000, NULL, &err))
		skip();
	check(child_run(argv, 10000, NULL, &err), "%s", err.text);
}

/* $1 label, $2 FAT bits, $3 size in KiB, $4 what to put in. */
static const char make_disk[] =
	"PATH=$PATH:/sbin:/usr/sbin; rm -f esp.img disk.img\n"
	"truncate -s ${3}K esp.img; mkfs.vfat -F $2 -s 1 -n ESP esp.img >&2\n"
	"copy() { printf x >one; mcopy -i esp.img one ::/EFI/BOOT/$1; }\n"
	"case $4 in\n"
	"none) ;;\n"
	"vendor) mmd -i esp.img ::/EFI ::/EFI/debian ;;\n"
	"file) printf x | mcopy -i esp.img - ::/EFI ;;\n"
	"*)\n"
	"	mmd -i esp.img ::/EFI\n"
	"	case $4 in *long*) mkdir -p f; for i in $(seq 200); do : >f/a-rather-long-name-$i; done\n"
	"		mcopy -i esp.img f/* ::/EFI;; esac\n"
	"	mmd -i esp.img ::/EFI/boot\n"
	"	case $4 in *x64*) copy BOOTX64.EFI;; esac\n"
	"	case $4 in *aa64*) copy bootaa64.efi;; esac\n"
	"	case $4 in *other*) copy BOOTIA32.EFI;; esac ;;\n"
	"esac\n"
	"truncate -s $((3 + $3 / 1024))M disk.img\n"
	"case $1 in gpt) t=C12A7328-F81F-11D2-BA4B-00A0C93EC93B;; dos) t=ef;; esac\n"
	"printf 'label: %s\\nstart=1MiB, size=%sKiB, type=%s\\n' $1 $3 $t | sfdisk -q disk.img >&2\n"
	"dd if=esp.img of=disk.img bs=1M seek=1 conv=notrunc status=none\n";

static const struct {
	const char *name;
	const char *label, *bits, *kib, *content;
	bool amd64, arm64;
} disks[] = {
	{ "FAT12", "gpt", "12", "1024", "x64", true, false },
	{ "FAT16", "gpt", "16", "8192", "x64", true, false },
	{ "FAT32", "gpt", "32", "40960", "x64", true, false },
	{ "arm64", "gpt", "32", "40960", "aa64", false, true },
	{ "both", "gpt", "16", "8192", "x64+aa64", true, true },
	{ "MBR", "dos", "16", "8192", "x64", true, false },
	{ "only another architecture", "gpt", "16", "8192", "other", false, false },
	{ "only a vendor's folder", "gpt", "16", "8192", "vendor", false, false },
	{ "EFI is a file", "gpt", "16", "8192", "file", false, false },
	{ "empty FAT12", "gpt", "12", "1024", "none", false, false },
	{ "empty FAT32", "gpt", "32", "40960", "none", false, false },
	{ "folder of many clusters, FAT12", "gpt", "12", "1024", "long+x64", true, false },
	{ "folder of many clusters, FAT16", "gpt", "16", "8192", "long+x64", true, false },
	{ "folder of many clusters, FAT32", "gpt", "32", "40960", "long+aa64", false, true },
	{ "folder of many clusters without the file", "gpt", "12", "1024", "long+other", false,
	  false },
};

static void reads_real_disks(void **state)
{
	(void)state;
	each_row(disks, row) {
		CLEANUP_CLOSE int fd = -1;
		struct esp_info info;

		shell(make_disk, row->label, row->bits, row->kib, row->content);
		fd = open("disk.img", O_RDONLY | O_CLOEXEC);
		esp_inspect_fd(fd, &info);
		check(info.found, "%s: not found", row->name);
		check(info.boots_amd64 == row->amd64 && info.boots_arm64 == row->arm64,
		      "%s: amd64 %d, arm64 %d", row->name, info.boots_amd64, info.boots_arm64);
	}
}

static void finds_none_elsewhere(void **state)
{
	static const struct {
		const char *name;
		off_t bytes;
	} rows[] = { { "empty file", 0 }, { "less than a sector", 100 }, { "zeros", 4 << 20 } };

	(void)state;
	each_row(rows, row) {
		CLEANUP_CLOSE int fd = open("blank", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		struct esp_info info = { .found = true };

		check(ftruncate(fd, row->bytes) == 0, "%s", row->name);
		esp_inspect_fd(fd, &info);
		check(!info.found && !info.boots_amd64, "%s: found", row->name);
	}
}

/*
 * A disk by hand: GPT with one ESP at 1 MiB, in it a FAT12 volume of 64 clusters of one sector: boot sector, one
 * table, one sector of root directory, clusters from sector 3 on.
 */
struct disk {
	unsigned char *bytes;
	size_t size;
	size_t n_reads;
};

static void put_le(unsigned char *at, size_t len, uint64_t value)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

static unsigned char *volume(struct disk *disk)
{
	return disk->bytes + ESP_OFFSET;
}

static unsigned char *cluster_at(struct disk *disk, uint32_t cluster)
{
	return volume(disk) + (size_t)(3 + cluster - 2) * SECTOR;
}

static void put_fat12(struct disk *disk, uint32_t cluster, uint32_t next)
{
	unsigned char *at = volume(disk) + SECTOR + (size_t)cluster * 3 / 2;

	if (cluster % 2 == 0) {
		at[0] = (unsigned char)next;
		at[1] = (unsigned char)((at[1] & 0xf0) | next >> 8);
	} else {
		at[0] = (unsigned char)((at[0] & 0x0f) | next << 4);
		at[1] = (unsigned char)(next >> 4);
	}
}

static void put_entry(unsigned char *at, const char *name, unsigned char attributes,
		      uint32_t cluster)
{
	memcpy(at, name, 11);
	at[11] = attributes;
	put_le(at + 26, 2, cluster);
}

static void fill_disk(struct disk *disk)
{
	static const unsigned char guid[] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
					      0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
	unsigned char *header;
	unsigned char *entry;
	unsigned char *boot;

	memset(disk->bytes, 0, disk->size);
	header = disk->bytes + SECTOR;
	memcpy(header, "EFI PART", 8);
	put_le(header + 72, 8, 2);
	put_le(header + 80, 4, 4);
	put_le(header + 84, 4, 128);
	entry = disk->bytes + 2 * SECTOR + 128;
	memcpy(entry, guid, sizeof(guid));
	put_le(entry + 32, 8, ESP_OFFSET / SECTOR);
	put_le(entry + 40, 8, ESP_OFFSET / SECTOR + 66);
	boot = volume(disk);
	put_le(boot + 11, 2, SECTOR);
	boot[13] = 1;
	put_le(boot + 14, 2, 1);
	boot[16] = 1;
	put_le(boot + 17, 2, 16);
	put_le(boot + 19, 2, 67);
	put_le(boot + 22, 2, 1);
	put_le(boot + 510, 2, 0xaa55);
	put_entry(volume(disk) + 2 * SECTOR, "EFI        ", 0x10, 2);
	put_fat12(disk, 2, 0xfff);
	put_entry(cluster_at(disk, 2), "BOOT       ", 0x10, 3);
	put_fat12(disk, 3, 0xfff);
	put_entry(cluster_at(disk, 3), "BOOTX64 EFI", 0x20, 4);
	put_fat12(disk, 4, 0xfff);
}

static bool read_disk(void *ctx, uint64_t offset, void *buf, size_t len)
{
	struct disk *disk = ctx;

	disk->n_reads++;
	if (offset > disk->size || len > disk->size - offset)
		return false;
	memcpy(buf, disk->bytes + offset, len);
	return true;
}

static void fill_cluster(struct disk *disk, uint32_t cluster)
{
	for (size_t i = 0; i < SECTOR; i += 32)
		put_entry(cluster_at(disk, cluster) + i, "OTHER      ", 0x20, 0);
}

static void circle(struct disk *disk)
{
	fill_cluster(disk, 2);
	fill_cluster(disk, 5);
	put_fat12(disk, 2, 5);
	put_fat12(disk, 5, 2);
}

static void chain_to_free_cluster(struct disk *disk)
{
	fill_cluster(disk, 2);
	put_fat12(disk, 2, 0);
}

static void directory_without_end(struct disk *disk)
{
	fill_cluster(disk, 2);
}

static void directory_outside(struct disk *disk)
{
	put_entry(volume(disk) + 2 * SECTOR, "EFI        ", 0x10, 4000);
}

static void directory_in_cluster_0(struct disk *disk)
{
	put_entry(volume(disk) + 2 * SECTOR, "EFI        ", 0x10, 0);
}

static void deleted_entry(struct disk *disk)
{
	cluster_at(disk, 3)[0] = 0xe5;
}

static void volume_label(struct disk *disk)
{
	cluster_at(disk, 3)[11] = 0x08;
}

static void part_of_a_long_name(struct disk *disk)
{
	cluster_at(disk, 3)[11] = 0x0f;
}

static void no_boot_signature(struct disk *disk)
{
	volume(disk)[510] = 0;
}

static void odd_sector_size(struct disk *disk)
{
	put_le(volume(disk) + 11, 2, 600);
}

static void sector_size_0(struct disk *disk)
{
	put_le(volume(disk) + 11, 2, 0);
}

static void cluster_size_0(struct disk *disk)
{
	volume(disk)[13] = 0;
}

static void cluster_size_3(struct disk *disk)
{
	volume(disk)[13] = 3;
}

static void volume_smaller_than_its_tables(struct disk *disk)
{
	put_le(volume(disk) + 19, 2, 3);
}

static void partition_cut_short(struct disk *disk)
{
	put_le(disk->bytes + 2 * SECTOR + 128 + 40, 8, ESP_OFFSET / SECTOR + 3);
}

static void partition_beyond_the_disk(struct disk *disk)
{
	put_le(disk->bytes + 2 * SECTOR + 128 + 32, 8, UINT64_C(1) << 30);
	put_le(disk->bytes + 2 * SECTOR + 128 + 40, 8, UINT64_C(1) << 31);
}

static void partition_backwards(struct disk *disk)
{
	put_le(disk->bytes + 2 * SECTOR + 128 + 40, 8, 1);
}

static void partition_overflows(struct disk *disk)
{
	put_le(disk->bytes + 2 * SECTOR + 128 + 32, 8, UINT64_MAX / SECTOR);
	put_le(disk->bytes + 2 * SECTOR + 128 + 40, 8, UINT64_MAX);
}

static void partition_too_long(struct disk *disk)
{
	put_le(disk->bytes + 2 * SECTOR + 128 + 40, 8, UINT64_C(1) << 30);
}

static void table_overflows(struct disk *disk)
{
	put_le(disk->bytes + SECTOR + 72, 8, UINT64_MAX / 2);
}

static void too_many_entries(struct disk *disk)
{
	put_le(disk->bytes + SECTOR + 80, 4, UINT32_MAX);
}

static void entries_too_small(struct disk *disk)
{
	put_le(disk->bytes + SECTOR + 84, 4, 64);
}

static void other_type(struct disk *disk)
{
	disk->bytes[2 * SECTOR + 128]++;
}

static const struct {
	const char *name;
	void (*damage)(struct disk *disk);
	bool found, amd64;
} damages[] = {
	{ "none", NULL, true, true },
	{ "deleted entry", deleted_entry, true, false },
	{ "volume label", volume_label, true, false },
	{ "part of a long name", part_of_a_long_name, true, false },
	{ "chain into a free cluster", chain_to_free_cluster, true, false },
	{ "directory without an end mark", directory_without_end, true, false },
	{ "directory outside the volume", directory_outside, true, false },
	{ "directory in cluster 0", directory_in_cluster_0, true, false },
	{ "circle of clusters", circle, false, false },
	{ "no boot signature", no_boot_signature, false, false },
	{ "odd sector size", odd_sector_size, false, false },
	{ "sector size 0", sector_size_0, false, false },
	{ "cluster size 0", cluster_size_0, false, false },
	{ "cluster size 3", cluster_size_3, false, false },
	{ "volume smaller than its tables", volume_smaller_than_its_tables, false, false },
	{ "partition cut short", partition_cut_short, false, false },
	{ "partition beyond the disk", partition_beyond_the_disk, false, false },
	{ "partition backwards", partition_backwards, false, false },
	{ "partition overflows", partition_overflows, false, false },
	{ "partition longer than the disk", partition_too_long, true, true },
	{ "table overflows", table_overflows, false, false },
	{ "too many entries", too_many_entries, false, false },
	{ "entries too small", entries_too_small, false, false },
	{ "another type of partition", other_type, false, false },
};

static void believes_nothing(void **state)
{
	struct disk disk = { .size = ESP_OFFSET + 70 * SECTOR };
	CLEANUP_FREE unsigned char *bytes = xcalloc(1, disk.size);
	struct esp_source source = { read_disk, &disk, disk.size };

	(void)state;
	disk.bytes = bytes;
	each_row(damages, row) {
		struct esp_info info;

		fill_disk(&disk);
		if (row->damage)
			row->damage(&disk);
		disk.n_reads = 0;
		esp_inspect(&source, &info);
		check(info.found == row->found && info.boots_amd64 == row->amd64,
		      "%s: found %d, boots %d", row->name, info.found, info.boots_amd64);
		check(!info.boots_arm64, "%s: boots arm64", row->name);
		check(disk.n_reads < 40000, "%s: %zu reads", row->name, disk.n_reads);
	}
}

static const struct {
	const char *name;
	struct esp_info info;
	enum guest_arch arch;
	const char *want;
} hints[] = {
	{ "no partition", { false, false, false }, ARCH_AMD64, "" },
	{ "boots", { true, true, false }, ARCH_AMD64, "" },
	{ "boots both", { true, true, true }, ARCH_ARM64, "" },
	{ "boots the other one",
	  { true, false, true },
	  ARCH_AMD64,
	  "The disk is made for arm64 machines, but this VM is amd64: it will not boot" },
	{ "boots the other one, on arm64",
	  { true, true, false },
	  ARCH_ARM64,
	  "The disk is made for amd64 machines, but this VM is arm64: it will not boot" },
	{ "boots nothing",
	  { true, false, false },
	  ARCH_AMD64,
	  "The disk has no \\EFI\\BOOT\\BOOTX64.EFI: without a boot entry in the firmware's variables the VM ends up "
	  "in the firmware's shell" },
	{ "boots nothing, on arm64",
	  { true, false, false },
	  ARCH_ARM64,
	  "The disk has no \\EFI\\BOOT\\BOOTAA64.EFI: without a boot entry in the firmware's variables the VM ends "
	  "up in the firmware's shell" },
};

static void hints_at_what_will_not_boot(void **state)
{
	(void)state;
	each_row(hints, row) {
		CLEANUP_STR struct str got = { 0 };

		esp_add_hint(&row->info, row->arch, &got);
		check(strcmp(str_text(&got), row->want) == 0, "%s: %s", row->name, str_text(&got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_real_disks),
		cmocka_unit_test(finds_none_elsewhere),
		cmocka_unit_test(believes_nothing),
		cmocka_unit_test(hints_at_what_will_not_boot),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
