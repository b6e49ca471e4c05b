/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening disks for QEMU: what `--disk` names, and the VM's own.
 *
 * Whatever can be found out before the machine starts is an error here, in our words: a file that is not there, a
 * device in use, permissions, a file system without direct access.
 */
#ifndef TART_MACHINE_DISK_OPEN_H
#define TART_MACHINE_DISK_OPEN_H

#include "machine/disk_arg.h"
#include "storage/home.h"
#include "storage/temp.h"

/* A disk and what must stay for as long as the machine runs. */
struct open_disk {
	struct disk_spec spec;
	struct temp copy; /* of a cached image */
};

#define OPEN_DISK_INIT                                    \
	{                                                 \
		.spec = DISK_SPEC_INIT, .copy = TEMP_INIT \
	}
void open_disk_done(struct open_disk *disk); /* fits CLEANUP() */

/* A leading "~" or "~/" becomes `user_home` (NULL: it stays). The caller frees it. */
char *path_expand_home(struct span path, const char *user_home);

/*
 * Opens the target of a --disk argument. A read-write image file is flocked for as long as the descriptor is open,
 * in QEMU too; a read-write device is claimed for us alone. A cached image is copied into tmp/ first.
 *
 * ERR_DISK_BUSY, ERR_BLOCK_DEVICE, ERR_VM_MISSING for an image that is not cached, else ERR_GENERAL.
 */
bool disk_open(const struct disk_arg *arg, const struct home *home, const char *user_home,
	       struct open_disk *ret, struct err *err);

/* Opens the VM's own disk, with its overlay if it has one. The caller holds the VM's record lock and has called
 * disk_check(). */
bool disk_open_root(int bundle_fd, const struct disk_opts *opts, struct disk_spec *ret,
		    struct err *err);

/* Opens a further disk of the bundle (storage/extras.h), which is raw. The caller holds the VM's record lock. */
bool disk_open_further(int bundle_fd, const char *name, struct disk_spec *ret, struct err *err);

#endif
