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
#include "image/bytes.h"

#define BV4_BLOCK_BYTES ((size_t)65536)      /* of data, in what we write */
#define BV4_PIECE_BYTES ((size_t)1 << 20)    /* of data from one independent block to the next */
#define BV4_BLOCK_MAX   ((uint32_t)64 << 20) /* of data or of encoded bytes, in what we read */
#define BV4_HEADER_MAX  ((size_t)12)         /* of a block */
#define BV4_RATIO_MAX   ((uint64_t)255)      /* bytes of data for one encoded byte: LZ4's limit */
#define BV4_END         "bv4$"
#define BV4_END_BYTES   ((size_t)4)

/* Encoded size of a piece, at most. */
#define BV4_PIECE_BOUND (BV4_PIECE_BYTES + BV4_PIECE_BYTES / BV4_BLOCK_BYTES * BV4_HEADER_MAX)

/* A decoder for a stream that was announced to hold exactly data_bytes. What it decodes goes to `sink`, block by block;
 * the sink's errors are passed on. ERR_CORRUPT for everything that is wrong with the stream. Holds one encoded and one
 * decoded block and the 64 KiB before it, allocated for what has arrived. */
struct bv4_decoder;
struct bv4_decoder *bv4_decoder_new(uint64_t data_bytes, struct byte_sink sink);
void bv4_decoder_free(struct bv4_decoder *decoder);
static inline void bv4_decoder_cleanup(struct bv4_decoder **slot)
{
	bv4_decoder_free(*slot);
}

/* Takes the next bytes of the stream, any number of them. After an error only reset and free are allowed. */
bool bv4_decoder_add(struct bv4_decoder *decoder, struct span bytes, struct err *err);

/* No more bytes will come: an error unless the end mark was there. */
bool bv4_decoder_finish(struct bv4_decoder *decoder, struct err *err);

/* Back to the start of the stream, for a download that begins again. */
void bv4_decoder_reset(struct bv4_decoder *decoder);

/* The output depends on nothing but the data (and liblz4's version): not on what was encoded before. */
struct bv4_encoder;
struct bv4_encoder *bv4_encoder_new(void);
void bv4_encoder_free(struct bv4_encoder *encoder);
static inline void bv4_encoder_cleanup(struct bv4_encoder **slot)
{
	bv4_encoder_free(*slot);
}

/* Encodes one piece of at most BV4_PIECE_BYTES into at most BV4_PIECE_BOUND. *ret is valid until the next call. The end
 * mark is the caller's. */
void bv4_encode_piece(struct bv4_encoder *encoder, struct span piece, struct span *ret);

/* The same for a piece of zeros of this length; a full one is encoded once only. */
void bv4_encode_zeros(struct bv4_encoder *encoder, size_t len, struct span *ret);

#endif
