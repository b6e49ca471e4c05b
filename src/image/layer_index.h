/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index that travels beside our disk layers: where in each blob its pieces (image/bv4.h) begin, and what each piece
 * hashes to. With it, any stretch of the disk can be fetched by a Range of a blob, decoded and verified, before the rest
 * is there. docs/FORMAT.image.md describes the bytes and how a reader checks them.
 */
#ifndef TART_IMAGE_LAYER_INDEX_H
#define TART_IMAGE_LAYER_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/span.h"
#include "base/str.h"
#include "base/vec.h"

#define LAYER_INDEX_MEDIA_TYPE "application/vnd.tart.disk-index.v1"
#define LAYER_INDEX_MAX        ((size_t)64 << 20) /* bytes, encoded */

struct layer_piece {
	uint32_t blob_bytes; /* encoded: a piece begins where the one before it ends */
	bool is_zero;
	uint8_t digest[32]; /* SHA-256 of the data; of no meaning when is_zero */
};

struct layer_pieces {
	uint64_t data_bytes; /* of the layer */
	VEC(struct layer_piece) items;
};

void layer_pieces_done(struct layer_pieces *pieces);

struct layer_index {
	VEC(struct layer_pieces) layers; /* in the order of the manifest's disk layers */
};

void layer_index_done(struct layer_index *index);
bool layer_index_parse(struct span bytes, struct layer_index *ret, struct err *err);
void layer_index_print(const struct layer_index *index, struct str *out);

/* Where the piece with data offset `offset` of a layer lies: bytes [*ret_start, *ret_start + *ret_len) of its blob. */
bool layer_pieces_find(const struct layer_pieces *pieces, uint64_t offset, size_t *ret_piece,
		       uint64_t *ret_start, uint64_t *ret_len);

#endif
