/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bundle may hold beyond Tart's three files: a kernel that is booted directly, and further disks. Images of Vetu
 * bring them (image-format.md 10).
 *
 * config.json says so under one key of ours, EXTRAS_KEY, which other programs keep or drop as a whole:
 *
 *	"tartLinux" : {
 *	  "boot" : { "cmdline" : "console=hvc0 root=/dev/vda1", "initramfs" : true },
 *	  "disks" : [ "data.img" ]
 *	}
 *
 * "boot" is there when the bundle has the file `kernel`, which then starts instead of firmware; "initramfs" when it has
 * that file, too. "disks" names files, which the guest sees behind its first disk, in this order.
 */
#ifndef TART_STORAGE_EXTRAS_H
#define TART_STORAGE_EXTRAS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"
#include "storage/config.h"

#define EXTRAS_KEY         "tartLinux"
#define EXTRAS_CMDLINE_MAX 2047 /* bytes: the least that Linux takes on the architectures we run */
#define EXTRAS_DISKS_MAX   12

struct extras {
	bool boots_kernel;
	bool has_initramfs;
	char *cmdline; /* "" when there is none; NULL unless boots_kernel */
	VEC(char *) disks;
};

void extras_done(struct extras *extras); /* fits CLEANUP() */

/* Nothing special, for most bundles. Refuses what could not have been made by extras_store(). */
bool extras_read(const struct config *config, struct extras *ret, struct err *err);

/* Puts them into the configuration; no extras at all remove the key. */
void extras_store(struct config *config, const struct extras *extras);

static inline bool extras_are_none(const struct extras *extras)
{
	return !extras->boots_kernel && extras->disks.n == 0;
}

/* Letters, digits, "-", "_", and "." except first and last; no name of another file of a bundle; fits a path component. */
bool extras_disk_name_is_allowed(struct span name);

#endif
