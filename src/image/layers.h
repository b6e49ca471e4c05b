/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of which layers a disk is made: the record beside disk.img (LAYERS_FILE) that says what each stretch of it hashed to
 * when it was last pulled or pushed, and how the file looked then.
 *
 * It is a memory, never an authority: it saves reading and compressing what was read and compressed before. It holds as
 * long as disk.img is the file it describes (size and mtime, image/note.h). An overlay beside disk.img does not
 * invalidate it: what the overlay has in place of its base is what changed. Deleting it costs nothing but time.
 */
#ifndef TART_IMAGE_LAYERS_H
#define TART_IMAGE_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/span.h"
#include "base/str.h"
#include "base/vec.h"
#include "image/note.h"

#define LAYERS_FILE "disk.layers"
#define LAYERS_MAX  65536

#define LAYER_BYTES_MIN ((uint64_t)8 << 20)
#define LAYER_BYTES_MAX ((uint64_t)512 << 20)

struct disk_layer {
	uint64_t data_bytes; /* of the disk; a layer begins where the one before it ends */
	uint64_t blob_bytes; /* as it travels */
	char data_digest[DIGEST_HEX_SIZE];
	char blob_digest[DIGEST_HEX_SIZE];
};

struct disk_layers {
	struct base_id disk; /* disk.img as it was */
	VEC(struct disk_layer) items;
};

void disk_layers_done(struct disk_layers *layers);

bool disk_layers_parse(struct span text, struct disk_layers *ret, struct err *err);
void disk_layers_print(const struct disk_layers *layers, struct str *out);

/* *ret_found = false when there is no record, it cannot be read, or disk.img is another file by now. */
bool disk_layers_read(int dirfd, struct disk_layers *ret, bool *ret_found, struct err *err);

/* Stores the record for disk.img as it is now. A disk.img changed within the last moment (the granularity of a file's
 * times) gets none, as the next change could not be seen. */
bool disk_layers_store(int dirfd, struct disk_layers *layers, struct err *err);

/* The power of two at which our writer cuts a disk of this size: LAYER_BYTES_MIN to LAYER_BYTES_MAX, so that the
 * manifest stays below 1 MiB as long as possible. */
uint64_t layer_bytes_for(uint64_t disk_bytes);

/* Digest of `len` zeros; a layer of nothing else need not be read, sent or fetched. */
bool zeros_digest(uint64_t len, char ret_hex[DIGEST_HEX_SIZE], struct err *err);

#endif
