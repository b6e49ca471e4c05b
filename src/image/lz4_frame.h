/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard LZ4 frames (lz4_Frame_format.md, version 1.6.x), in which the disks of Vetu images travel: image-format.md 10.
 * By liblz4; exactly one frame, with any flags but a dictionary. Skippable and legacy frames are none.
 */
#ifndef TART_IMAGE_LZ4_FRAME_H
#define TART_IMAGE_LZ4_FRAME_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "image/bytes.h"

/* A decoder for a frame that was announced to hold exactly data_bytes; nothing at all is a frame of no data. What it
 * decodes goes to `sink`, whose errors are passed on. ERR_CORRUPT for everything that is wrong with the frame. Holds two
 * of the frame's blocks, which are 4 MiB at most, and 64 KiB. */
struct lz4_frame_decoder;
struct lz4_frame_decoder *lz4_frame_decoder_new(uint64_t data_bytes, struct byte_sink sink);
void lz4_frame_decoder_free(struct lz4_frame_decoder *decoder);
static inline void lz4_frame_decoder_cleanup(struct lz4_frame_decoder **slot)
{
	lz4_frame_decoder_free(*slot);
}

/* Takes the next bytes, any number of them. After an error only reset and free are allowed. */
bool lz4_frame_decoder_add(struct lz4_frame_decoder *decoder, struct span bytes, struct err *err);

/* No more bytes will come: an error unless the frame was complete. */
bool lz4_frame_decoder_finish(struct lz4_frame_decoder *decoder, struct err *err);

/* Back to the start of the frame, for a download that begins again. */
void lz4_frame_decoder_reset(struct lz4_frame_decoder *decoder);

#endif
