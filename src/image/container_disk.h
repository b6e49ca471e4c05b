/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one disk in the file tree of a container image: image-format.md 11 (KubeVirt's containerDisk).
 *
 * The layers are tars, applied in order: a later file takes the place of an earlier one, whiteouts (".wh.NAME",
 * ".wh..wh..opq") remove what earlier layers have brought. Nothing is ever written by a name of the tar's: regular files
 * directly in disk/ become candidates, files of our own naming in one directory, and the one that is left in the end is
 * the disk. The bytes are not trusted.
 */
#ifndef TART_IMAGE_CONTAINER_DISK_H
#define TART_IMAGE_CONTAINER_DISK_H

#include <stdbool.h>

#include "base/err.h"
#include "image/bytes.h"

#define CONTAINER_DISK_ENTRIES_MAX 256 /* in disk/, at a time */

struct container_disk;

/* Candidates are made in dirfd (borrowed), as files CANDIDATE-N, which must not exist. */
struct container_disk *container_disk_new(int dirfd);

/* Removes the candidates that are still there. */
void container_disk_free(struct container_disk *disk);
static inline void container_disk_cleanup(struct container_disk **slot)
{
	container_disk_free(*slot);
}

/* Applies the next layer; reads its tar to the last byte. */
bool container_disk_add_layer(struct container_disk *disk, struct byte_source tar, struct err *err);

/* The only entry of disk/, raw or qcow2, becomes disk.img: sparse, raw, a multiple of 512 bytes, synced. Errors when there
 * is none ("an ordinary container image, not a VM") or several, or it is no regular file. */
bool container_disk_finish(struct container_disk *disk, struct err *err);

#endif
