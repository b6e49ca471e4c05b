/* SPDX-License-Identifier: Apache-2.0 */
/* Walking the sequences of an LZ4 block (lz4_Block_format.md) without decoding it. */
#include "image/lz4_block.h"

#define LENGTH_MORE 15U /* in a token: more bytes of this length follow */

/* Adds the bytes that follow a length of LENGTH_MORE: each but the last is 255. */
static inline const unsigned char *skip_length(const unsigned char *at, const unsigned char *end,
					       size_t *length)
{
	unsigned char more = 255;

	while (more == 255 && at < end) {
		more = *at++;
		*length += more;
	}
	return at;
}

bool lz4_block_offsets_are_valid(struct span block)
{
	const unsigned char *at = (const unsigned char *)block.ptr;
	const unsigned char *end = at + block.len;

	while (at < end) {
		unsigned int token = *at++;
		size_t literals = token >> 4;
		size_t match = token & LENGTH_MORE;

		if (literals == LENGTH_MORE)
			at = skip_length(at, end, &literals);
		/* The last sequence ends with its literals. */
		if ((size_t)(end - at) < literals + 2)
			return true;
		at += literals;
		if ((at[0] | at[1]) == 0)
			return false;
		at += 2;
		if (match == LENGTH_MORE)
			at = skip_length(at, end, &match);
	}
	return true;
}
