/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encoding Apple's LZ4 framing in pieces that do not depend on each other.
 *
 * The blocks of a piece are linked: each may refer to the data before it in the piece. The state of the compressor is
 * set up anew for each piece, all of it: what is left in its tables from other data would change its choices, and the
 * same disk has to give the same digests.
 */
#include "image/bv4.h"

#include <assert.h>
#include <lz4.h>
#include <stdlib.h>

#include "base/mem.h"

/* LZ4_compress_fast_continue() must never run out of room: its state would be unusable. */
#define OUT_BYTES (BV4_PIECE_BOUND + LZ4_COMPRESSBOUND(BV4_BLOCK_BYTES))

#define ACCELERATION 1

struct bv4_encoder {
	LZ4_stream_t lz4;
	char *out;
	size_t out_used;
	char *zeros; /* a whole piece of them, encoded; NULL before the first */
	size_t zeros_len;
};

struct bv4_encoder *bv4_encoder_new(void)
{
	struct bv4_encoder *encoder = xcalloc(1, sizeof(*encoder));

	encoder->out = xcalloc(1, OUT_BYTES);
	return encoder;
}

void bv4_encoder_free(struct bv4_encoder *encoder)
{
	if (!encoder)
		return;
	free(encoder->out);
	free(encoder->zeros);
	free(encoder);
}

static char *put_u32(char *at, size_t value)
{
	for (int i = 0; i < 4; i++)
		*at++ = (char)(value >> (8 * i));
	return at;
}

static void encode_block(struct bv4_encoder *encoder, const char *data, size_t len)
{
	char *header = encoder->out + encoder->out_used;
	char *payload = header + BV4_HEADER_MAX;
	size_t room = OUT_BYTES - encoder->out_used - BV4_HEADER_MAX;
	int n = LZ4_compress_fast_continue(&encoder->lz4, data, payload, (int)len, (int)room,
					   ACCELERATION);

	assert(n > 0);
	if ((size_t)n < len) {
		memcpy(header, "bv41", 4);
		(void)put_u32(put_u32(header + 4, len), (size_t)n);
		encoder->out_used += BV4_HEADER_MAX + (size_t)n;
	} else {
		memcpy(header, "bv4-", 4);
		memcpy(put_u32(header + 4, len), data, len);
		encoder->out_used += 8 + len;
	}
}

void bv4_encode_piece(struct bv4_encoder *encoder, struct span piece, struct span *ret)
{
	assert(piece.len <= BV4_PIECE_BYTES);
	(void)LZ4_initStream(&encoder->lz4, sizeof(encoder->lz4));
	encoder->out_used = 0;
	for (size_t at = 0; at < piece.len; at += BV4_BLOCK_BYTES) {
		size_t left = piece.len - at;

		encode_block(encoder, piece.ptr + at,
			     left < BV4_BLOCK_BYTES ? left : BV4_BLOCK_BYTES);
	}
	*ret = span_make(encoder->out, encoder->out_used);
}

void bv4_encode_zeros(struct bv4_encoder *encoder, size_t len, struct span *ret)
{
	CLEANUP_FREE char *data = NULL;

	assert(len <= BV4_PIECE_BYTES);
	if (len < BV4_PIECE_BYTES || !encoder->zeros) {
		data = xcalloc(1, len > 0 ? len : 1);
		bv4_encode_piece(encoder, span_make(data, len), ret);
		if (len < BV4_PIECE_BYTES)
			return;
		encoder->zeros = xcalloc(1, ret->len);
		memcpy(encoder->zeros, ret->ptr, ret->len);
		encoder->zeros_len = ret->len;
	}
	*ret = span_make(encoder->zeros, encoder->zeros_len);
}
