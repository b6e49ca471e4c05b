/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second decoder of Apple's LZ4 framing, written from the format's description and for nothing but clarity: without
 * liblz4, with all of the data in memory. What it says of a stream, ours has to say too.
 */
#ifndef TART_TESTS_BV4_REFERENCE_H
#define TART_TESTS_BV4_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/vec.h"

struct reference_output {
	VEC(uint8_t) bytes;
};

/* The end of a block: its last 5 bytes are literals, its last match begins at least 12 before its end. */
#define REFERENCE_LAST_LITERALS 5
#define REFERENCE_LAST_MATCH    12

static inline uint32_t reference_u32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* A length of which the token holds the first four bits. */
static inline bool reference_length(const uint8_t *in, size_t len, size_t *at, unsigned int nibble,
				    size_t *ret)
{
	*ret = nibble;
	for (uint8_t more = 255; nibble == 15 && more == 255; *ret += more) {
		if (*at == len)
			return false;
		more = in[(*at)++];
	}
	return true;
}

/* One block that has to give `want` bytes; the whole output so far is its history. */
static inline bool reference_block(const uint8_t *in, size_t len, size_t want,
				   struct reference_output *out)
{
	size_t end = out->bytes.n + want;
	size_t at = 0;

	if (want == 0)
		return len == 1 && in[0] == 0;
	for (;;) {
		size_t n;
		size_t offset;
		unsigned int token;

		if (at == len)
			return false;
		token = in[at++];
		if (!reference_length(in, len, &at, token >> 4, &n) || n > len - at ||
		    n > end - out->bytes.n)
			return false;
		for (; n > 0; n--)
			*vec_push(&out->bytes) = in[at++];
		if (at == len)
			return out->bytes.n == end;
		if (end - out->bytes.n < REFERENCE_LAST_MATCH ||
		    len - at < 2 + 1 + REFERENCE_LAST_LITERALS)
			return false;
		offset = (size_t)in[at] | (size_t)in[at + 1] << 8;
		at += 2;
		if (!reference_length(in, len, &at, token & 15, &n))
			return false;
		n += 4;
		if (offset == 0 || offset > out->bytes.n ||
		    n + REFERENCE_LAST_LITERALS > end - out->bytes.n)
			return false;
		for (; n > 0; n--) {
			uint8_t byte = out->bytes.v[out->bytes.n - offset];

			*vec_push(&out->bytes) = byte;
		}
	}
}

/* One block of a stream, or its end. */
static inline bool reference_step(const uint8_t *in, size_t len, size_t *at, uint64_t announced,
				  bool *ret_end, struct reference_output *out)
{
	bool is_stored;
	uint32_t data;
	uint32_t encoded;

	if (len - *at < 4)
		return false;
	*ret_end = memcmp(in + *at, "bv4$", 4) == 0;
	if (*ret_end)
		return *at + 4 == len && out->bytes.n == announced;
	is_stored = memcmp(in + *at, "bv4-", 4) == 0;
	if (!is_stored && memcmp(in + *at, "bv41", 4) != 0)
		return false;
	if (len - *at < (is_stored ? 8 : 12))
		return false;
	data = reference_u32(in + *at + 4);
	encoded = is_stored ? data : reference_u32(in + *at + 8);
	*at += is_stored ? 8 : 12;
	if (data > 64 << 20 || encoded > 64 << 20 || data > announced - out->bytes.n ||
	    encoded > len - *at)
		return false;
	if (!is_stored && !reference_block(in + *at, encoded, data, out))
		return false;
	for (uint32_t i = 0; is_stored && i < data; i++)
		*vec_push(&out->bytes) = in[*at + i];
	*at += encoded;
	return true;
}

/* Whether this is a stream of exactly `announced` bytes; *out is theirs. */
static inline bool reference_decode(const uint8_t *in, size_t len, uint64_t announced,
				    struct reference_output *out)
{
	bool is_end = false;

	for (size_t at = 0; !is_end;)
		if (!reference_step(in, len, &at, announced, &is_end, out))
			return false;
	return true;
}

#endif
