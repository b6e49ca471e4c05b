/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting images into the cache: image-format.md 4.1, 4.2.
 *
 * The path of a name is walked without following links. A namespace component that is a link, or a directory where the
 * link of a tag belongs, is another name's: an error, and nothing is changed.
 */
#ifndef TART_STORAGE_CACHE_STORE_H
#define TART_STORAGE_CACHE_STORE_H

#include "storage/cache.h"
#include "storage/temp.h"

/* The lock of a registry host: whoever puts images of it into the cache holds it. */
struct cache_lock {
	int fd;
};
#define CACHE_LOCK_INIT  \
	{                \
		.fd = -1 \
	}
/* Waits, after telling `notice` (may be NULL); ends early on cancellation. */
bool cache_lock_host(const struct home *home, const char *host, const struct wait_notice *notice,
		     struct cache_lock *ret, struct err *err);
void cache_unlock_host(struct cache_lock *lock); /* fits CLEANUP() */

/* Whether the bundle of this digest is there, complete. Does not stamp its access time. */
bool cache_has(const struct home *home, const struct remote_name *name, const char *digest,
	       bool *ret, struct err *err);

/* Whether nothing is left to do to have the name stand for this digest: its bundle is there, and the tag's link leads to
 * it, or it is marked. */
bool cache_is_linked(const struct home *home, const struct remote_name *name, const char *digest,
		     bool *ret, struct err *err);

/*
 * Moves a finished bundle, its files synced, to the digest's place; *temp is empty then. One that is there already, and
 * complete, stays, and *temp the caller's to remove. Works across file systems. Nothing is left of a failure but *temp.
 * The caller holds the host's lock.
 */
bool cache_install(const struct home *home, const struct remote_name *name, const char *digest,
		   struct temp *temp, struct err *err);

/* By tag: links it to the digest's bundle, replacing what it was. By digest: marks the bundle as explicitly pulled; if
 * the digest that was asked for is another (that of an index), links it like a tag instead. Stamps the access time. The
 * caller holds the host's lock and collects afterwards. */
bool cache_link(const struct home *home, const struct remote_name *name, const char *digest,
		struct err *err);

/* The collector (cache_collect) for one host, whose lock the caller holds. */
bool cache_collect_host(const struct home *home, const struct cache_lock *lock, const char *host,
			struct err *err);

/* The bundle that the tag stands for is the next to be pruned: access time 0. Nothing there is no error, and a digest
 * stands for the same always. */
bool cache_fade(const struct home *home, const struct remote_name *name, struct err *err);

/* The first problem, if the name's path collides with another name's: to be asked before gigabytes are fetched. */
bool cache_check_path(const struct home *home, const struct remote_name *name, struct err *err);

#endif
