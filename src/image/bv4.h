/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's LZ4 framing, in which disk layers travel: image-format.md 6.
 *
 * A stream is a sequence of blocks, each compressed or stored, and an end mark. Compressed blocks may refer to the last
 * 64 KiB of output before them. Our encoder cuts the data every BV4_PIECE_BYTES; the first block of each piece refers to
 * nothing before it, so that decoding can begin there: docs/FORMAT.image.md.
 */
#ifndef TART_IMAGE_BV4_H
#define TART_IMAGE_BV4_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"
#include "image/bytes.h"

#define BV4_BLOCK_BYTES     ((size_t)65536)    /* of data, in what we write */
#define BV4_PIECE_BYTES     ((size_t)1 << 20)  /* of data from one independent block to the next */
#define BV4_BLOCK_MAX       ((uint32_t)64 << 20) /* of data or of encoded bytes, in what we read */
#define BV4_END             "bv4$"
#define BV4_PIECE_BOUND     ((size_t)(BV4_PIECE_BYTES + BV4_PIECE_BYTES / BV4_BLOCK_BYTES * 12)) /* encoded, at most */

/* A decoder for a stream that was announced to hold exactly data_bytes. What it decodes goes to `sink`, whose errors it
 * passes on. Holds one encoded and one decoded block, allocated for what has arrived. */
struct bv4_decoder;
struct bv4_decoder *bv4_decoder_new(uint64_t data_bytes, struct byte_sink sink);
void bv4_decoder_free(struct bv4_decoder *decoder);
static inline void bv4_decoder_cleanup(struct bv4_decoder **slot)
{
	bv4_decoder_free(*slot);
}

/* Takes the next bytes of the stream, any number of them. An error is final. */
bool bv4_decoder_add(struct bv4_decoder *decoder, struct span bytes, struct err *err);

/* No more bytes will come: the end mark was there, and all of the data. */
bool bv4_decoder_finish(struct bv4_decoder *decoder, struct err *err);

/* Back to the start of the stream, for a download that begins again. */
void bv4_decoder_reset(struct bv4_decoder *decoder);

/* The output depends on nothing but the data. */
struct bv4_encoder;
struct bv4_encoder *bv4_encoder_new(void);
void bv4_encoder_free(struct bv4_encoder *encoder);
static inline void bv4_encoder_cleanup(struct bv4_encoder **slot)
{
	bv4_encoder_free(*slot);
}

/* Encodes one piece of at most BV4_PIECE_BYTES. *ret is valid until the next call. The end mark is the caller's. */
void bv4_encode_piece(struct bv4_encoder *encoder, struct span piece, struct span *ret);

/* The same for a piece of zeros of this length, at the cost of a copy. */
void bv4_encode_zeros(struct bv4_encoder *encoder, size_t len, struct span *ret);

#endif
