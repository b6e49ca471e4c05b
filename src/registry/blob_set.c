/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing by the digest itself, which is as good a hash as there is. */
#include "registry/blob_set.h"

#include <string.h>

#include "base/mem.h"

#define N_SLOTS_MIN 64

/* The last 15 digits; foreign digests are chosen by whoever wrote the manifest, but a collision costs more to find than
 * it costs us. */
static size_t slot_of(const struct blob_set *set, const blob_digest digest)
{
	size_t hash = 0;

	for (size_t i = NAME_DIGEST_LEN - 15; i < NAME_DIGEST_LEN; i++) {
		char c = digest[i];

		hash = hash << 4 | (size_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return hash & (set->n_slots - 1);
}

/* Its slot, or the free one where it belongs. */
static struct blob_entry *find(const struct blob_set *set, const blob_digest digest)
{
	size_t i = slot_of(set, digest);

	while (set->slots[i].digest[0] && strcmp(set->slots[i].digest, digest) != 0)
		i = (i + 1) & (set->n_slots - 1);
	return &set->slots[i];
}

static void grow(struct blob_set *set)
{
	struct blob_set larger = { .n_slots = set->n_slots ? set->n_slots * 2 : N_SLOTS_MIN,
				   .n = set->n };

	larger.slots = xcalloc(larger.n_slots, sizeof(*larger.slots));
	for (struct blob_entry *entry = blob_set_next(set, NULL); entry;
	     entry = blob_set_next(set, entry))
		*find(&larger, entry->digest) = *entry;
	blob_set_done(set);
	*set = larger;
}

struct blob_entry *blob_set_get(struct blob_set *set, const blob_digest digest)
{
	struct blob_entry *entry;

	if (set->n * 2 >= set->n_slots)
		grow(set);
	entry = find(set, digest);
	if (!entry->digest[0]) {
		memcpy(entry->digest, digest, sizeof(entry->digest));
		set->n++;
	}
	return entry;
}

void blob_set_done(struct blob_set *set)
{
	free(set->slots);
	*set = (struct blob_set){ 0 };
}

struct blob_entry *blob_set_next(const struct blob_set *set, const struct blob_entry *entry)
{
	for (size_t i = entry ? (size_t)(entry - set->slots) + 1 : 0; i < set->n_slots; i++) {
		if (set->slots[i].digest[0])
			return &set->slots[i];
	}
	return NULL;
}
