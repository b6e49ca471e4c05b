/* SPDX-License-Identifier: Apache-2.0 */
/* What disk.c and clone.c share: opening the files of a disk and telling its layout. Private to
 * this folder. */
#ifndef TART_IMAGE_DISK_FILES_H
#define TART_IMAGE_DISK_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "image/disk.h"
#include "image/note.h"
#include "image/qcow2.h"

/* The files of one disk, open for reading. */
struct disk_files {
	enum disk_layout layout;
	int image_fd; /* disk.img */
	struct stat image;
	int overlay_fd; /* -1 unless there is an overlay that counts */
	struct stat overlay;
	bool is_replaced; /* there is an overlay, but disk_replace() has made it obsolete */
};

#define DISK_FILES_INIT                          \
	{                                        \
		.image_fd = -1, .overlay_fd = -1 \
	}

bool disk_files_open(int dirfd, struct disk_files *ret, struct err *err);
void disk_files_close(struct disk_files *files); /* fits CLEANUP() */

/* Refuses an overlay that we could not have made, or whose base is another one than its note
 * says. */
bool disk_files_check(int dirfd, const struct disk_files *files, struct err *err);

bool disk_files_are_asif(const struct disk_files *files, bool *ret, struct err *err);

/* Runs qemu-img in `dirfd`; a machine without it gets told what to install. */
bool disk_run_qemu_img(int dirfd, const char *const *argv, struct err *err);

#endif
