/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a disk is cut into layers, and what is known of each without reading it. Private to push.
 *
 * All layers of a disk have the length that follows from its size (layer_bytes_for()), but the last. What is known comes
 * from the record beside the disk, as far as that is still true, or from there being nothing but a hole.
 */
#ifndef TART_REGISTRY_PUSH_PLAN_H
#define TART_REGISTRY_PUSH_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "image/extent.h"
#include "image/layer_index.h"
#include "image/layers.h"

enum push_state {
	PUSH_READ, /* nothing is known: it has to be read and encoded */
	PUSH_GUESS, /* item and pieces are what it once was: if the pieces still are the same, so is the rest */
	PUSH_KNOWN, /* item and pieces are right */
};

struct push_layer {
	enum push_state state;
	bool is_remembered; /* known from the record, not from bytes: see push_plan_forget() */
	uint64_t start;
	struct disk_layer item; /* data_bytes and is_overlaid at least */
	struct layer_pieces pieces;
};

struct push_plan {
	uint64_t disk_bytes;
	VEC(struct push_layer) layers;
	VEC(char *) origins; /* what bits in item.origins mean; owned */
};

/* `record` with this age (LAYERS_NONE: it is not looked at) is taken apart and left empty. */
bool push_plan_make(struct extent_map *map, struct disk_layers *record, enum layers_age age,
		    struct push_plan *ret, struct err *err);
void push_plan_done(struct push_plan *plan); /* fits CLEANUP() */

/* The record was wrong about a layer: whatever else came from it is a guess from now on. */
void push_plan_forget(struct push_plan *plan);

/* The bit that stands for "HOST/REPOSITORY" in item.origins. The oldest origin makes room when there are too many. */
uint32_t push_plan_origin(struct push_plan *plan, const char *origin);

/* What is known now, for disk_layers_store(); moves it out of the plan, which may only be freed afterwards. False when
 * that is less than the record that the plan was made from had to say. */
bool push_plan_take_record(struct push_plan *plan, struct disk_layers *ret);

/* The index of all layers, which are known. Its layers are lent by the plan: only `layers` itself is to be freed. */
void push_plan_index(const struct push_plan *plan, struct layer_index *ret);

#endif
