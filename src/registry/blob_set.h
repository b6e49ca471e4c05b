/* SPDX-License-Identifier: Apache-2.0 */
/* A set of digests, each with a small number that the user of the set gives a meaning. Not for several threads. */
#ifndef TART_REGISTRY_BLOB_SET_H
#define TART_REGISTRY_BLOB_SET_H

#include <stddef.h>

#include "registry/manifest.h"

struct blob_entry {
	blob_digest digest;
	int state; /* 0 at first */
};

/* Starts as { 0 }. */
struct blob_set {
	struct blob_entry *slots; /* unused ones have an empty digest */
	size_t n_slots;           /* 0 or a power of two */
	size_t n;
};

/* Its entry, made when there is none. Valid until the next one is made. */
struct blob_entry *blob_set_get(struct blob_set *set, const blob_digest digest);
void blob_set_done(struct blob_set *set);

/* In no useful order; blob_set_next(set, NULL) is the first, NULL ends it. */
struct blob_entry *blob_set_next(const struct blob_set *set, const struct blob_entry *entry);

#endif
