/* SPDX-License-Identifier: Apache-2.0 */
/* Places, zeros and equals among the layers of a disk. */
#include "registry/pull_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "image/layers.h"

void pull_plan_done(struct pull_plan *plan)
{
	vec_done(&plan->layers);
	vec_done(&plan->contents);
	vec_done(&plan->by_digest);
}

/* Sums do not overflow: the manifest was checked for that. */
static void place_layers(const struct manifest *manifest, struct pull_plan *plan)
{
	vec_each(&manifest->layers, descriptor) {
		struct plan_layer *layer;

		if (descriptor->kind != LAYER_TART_DISK)
			continue;
		layer = vec_push(&plan->layers);
		layer->descriptor = descriptor;
		layer->offset = plan->disk_bytes;
		layer->number = plan->layers.n;
		layer->next_same = PLAN_NONE;
		plan->disk_bytes += descriptor->data_bytes;
		plan->blob_bytes += descriptor->size_bytes;
	}
}

struct zeros {
	uint64_t len;
	char hex[DIGEST_HEX_SIZE];
};

struct zeros_list {
	VEC(struct zeros) known;
};

/* What `len` zeros hash to; NULL when that would be one length too many. */
static bool find_zeros(struct zeros_list *list, uint64_t len, const char **ret, struct err *err)
{
	struct zeros *zeros;

	*ret = NULL;
	vec_each(&list->known, known) {
		if (known->len == len)
			*ret = known->hex;
	}
	if (*ret || list->known.n == PLAN_ZEROS_LENGTHS_MAX)
		return true;
	zeros = vec_push(&list->known);
	zeros->len = len;
	if (!zeros_digest(len, zeros->hex, err))
		return false;
	*ret = zeros->hex;
	return true;
}

static bool may_be_zeros(const struct descriptor *descriptor)
{
	return descriptor->data_bytes <= PLAN_ZEROS_BYTES_MAX &&
	       descriptor->size_bytes <= descriptor->data_bytes / PLAN_ZEROS_RATIO;
}

static bool mark_zeros(struct pull_plan *plan, struct err *err)
{
	struct zeros_list list = { 0 };
	bool ok = true;

	vec_each(&plan->layers, layer) {
		const char *hex = NULL;

		if (may_be_zeros(layer->descriptor))
			ok = find_zeros(&list, layer->descriptor->data_bytes, &hex, err);
		if (!ok)
			break;
		layer->is_zeros = hex && strcmp(hex, descriptor_data_hex(layer->descriptor)) == 0;
	}
	vec_done(&list.known);
	return ok;
}

static int compare_data(const char *hex_a, uint64_t bytes_a, const char *hex_b, uint64_t bytes_b)
{
	int order = strcmp(hex_a, hex_b);

	if (order != 0)
		return order;
	return bytes_a < bytes_b ? -1 : bytes_a > bytes_b;
}

static int compare_layers(const struct plan_layer *a, const struct plan_layer *b)
{
	return compare_data(descriptor_data_hex(a->descriptor), a->descriptor->data_bytes,
			    descriptor_data_hex(b->descriptor), b->descriptor->data_bytes);
}

/* By data; equals in the order of the disk. */
static int by_data(const void *a, const void *b)
{
	const struct plan_layer *const *left = a;
	const struct plan_layer *const *right = b;
	int order = compare_layers(*left, *right);

	if (order != 0)
		return order;
	return (*left)->number < (*right)->number ? -1 : (*left)->number > (*right)->number;
}

/* Chains equals, and tells the first of each chain by is_first[]. */
static void chain_equals(struct pull_plan *plan, bool *is_first)
{
	size_t n = 0;
	struct plan_layer **sorted = xcalloc(plan->layers.n + 1, sizeof(struct plan_layer *));

	vec_each(&plan->layers, layer) {
		if (!layer->is_zeros)
			sorted[n++] = layer;
	}
	qsort(sorted, n, sizeof(struct plan_layer *), by_data);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && compare_layers(sorted[i - 1], sorted[i]) == 0)
			sorted[i - 1]->next_same = sorted[i]->number - 1;
		else
			is_first[sorted[i]->number - 1] = true;
	}
	free(sorted);
}

