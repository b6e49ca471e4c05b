/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing one layer to its place on the disk: from the registry, from another file, or finding that it is there.
 * Private to pull.
 *
 * Whatever fails leaves zeros in the place, and nothing outside it is ever written: neighbours are written at the same
 * time. What has returned true has been hashed on its way into the file, or in it.
 */
#ifndef TART_REGISTRY_PULL_LAYER_H
#define TART_REGISTRY_PULL_LAYER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "registry/blob.h"
#include "registry/manifest.h"

/* Bytes of blobs, for progress: counted by many threads. */
struct pull_meter {
	_Atomic uint64_t done_bytes;
	uint64_t total_bytes;
};

struct layer_place {
	int fd; /* borrowed; open for reading and writing */
	uint64_t offset;
	uint64_t data_bytes;
	const char *hex; /* what its data has to hash to */
	/* It holds zeros. Otherwise what it holds may be right in large part: it stays where it is. */
	bool is_fresh;
};

/* Whether some of the place is no hole, so that looking at it may be worthwhile. */
bool layer_has_data(const struct layer_place *place, bool *ret, struct err *err);

/* Whether the place holds its data already. Changes nothing. */
bool layer_check(const struct layer_place *place, bool *ret_same, struct err *err);

/* Makes the place read as zeros, whatever it holds. */
bool layer_clear(const struct layer_place *place, struct err *err);

/*
 * Brings it from another place of this or another file: shares the blocks where the file system can, else copies what is
 * no hole. *ret_same = false, and zeros in the place, when it is other data or cannot be read.
 */
bool layer_copy(int src_fd, uint64_t src_offset, const struct layer_place *place, bool *ret_same,
		struct err *err);

/* How the data of a layer travels. */
enum layer_codec {
	LAYER_BV4,       /* Apple's LZ4 framing: image/bv4.h */
	LAYER_LZ4_FRAME, /* image/lz4_frame.h */
	LAYER_CODEC_COUNT
};

/*
 * Fetches, decodes and verifies it. Memory: one read buffer, one encoded and one decoded block with the 64 KiB of history
 * before it, beside what blob_fetch() holds, whatever the layer's size.
 */
bool layer_fetch(struct registry *registry, const struct descriptor *descriptor,
		 enum layer_codec codec, const struct layer_place *place, struct pull_meter *meter,
		 struct err *err);

#endif
