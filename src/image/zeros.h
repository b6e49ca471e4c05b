/* SPDX-License-Identifier: Apache-2.0 */
/* Telling data from zeros, as fast as memory is read. */
#ifndef TART_IMAGE_ZEROS_H
#define TART_IMAGE_ZEROS_H

#include <stdbool.h>
#include <string.h>

#include "base/span.h"

/* Whether there is nothing but zeros; true for no bytes at all. A byte that equals the one 64 before it, back to 64
 * that are zero: memcmp() does the rest, with the widest registers there are. */
static inline bool is_zeros(struct span bytes)
{
	static const char zeros[64];
	size_t head = bytes.len < sizeof(zeros) ? bytes.len : sizeof(zeros);

	if (bytes.len == 0)
		return true;
	return memcmp(bytes.ptr, zeros, head) == 0 &&
	       memcmp(bytes.ptr, bytes.ptr + head, bytes.len - head) == 0;
}

#endif
