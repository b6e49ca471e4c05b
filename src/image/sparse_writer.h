/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a range of a file in sequence and leaves holes where there are only zeros: image-format.md 6.3.
 * Never touches a byte outside its range: neighbours may be written at the same time, even within one page.
 */
#ifndef TART_IMAGE_SPARSE_WRITER_H
#define TART_IMAGE_SPARSE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define SPARSE_PIECE_BYTES ((uint64_t)65536) /* aligned pieces of zeros of this size are left out */

struct sparse_writer {
	int fd; /* borrowed */
	uint64_t offset; /* of the next byte */
	uint64_t end;
	bool is_fresh; /* the range is known to hold zeros: they need not be written */
};

/* Data beyond the range is an error. */
bool sparse_write(struct sparse_writer *writer, struct span data, struct err *err);

/* Makes [offset, offset + len) read as zeros, by a hole where the file system has them. */
bool sparse_zero(int fd, uint64_t offset, uint64_t len, struct err *err);

#endif
