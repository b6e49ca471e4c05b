/* SPDX-License-Identifier: Apache-2.0 */
/* Disks that others have made: raw or qcow2, told apart by our own parser and never by probing. */
#ifndef TART_IMAGE_DISK_IMPORT_H
#define TART_IMAGE_DISK_IMPORT_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Makes disk.img (it must not exist) of `name` in the same directory, which goes away: a qcow2 image is converted by
 * qemu-img, after its header has shown that it refers to nothing outside itself; anything else is raw and gets the size
 * of the next multiple of 512. Synced.
 */
bool disk_import(int dirfd, const char *name, struct err *err);

#endif
