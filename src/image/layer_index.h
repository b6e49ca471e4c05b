/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index that travels beside our disk layers: where in each blob its pieces (image/bv4.h) begin, and what each piece
 * hashes to. With it, any stretch of the disk can be fetched by a Range of a blob, decoded and verified, before the rest
 * is there. docs/FORMAT.image.md describes the bytes and how a reader checks them.
 *
 * The index of a layer is kept as it is encoded: 36 bytes for a piece of data, 8 for a run of pieces of zeros.
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
#include "image/bv4.h"

#define LAYER_INDEX_MEDIA_TYPE "application/vnd.tart.disk-index.v1"
#define LAYER_INDEX_MAX        ((size_t)64 << 20) /* bytes, encoded: nearly 2 TB of data */
#define LAYER_INDEX_LAYERS_MAX 65536

/* Of one layer: looking one up reads what is before it. Our layers have at most 512. */
#define LAYER_INDEX_PIECES_MAX 4096

/* The pieces of one layer. Starts as { 0 }. */
struct layer_pieces {
	uint64_t data_bytes; /* of the layer */
	uint64_t blob_bytes; /* of all pieces, encoded: of the blob without BV4_END */
	struct str runs;
	size_t last_zeros; /* where in `runs` its last run begins, if that is one of zeros, plus 1; else 0 */
};

void layer_pieces_done(struct layer_pieces *pieces);

/* Appends a piece of at most BV4_PIECE_BYTES that encodes to blob_bytes; only the last of a layer may be shorter.
 * `digest` is SHA-256 of the data in hex, NULL for nothing but zeros: that depends on the content, never on holes. */
void layer_pieces_add(struct layer_pieces *pieces, size_t data_bytes, size_t blob_bytes,
		      const char *digest);

/* A layer of which no pieces are known (another writer's) has its length in an index and nothing else. */
bool layer_pieces_are_known(const struct layer_pieces *pieces);

/* Whether they describe a layer of this data and blob size: to be asked for each layer of the manifest before its pieces
 * are used. */
bool layer_pieces_fit(const struct layer_pieces *pieces, uint64_t data_bytes, uint64_t blob_bytes);

struct layer_piece {
	uint64_t data_start; /* in the layer */
	size_t data_bytes;
	uint64_t blob_start; /* in the blob: Range: bytes=START-(START+BYTES-1) */
	size_t blob_bytes;
	bool is_zeros;                /* need not be fetched */
	char digest[DIGEST_HEX_SIZE]; /* of the data; empty when is_zeros */
};

/* The piece that holds offset `at` of the layer's data; false when there is none. */
bool layer_pieces_find(const struct layer_pieces *pieces, uint64_t at, struct layer_piece *ret);

/* Decodes what a Range brought into ret_data (piece->data_bytes), and verifies it. ERR_CORRUPT; ret_data then holds
 * nothing of value. `encoded` is not looked at when is_zeros. */
bool layer_piece_decode(const struct layer_piece *piece, struct span encoded, char *ret_data,
			struct err *err);

struct layer_index {
	VEC(struct layer_pieces) layers; /* in the order of the manifest's disk layers */
};

void layer_index_done(struct layer_index *index);

/* The bytes' own integrity is that of their blob. What is accepted prints as the same bytes. */
bool layer_index_parse(struct span bytes, struct layer_index *ret, struct err *err);
void layer_index_print(const struct layer_index *index, struct str *out);

#endif
