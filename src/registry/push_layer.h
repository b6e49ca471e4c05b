/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One layer of a disk: read, compared with what it once was, encoded. Private to push.
 *
 * What a thread needs for that, a worker, holds one piece of data, one encoded piece and a file without a name that the
 * encoded layer goes to.
 */
#ifndef TART_REGISTRY_PUSH_LAYER_H
#define TART_REGISTRY_PUSH_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/bv4.h"
#include "image/extent.h"
#include "image/layer_index.h"
#include "image/layers.h"
#include "storage/home.h"

struct push_worker {
	struct extent_map *map; /* of its own: they cannot be shared */
	struct bv4_encoder *encoder;
	char *piece; /* BV4_PIECE_BYTES */
	int blob_fd; /* the last layer that was encoded, from offset 0 */
};

#define PUSH_WORKER_INIT      \
	{                     \
		.blob_fd = -1 \
	}

/* The bundle's disk has been checked (disk_check()) and is not written meanwhile. */
bool push_worker_open(const struct home *home, int bundle_fd, struct push_worker *ret,
		      struct err *err);
void push_worker_done(struct push_worker *worker); /* fits CLEANUP() */

/* Told of bytes of the disk as they are dealt with; an error ends the work. May have no `step`. */
struct push_watch {
	bool (*step)(void *ctx, uint64_t data_bytes, struct err *err);
	void *ctx;
};

/* Whether the stretch from `start` on consists of these pieces. Ends at the first that is another. */
bool push_layer_compare(struct push_worker *worker, uint64_t start,
			const struct layer_pieces *pieces, bool *ret_same, struct err *err);

/* Encodes a stretch into worker->blob_fd. Of *ret_item all but is_overlaid and origins is set. */
bool push_layer_encode(struct push_worker *worker, uint64_t start, uint64_t data_bytes,
		       const struct push_watch *watch, struct disk_layer *ret_item,
		       struct layer_pieces *ret_pieces, struct err *err);

/* What that would say of nothing but zeros; no blob is made. */
bool push_zeros_encode(uint64_t data_bytes, struct disk_layer *ret_item,
		       struct layer_pieces *ret_pieces, struct err *err);

#endif
