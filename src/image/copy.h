/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of large files that stay sparse: FICLONE where asked for and possible, else only the data
 * between holes (SEEK_DATA, SEEK_HOLE), moved by copy_file_range with read and write behind it.
 *
 * The copy has the size the source had at the start: what is appended meanwhile is not copied, a
 * source that gets shorter is an error. Cancellation (base/cancel.h) is noticed every few MiB.
 * Nothing is synced.
 */
#ifndef TART_IMAGE_COPY_H
#define TART_IMAGE_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "image/extent.h"
#include "image/progress.h"

/* Makes dst_fd (empty, open for writing) share all blocks of src_fd. *ret_errno = 0 when it
 * does, else why the file system cannot (EOPNOTSUPP, EXDEV, EINVAL …): not an error. */
bool copy_reflink(int src_fd, int dst_fd, int *ret_errno, struct err *err);

/* Copies the data of src_fd into dst_fd (empty, open for writing), holes as holes. */
bool copy_sparse(int src_fd, int dst_fd, const struct progress_sink *progress, struct err *err);

/* Copies the data of a map into dst_fd (empty, open for writing), zeros as holes. */
bool copy_extents(struct extent_map *map, int dst_fd, const struct progress_sink *progress,
		  struct err *err);

/* Copies one run of bytes, holes in it as zeros. What the source lacks of it is an error. */
bool copy_range(int src_fd, uint64_t src_offset, int dst_fd, uint64_t dst_offset, uint64_t len,
		struct err *err);

/* Creates dst_name (it must not exist; removed on failure) as a copy of src_name: reflink, else
 * sparse copy. fsyncs it. */
bool copy_file(int src_dirfd, const char *src_name, int dst_dirfd, const char *dst_name,
	       mode_t mode, const struct progress_sink *progress, struct err *err);

/* Whether files in this directory can share blocks; tried with two files that have no name. */
bool copy_can_reflink(int dirfd, bool *ret, struct err *err);

#endif
