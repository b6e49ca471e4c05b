/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the disk of a local VM that is not running: putting another one in its place, growing it. Source: cli.md 2.4. */
#ifndef TART_STORAGE_DISK_CHANGE_H
#define TART_STORAGE_DISK_CHANGE_H

#include <stdint.h>

#include "base/err.h"
#include "storage/home.h"

/* Replaces the VM's disk, overlay included, by a copy of the raw file at `path`. ERR_VM_RUNNING. */
bool vm_replace_disk(const struct home *home, const char *name, int bundle_fd, const char *path,
		     struct err *err);

/* Grows it; the same size is no change, less is an error: the caller compares first. ERR_VM_RUNNING. */
bool vm_grow_disk(const struct home *home, const char *name, int bundle_fd, uint64_t size_bytes,
		  struct err *err);

#endif
