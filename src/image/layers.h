/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of which layers a disk is made: the record beside disk.img (LAYERS_FILE) that says what each stretch of it hashed to
 * when it was last pulled or pushed, and how the file looked then.
 *
 * It is a memory, never an authority: it saves reading and compressing what was read and compressed before. It holds as
 * long as disk.img is the file it describes (size and mtime, image/note.h). An overlay beside disk.img does not
 * invalidate it: what the overlay has in place of its base is what changed. Deleting it costs nothing but time.
 *
 * A stretch of which nothing is known (a push was interrupted) still stands in the record, with
 * blob_bytes 0. Of an overlaid stretch, in which an overlay had a part, the digests hold only as long as the overlay is
 * the same file too.
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
#include "image/layer_index.h"
#include "image/note.h"

#define LAYERS_FILE "disk.layers"
#define LAYERS_MAX  65536

/* Repositories that the record remembers. */
#define LAYERS_ORIGINS_MAX 16

#define LAYER_BYTES_MIN ((uint64_t)8 << 20)
#define LAYER_BYTES_MAX ((uint64_t)512 << 20)

struct disk_layer {
	uint64_t data_bytes; /* of the disk; a layer begins where the one before it ends */
	uint64_t blob_bytes; /* as it travels; 0 = not known, nor is anything that follows */
	char data_digest[DIGEST_HEX_SIZE];
	char blob_digest[DIGEST_HEX_SIZE];
	bool is_overlaid; /* not of disk.img alone */
	uint32_t origins; /* bit i: the blob was in the repository origins[i] */
};

struct disk_layers {
	struct base_id disk; /* disk.img as it was */
	bool has_overlay;
	struct base_id overlay; /* DISK_OVERLAY_FILE as it was */
	VEC(char *) origins;    /* "HOST/REPOSITORY", owned; where a blob may be mounted from */
	VEC(struct disk_layer) items;
	/* The pieces of all items in their order, with none for those that are not known; or no layers at all: of no item.
	 * Needed for pushing a layer without reading it, since its index travels too. */
	struct layer_index index;
};

void disk_layers_done(struct disk_layers *layers);

bool disk_layers_parse(struct span text, struct disk_layers *ret, struct err *err);
void disk_layers_print(const struct disk_layers *layers, struct str *out);

/* *ret_found = false when there is no record, it cannot be read, or disk.img is another file by now. */
bool disk_layers_read(int dirfd, struct disk_layers *ret, bool *ret_found, struct err *err);

/* How much of a record is still true. */
enum layers_age {
	LAYERS_NONE, /* there is no record that can be read */
	LAYERS_STALE, /* disk.img is another: all of it is a guess, which the digests of pieces prove or disprove */
	LAYERS_OF_BASE, /* true of what is not overlaid, neither then nor now */
	LAYERS_TRUE,    /* disk.img and the overlay, or having none, are the same */
};

/* The record whatever became of the disk since. */
bool disk_layers_recall(int dirfd, struct disk_layers *ret, enum layers_age *ret_age,
			struct err *err);

/*
 * Stores the record for disk.img and its overlay as they are now; sets layers->disk, has_overlay and overlay. Nobody may
 * write to them meanwhile.
 *
 * A change that follows within the granularity of a file's times could not be seen. So the record has to be younger than
 * both files, by the file system's own clock: this waits for its next tick, some milliseconds, at most LAYERS_WAIT_MS; a
 * file system with coarser times gets no record, which is no error. Readers do not believe a record that is not younger.
 */
#define LAYERS_WAIT_MS 100
bool disk_layers_store(int dirfd, struct disk_layers *layers, struct err *err);

/* Gives the copy that was just made of a disk (disk_clone()) what its record says that still is true, of the base too. A
 * source that may have been written to meanwhile is no problem: the record says whether it was. */
bool disk_layers_pass(int from_dirfd, int to_dirfd, struct err *err);

/*
 * To be called before a disk is opened for writing by a guest: what is written to (disk.img, or the overlay) looks
 * changed from now on, durably. Without that, a power cut could keep the data of a write in place and lose the new
 * time of the file, by which the record is judged. Nothing happens to a disk without a record.
 */
bool disk_layers_expect_writes(int dirfd, struct err *err);

/* The power of two at which our writer cuts a disk of this size: LAYER_BYTES_MIN to LAYER_BYTES_MAX, so that the
 * manifest stays below 1 MiB as long as possible. */
uint64_t layer_bytes_for(uint64_t disk_bytes);

/* Digest of `len` zeros, at the speed of SHA-256; a layer of nothing else need not be read, sent or fetched. Fails on
 * cancellation. */
bool zeros_digest(uint64_t len, char ret_hex[DIGEST_HEX_SIZE], struct err *err);

#endif
