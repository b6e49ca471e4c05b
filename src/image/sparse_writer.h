/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a range of a file in sequence and leaves holes where there are only zeros: image-format.md 6.3.
 * Never touches a byte outside its range: neighbours may be written at the same time, even within one page.
 * What is a hole depends on the content only, not on how it was split into calls.
 */
#ifndef TART_IMAGE_SPARSE_WRITER_H
#define TART_IMAGE_SPARSE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define SPARSE_PIECE_BYTES ((uint64_t)65536) /* aligned pieces of zeros of this size are left out */

/* The file is at least `end` bytes long. Set the first four, leave the rest 0. */
struct sparse_writer {
	int fd;          /* borrowed */
	uint64_t offset; /* of the next byte */
	uint64_t end;
	bool is_fresh;       /* the range is known to hold zeros: they need not be written */
	uint64_t zeros;      /* taken, but not dealt with: the last bytes before `offset` */
	bool piece_has_data; /* some of the aligned piece that `offset` is in was written */
};

/* Takes the next bytes. The range is complete when the last of its bytes was taken; before, zeros at the end may be
 * missing. Data beyond the range is ERR_CORRUPT. */
bool sparse_write(struct sparse_writer *writer, struct span data, struct err *err);

/* Makes [offset, offset + len) read as zeros, by a hole where the file system has them. */
bool sparse_zero(int fd, uint64_t offset, uint64_t len, struct err *err);

#endif
