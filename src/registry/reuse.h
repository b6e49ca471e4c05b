/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which data of an image to be pulled lies on this machine already: in cached images, whatever their name, and in what an
 * earlier pull left. Private to pull.
 *
 * A place is somebody's claim (a record beside the disk, a manifest, a journal): what is taken from there is hashed.
 */
#ifndef TART_REGISTRY_REUSE_H
#define TART_REGISTRY_REUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "registry/journal.h"
#include "registry/pull_plan.h"
#include "storage/home.h"

/* Each costs a descriptor. Of more, those found first are used, and the best. */
#define REUSE_IMAGES_MAX 64

struct reuse_place {
	int fd; /* borrowed from the struct reuse; -1 = nowhere */
	uint64_t offset;
};

struct reuse {
	VEC(struct reuse_place) places; /* one for each content of the plan */
	VEC(int) fds;                   /* owned */
	/* The image that has most, by the size of the blobs that need not be fetched. */
	char *best_name; /* HOST/NAMESPACE@DIGEST; NULL = none has any */
	int best_fd;     /* borrowed */
	uint64_t best_bytes;
};

#define REUSE_INIT             \
	{                      \
		.best_fd = -1, \
	}

/* Looks through the cache for contents of which no layer is there. Images that cannot be read are left out. */
bool reuse_find(const struct home *home, const struct pull_plan *plan, struct reuse *ret,
		struct err *err);

/* What the journal says of this file, from then on owned, comes before what images have. */
void reuse_adopt(struct reuse *reuse, const struct pull_plan *plan, int fd,
		 const struct journal_text *journal);

void reuse_done(struct reuse *reuse); /* fits CLEANUP() */

#endif
