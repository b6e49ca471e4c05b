/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a disk, and matching the pieces with its record. */
#include "registry/push_plan.h"

#include <string.h>

#include "base/mem.h"
#include "image/bv4.h"
#include "registry/push_layer.h"

/* A layer of zeros, as it would be encoded. There are at most two: of full length, and the last. */
struct zero_layer {
	struct disk_layer item; /* data_bytes 0: not made yet */
	struct layer_pieces pieces;
};

static void zero_layer_done(struct zero_layer *zero)
{
	layer_pieces_done(&zero->pieces);
}

struct maker {
	struct extent_map *map;
	struct disk_layers *record;
	enum layers_age age;
	size_t next_item;    /* of the record */
	uint64_t next_start; /* where that one begins */
	struct zero_layer zero;
};

/* The record's layer with just this place, if it has one: *ret_index = items.n when not. */
static void find_item(struct maker *maker, uint64_t start, uint64_t data_bytes, size_t *ret_index)
{
	const struct disk_layers *record = maker->record;

	*ret_index = record->items.n;
	while (maker->next_item < record->items.n && maker->next_start < start)
		maker->next_start += record->items.v[maker->next_item++].data_bytes;
	if (maker->next_item < record->items.n && maker->next_start == start &&
	    record->items.v[maker->next_item].data_bytes == data_bytes)
		*ret_index = maker->next_item;
}

/* Whether what the record says of a layer is of any use: without its pieces it has to be read all the same. */
static bool is_usable(const struct disk_layers *record, size_t i)
{
	const struct disk_layer *item = &record->items.v[i];

	return item->blob_bytes > BV4_END_BYTES && i < record->index.layers.n &&
	       layer_pieces_are_known(&record->index.layers.v[i]) &&
	       layer_pieces_fit(&record->index.layers.v[i], item->data_bytes, item->blob_bytes);
}

static bool is_true(enum layers_age age, const struct disk_layer *item, bool is_overlaid)
{
	switch (age) {
	case LAYERS_TRUE:
		return true;
	case LAYERS_OF_BASE:
		return !item->is_overlaid && !is_overlaid;
	case LAYERS_NONE:
	case LAYERS_STALE:
		break;
	}
	return false;
}

/* What the record says of this stretch, as knowledge or as a guess. */
static void recall(struct maker *maker, struct push_layer *layer)
{
	struct disk_layers *record = maker->record;
	bool is_overlaid = layer->item.is_overlaid;
	size_t i;

	if (maker->age == LAYERS_NONE)
		return;
	find_item(maker, layer->start, layer->item.data_bytes, &i);
	if (i == record->items.n || !is_usable(record, i))
		return;
	layer->is_remembered = is_true(maker->age, &record->items.v[i], is_overlaid);
	layer->state = layer->is_remembered ? PUSH_KNOWN : PUSH_GUESS;
	layer->item = record->items.v[i];
	layer->item.is_overlaid = is_overlaid;
	layer->pieces = record->index.layers.v[i];
	record->index.layers.v[i] = (struct layer_pieces){ 0 };
}

static void copy_pieces(const struct layer_pieces *from, struct layer_pieces *to)
{
	*to = *from;
	to->runs = (struct str){ 0 };
	str_add_span(&to->runs, str_span(&from->runs));
}

static bool know_hole(struct maker *maker, struct push_layer *layer, struct err *err)
{
	const bool is_overlaid = layer->item.is_overlaid;

	if (maker->zero.item.data_bytes != layer->item.data_bytes) {
		zero_layer_done(&maker->zero);
		maker->zero = (struct zero_layer){ .item.data_bytes = layer->item.data_bytes };
		if (!push_zeros_encode(layer->item.data_bytes, &maker->zero.item,
				       &maker->zero.pieces, err))
			return false;
	}
	layer_pieces_done(&layer->pieces);
	layer->state = PUSH_KNOWN;
	layer->item = maker->zero.item;
	layer->item.is_overlaid = is_overlaid;
	copy_pieces(&maker->zero.pieces, &layer->pieces);
	return true;
}

static bool is_hole(struct extent_map *map, uint64_t start, uint64_t end, bool *ret,
		    struct err *err)
{
	struct extent extent;

	if (!extent_map_next(map, start, &extent, err))
		return false;
	*ret = extent.len == 0 || extent.start >= end;
	return true;
}

static bool make_layer(struct maker *maker, uint64_t start, uint64_t data_bytes,
		       struct push_layer *ret, struct err *err)
{
	bool hole;

