/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulled images in ROOT/cache/OCIs: walking, opening, resolving and deleting them, and their collector.
 *
 *	OCIs/HOST/NAMESPACE.../sha256:HEX/   a bundle
 *	OCIs/HOST/NAMESPACE.../TAG           symbolic link to one, absolute
 *	OCIs/HOST/NAMESPACE.../sha256:INDEX  the same, for the digest of an image index it was chosen from
 *
 * HOST has its ":" written as "%3A". No call follows a link on the way to an entry, so that nothing outside is
 * touched. What changes the entries of a host happens under the flock of its directory. Source: image-format.md 4.
 */
#ifndef TART_STORAGE_CACHE_H
#define TART_STORAGE_CACHE_H

#include <sys/types.h>

#include "storage/home.h"
#include "storage/name.h"

/* Told once before waiting for a lock that somebody else holds. */
struct wait_notice {
	void (*tell)(void *ctx);
	void *ctx;
};

/* One link or bundle, lent to the visitor of a walk. */
struct cache_item {
	const char *name; /* HOST/NAMESPACE:TAG or HOST/NAMESPACE@sha256:HEX */
	bool is_link;
	int bundle_fd; /* -1: a link that leads to no initialized bundle */
	int dir_fd;    /* where `entry` lies */
	const char *entry;
};

/* Return false to end the walk, with *err set. */
typedef bool cache_visitor(void *ctx, const struct cache_item *item, struct err *err);

/* Shows every entry to the visitor, in no useful order. Entries that vanish or cannot be read are left out. */
bool cache_walk(const struct home *home, cache_visitor *visit, void *ctx, struct err *err);

/* Opens a cached image and stamps its access time: *ret_fd = -1 when it is not there, ERR_VM_INCOMPLETE when files
 * of it are missing. */
bool cache_open(const struct home *home, const struct remote_name *name, int *ret_fd,
		struct err *err);

/* As cache_open, without stamping. */
bool cache_peek(const struct home *home, const struct remote_name *name, int *ret_fd,
		struct err *err);

/* The digest ("sha256:...") of the bundle that a name stands for; of what is not cached, that of the name. ERR_OCI when
 * it is a tag that is not cached. */
bool cache_resolve(const struct home *home, const struct remote_name *name, struct str *out,
		   struct err *err);

/* Deletes a link or a bundle, then collects. `text` is the name for messages: missing (2), running (1). */
bool cache_delete(const struct home *home, const struct remote_name *name, const char *text,
		  const struct wait_notice *notice, struct err *err);

/* Removes the bundle of a digest unless somebody is using it: *ret says whether it is gone. Links to it stay, dangling
 * until the next collection. For pruning. */
bool cache_remove(const struct home *home, const struct remote_name *name, bool *ret,
		  struct err *err);

/* Removes links that lead nowhere, bundles to which no link leads unless they were pulled by digest, and directories
 * that are empty then. Bundles in use stay. */
bool cache_collect(const struct home *home, const struct wait_notice *notice, struct err *err);

#endif
