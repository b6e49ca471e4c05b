/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A repository that is being filled: which blobs it has, and getting the others there. Private to push.
 *
 * Threads work on it together. Whoever looks for a blob that is not known to be there gets it as a claim, to be ended by
 * sending or giving it up; others who look for the same blob wait for that. So no blob is asked for or sent twice.
 *
 * A manifest that the repository has is believed about its blobs (push_target_believe()): asking for each of thousands
 * would take longer than all the rest of a push that changes little. A registry checks when it is given the new
 * manifest, and if it refuses, push_target_doubt() goes back to asking.
 */
#ifndef TART_REGISTRY_PUSH_TARGET_H
#define TART_REGISTRY_PUSH_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "registry/blob.h"
#include "registry/manifest.h"
#include "registry/session.h"

struct push_target;

struct push_target_options {
	struct http *http; /* borrowed */
	const char *host;
	const char *repository;
	bool is_insecure;
	uint64_t chunk_bytes; /* 0 = blobs in one piece */
	struct notice notice;
};

/* The texts are borrowed. */
bool push_target_new(const struct push_target_options *options, struct push_target **ret,
		     struct err *err);
void push_target_free(struct push_target *target);
static inline void push_target_cleanup(struct push_target **slot)
{
	push_target_free(*slot);
}
#define CLEANUP_PUSH_TARGET CLEANUP(push_target_cleanup)

struct registry *push_target_registry(struct push_target *target);

/* All blobs of a manifest that the repository has. */
void push_target_believe(struct push_target *target, const struct manifest *manifest);

/* Forgets what was only believed; false when there was nothing. */
bool push_target_doubt(struct push_target *target);

/* Names of repositories of this host from which a blob may be mounted. */
struct push_mounts {
	const char *const *repositories;
	size_t n;
};

/* Looks for a blob, and mounts it if it can. When *ret_found is false the blob is the caller's to push_target_send() or
 * push_target_give_up(). */
bool push_target_find(struct push_target *target, const blob_digest digest,
		      const struct push_mounts *mounts, bool *ret_found, struct err *err);

/* Told of how much of it has been sent; may run backwards. May have no `sent`. */
struct push_sent {
	void (*sent)(void *ctx, uint64_t total_bytes);
	void *ctx;
};

/* Ends the claim, whatever comes of it. */
bool push_target_send(struct push_target *target, const blob_digest digest,
		      const struct http_body *content, const struct push_sent *sent,
		      struct err *err);
void push_target_give_up(struct push_target *target, const blob_digest digest);

/* Finds or sends. */
bool push_target_put(struct push_target *target, const blob_digest digest,
		     const struct http_body *content, struct err *err);

/* How many blobs have been sent, for tests. */
uint64_t push_target_n_sent(struct push_target *target);

#endif