	*ret = (struct push_layer){ .start = start, .item.data_bytes = data_bytes };
	if (!extent_map_is_overlaid(maker->map, start, start + data_bytes, &ret->item.is_overlaid,
				    err))
		return false;
	recall(maker, ret);
	if (ret->state == PUSH_KNOWN)
		return true;
	return is_hole(maker->map, start, start + data_bytes, &hole, err) &&
	       (!hole || know_hole(maker, ret, err));
}

static bool make_layers(struct maker *maker, struct push_plan *plan, struct err *err)
{
	const uint64_t layer_bytes = layer_bytes_for(plan->disk_bytes);

	for (uint64_t start = 0; start < plan->disk_bytes; start += layer_bytes) {
		uint64_t rest = plan->disk_bytes - start;

		if (!make_layer(maker, start, rest < layer_bytes ? rest : layer_bytes,
				vec_push(&plan->layers), err))
			return false;
	}
	return true;
}

static void take_origins(struct disk_layers *record, struct push_plan *plan)
{
	vec_each(&record->origins, origin)
		*vec_push(&plan->origins) = TAKE_PTR(*origin);
	vec_done(&record->origins);
}

bool push_plan_make(struct extent_map *map, struct disk_layers *record, enum layers_age age,
		    struct push_plan *ret, struct err *err)
{
	struct maker maker = { .map = map, .record = record, .age = age };
	CLEANUP(push_plan_done) struct push_plan plan = { .disk_bytes = extent_map_size(map) };
	bool done = make_layers(&maker, &plan, err);

	zero_layer_done(&maker.zero);
	if (age != LAYERS_NONE) {
		take_origins(record, &plan);
		disk_layers_done(record);
		*record = (struct disk_layers){ 0 };
	}
	if (!done)
		return false;
	*ret = plan;
	plan = (struct push_plan){ 0 };
	return true;
}

void push_plan_done(struct push_plan *plan)
{
	vec_each(&plan->layers, layer)
		layer_pieces_done(&layer->pieces);
	vec_each(&plan->origins, origin)
		free(*origin);
	vec_done(&plan->layers);
	vec_done(&plan->origins);
}

void push_plan_forget(struct push_plan *plan)
{
	vec_each(&plan->layers, layer) {
		if (layer->state == PUSH_KNOWN && layer->is_remembered)
			layer->state = PUSH_GUESS;
		layer->is_remembered = false;
	}
}

static void drop_oldest_origin(struct push_plan *plan)
{
	free(plan->origins.v[0]);
	plan->origins.n--;
	memmove(plan->origins.v, plan->origins.v + 1, plan->origins.n * sizeof(*plan->origins.v));
	vec_each(&plan->layers, layer)
		layer->item.origins >>= 1;
}

uint32_t push_plan_origin(struct push_plan *plan, const char *origin)
{
	for (size_t i = 0; i < plan->origins.n; i++) {
		if (strcmp(plan->origins.v[i], origin) == 0)
			return (uint32_t)1 << i;
	}
	if (plan->origins.n == LAYERS_ORIGINS_MAX)
		drop_oldest_origin(plan);
	*vec_push(&plan->origins) = xstrdup(origin);
	return (uint32_t)1 << (plan->origins.n - 1);
}

/* A guess that was not followed up is lost when the record is replaced. */
static bool is_worth_storing(const struct push_plan *plan)
{
	size_t n_known = 0;
	size_t n_guessed = 0;

	vec_each(&plan->layers, layer) {
		n_known += layer->state == PUSH_KNOWN;
		n_guessed += layer->state == PUSH_GUESS;
	}
	return n_known > 0 && n_known >= n_guessed;
}

bool push_plan_take_record(struct push_plan *plan, struct disk_layers *ret)
{
	struct disk_layers record = { 0 };

	if (!is_worth_storing(plan))
		return false;
	vec_each(&plan->layers, layer) {
		const struct disk_layer nothing = { .data_bytes = layer->item.data_bytes };
		bool is_known = layer->state == PUSH_KNOWN;

		*vec_push(&record.items) = is_known ? layer->item : nothing;
		if (!is_known)
			layer_pieces_done(&layer->pieces);
		layer->pieces.data_bytes = layer->item.data_bytes;
		*vec_push(&record.index.layers) = layer->pieces;
		layer->pieces = (struct layer_pieces){ 0 };
	}
	vec_each(&plan->origins, origin)
		*vec_push(&record.origins) = TAKE_PTR(*origin);
	*ret = record;
	return true;
}

void push_plan_index(const struct push_plan *plan, struct layer_index *ret)
{
	*ret = (struct layer_index){ 0 };
	vec_each(&plan->layers, layer)
		*vec_push(&ret->layers) = layer->pieces;
}
