/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be done for the disk of an image: where its layers go, which of them are nothing but zeros, which hold the
 * same data. Private to pull. Nothing here reads a file or asks a registry.
 *
 * Layers with the same data (digest and length of what they decode to) are one *content*: it is brought once and copied
 * to the other places.
 */
#ifndef TART_REGISTRY_PULL_PLAN_H
#define TART_REGISTRY_PULL_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "registry/journal.h"
#include "registry/manifest.h"

/* Finding out what zeros hash to costs as much as hashing them: not for lengths beyond what any writer makes, nor for
 * more lengths than a whole image and its last layer can have, with some to spare. The others are fetched. */
#define PLAN_ZEROS_BYTES_MAX   ((uint64_t)1 << 30)
#define PLAN_ZEROS_LENGTHS_MAX 8

/* Zeros encode to less than a hundredth: what travels as more than that is data. */
#define PLAN_ZEROS_RATIO 100

#define PLAN_NONE SIZE_MAX

struct plan_layer {
	const struct descriptor *descriptor; /* borrowed from the manifest */
	uint64_t offset;                     /* on the disk */
	size_t number;                       /* among the disk layers, from 1: for people */
	bool is_zeros;
	bool is_there;    /* its place on the disk holds its data */
	size_t next_same; /* the next layer of this content, or PLAN_NONE */
};

struct pull_plan {
	VEC(struct plan_layer) layers;
	VEC(size_t) contents;  /* the first layer of each content but zeros, by offset */
	VEC(size_t) by_digest; /* indexes of `contents`, by digest and length */
	uint64_t disk_bytes;
	uint64_t blob_bytes; /* of all disk layers, as they travel */
};

/* Of a Tart image. Fails on cancellation only. */
bool pull_plan_make(const struct manifest *manifest, struct pull_plan *ret, struct err *err);
void pull_plan_done(struct pull_plan *plan); /* fits CLEANUP() */

static inline struct plan_layer *pull_plan_content(const struct pull_plan *plan, size_t content)
{
	return &plan->layers.v[plan->contents.v[content]];
}

/* The next layer of the same content, NULL after the last. */
static inline struct plan_layer *pull_plan_next(const struct pull_plan *plan,
						const struct plan_layer *layer)
{
	return layer->next_same == PLAN_NONE ? NULL : &plan->layers.v[layer->next_same];
}

/* The content with this data, or PLAN_NONE. */
size_t pull_plan_find(const struct pull_plan *plan, const char *hex, uint64_t data_bytes);

/* "sha256:" left out: as journals and records have it. */
static inline const char *descriptor_data_hex(const struct descriptor *descriptor)
{
	return descriptor->data_digest + sizeof(NAME_DIGEST_PREFIX) - 1;
}

/* Marks the layers of whose place the journal says that it holds their data. */
void pull_plan_trust(struct pull_plan *plan, const struct journal_text *journal);

/* Whether the journal knows, somewhere else on the disk, data of a content that is in none of its places yet. */
bool pull_plan_is_elsewhere(const struct pull_plan *plan, const struct journal_text *journal);

/* Takes back what pull_plan_trust() marked. */
void pull_plan_distrust(struct pull_plan *plan);

/* Entries for the layers that are there, appended. */
void pull_plan_add_entries(const struct pull_plan *plan, struct journal_text *out);
struct journal_entry pull_plan_entry(const struct plan_layer *layer);

/* Any layer of this content that is there; NULL when none is. */
struct plan_layer *pull_plan_there(const struct pull_plan *plan, size_t content);

#endif