static int by_content_data(const void *a, const void *b, void *ctx)
{
	const struct pull_plan *plan = ctx;
	const size_t *left = a;
	const size_t *right = b;

	return compare_layers(pull_plan_content(plan, *left), pull_plan_content(plan, *right));
}

static void list_contents(struct pull_plan *plan)
{
	bool *is_first = xcalloc(plan->layers.n + 1, sizeof(*is_first));

	chain_equals(plan, is_first);
	for (size_t i = 0; i < plan->layers.n; i++) {
		if (is_first[i])
			*vec_push(&plan->contents) = i;
	}
	free(is_first);
	for (size_t i = 0; i < plan->contents.n; i++)
		*vec_push(&plan->by_digest) = i;
	if (plan->by_digest.n > 1)
		qsort_r(plan->by_digest.v, plan->by_digest.n, sizeof(*plan->by_digest.v),
			by_content_data, plan);
}

bool pull_plan_make(const struct manifest *manifest, struct pull_plan *ret, struct err *err)
{
	CLEANUP(pull_plan_done) struct pull_plan plan = { .disk_bytes = 0 };

	place_layers(manifest, &plan);
	if (!mark_zeros(&plan, err))
		return false;
	list_contents(&plan);
	*ret = plan;
	plan = (struct pull_plan){ .disk_bytes = 0 };
	return true;
}

size_t pull_plan_find(const struct pull_plan *plan, const char *hex, uint64_t data_bytes)
{
	size_t low = 0;
	size_t high = plan->by_digest.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t content = plan->by_digest.v[middle];
		const struct descriptor *d = pull_plan_content(plan, content)->descriptor;
		int order = compare_data(hex, data_bytes, descriptor_data_hex(d), d->data_bytes);

		if (order == 0)
			return content;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return PLAN_NONE;
}

/* The layers of the content that an entry speaks of; NULL when there is none. */
static struct plan_layer *layers_of(const struct pull_plan *plan, const struct journal_entry *entry)
{
	size_t content = pull_plan_find(plan, entry->data_digest, entry->data_bytes);

	return content == PLAN_NONE ? NULL : pull_plan_content(plan, content);
}

void pull_plan_trust(struct pull_plan *plan, const struct journal_text *journal)
{
	vec_each(&journal->entries, entry) {
		struct plan_layer *layer = layers_of(plan, entry);

		for (; layer; layer = pull_plan_next(plan, layer))
			if (layer->offset == entry->offset)
				layer->is_there = true;
	}
}

void pull_plan_distrust(struct pull_plan *plan)
{
	vec_each(&plan->layers, layer)
		layer->is_there = false;
}

struct plan_layer *pull_plan_there(const struct pull_plan *plan, size_t content)
{
	struct plan_layer *layer = pull_plan_content(plan, content);

	while (layer && !layer->is_there)
		layer = pull_plan_next(plan, layer);
	return layer;
}

bool pull_plan_is_elsewhere(const struct pull_plan *plan, const struct journal_text *journal)
{
	vec_each(&journal->entries, entry) {
		size_t content = pull_plan_find(plan, entry->data_digest, entry->data_bytes);

		if (content != PLAN_NONE && !pull_plan_there(plan, content))
			return true;
	}
	return false;
}

struct journal_entry pull_plan_entry(const struct plan_layer *layer)
{
	struct journal_entry entry = {
		.offset = layer->offset,
		.data_bytes = layer->descriptor->data_bytes,
	};

	memcpy(entry.data_digest, descriptor_data_hex(layer->descriptor),
	       sizeof(entry.data_digest));
	return entry;
}

void pull_plan_add_entries(const struct pull_plan *plan, struct journal_text *out)
{
	vec_each(&plan->layers, layer) {
		if (layer->is_there)
			*vec_push(&out->entries) = pull_plan_entry(layer);
	}
}
