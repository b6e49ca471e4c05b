/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into a disk's EFI system partition: does it have the file that firmware without boot entries starts,
 * \EFI\BOOT\BOOTX64.EFI or BOOTAA64.EFI? A VM whose disk has none ends up in the firmware's shell.
 *
 * A bounded reader of GPT (UEFI 2.10, 5.3), of MBR entries of type 0xef and of FAT12/16/32 (Microsoft's FAT
 * specification 1.03). The disk is a guest's: nothing on it is believed, and what looks damaged counts as absent.
 */
#ifndef TART_MACHINE_ESP_H
#define TART_MACHINE_ESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "storage/config.h"

struct esp_source {
	/* Reads exactly len bytes inside size_bytes; false when it cannot. */
	bool (*read)(void *ctx, uint64_t offset, void *buf, size_t len);
	void *ctx;
	uint64_t size_bytes;
};

struct esp_info {
	bool found; /* at least one EFI system partition could be read to the end of its answer */
	bool boots_amd64, boots_arm64;
};

/* Reads at most some MiB, whatever the disk holds. */
void esp_inspect(const struct esp_source *source, struct esp_info *ret);

/* The same for a raw disk image. */
void esp_inspect_fd(int fd, struct esp_info *ret);

/* Appends one line for the user when firmware of this architecture will find nothing to start on the disk, unless its
 * variables hold a boot entry. Nothing when there is no partition to judge by. */
void esp_add_hint(const struct esp_info *info, enum guest_arch arch, struct str *out);

#endif
