/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the cache (cache.c, cache_*.c) share, and nobody else uses. cache_open_*() return a descriptor, or -1
 * with errno. */
#ifndef TART_STORAGE_CACHE_PATHS_H
#define TART_STORAGE_CACHE_PATHS_H

#include "storage/cache.h"

int cache_open_root(const struct home *home);

/* Not through a link. */
int cache_open_subdir(int dir_fd, const char *name);

/* What a path's reference leads to: a tag's link, a digest's directory, or the link of an index digest. */
int cache_open_reference(int parent_fd, const struct remote_name *name);
int cache_open_named(const struct home *home, const struct remote_name *name);

/* The directory in which the reference of this path lies. */
int cache_open_parent(const struct home *home, const struct name_path *path);

/*
 * The same with the collisions of image-format.md 4.1 as errors that name them. cache_find_parent(): *ret_fd = -1 when it
 * is not there. cache_make_parent(): *ret_made, set on failure too, is how many namespace components it made, which
 * cache_unmake_parent() takes back if they are still empty.
 */
bool cache_find_parent(const struct home *home, const struct remote_name *name, int *ret_fd,
		       struct err *err);
bool cache_make_parent(const struct home *home, const struct remote_name *name, int *ret_fd,
		       size_t *ret_made, struct err *err);
void cache_unmake_parent(const struct home *home, const struct remote_name *name, size_t n_made);

/* Whether the name's reference may be put into this directory, replacing what is there. */
bool cache_check_reference(int parent_fd, const struct remote_name *name, struct err *err);

/* The walk of one host; with `remove_empty`, directories left empty are removed on the way back. */
bool cache_walk_host(int host_fd, const char *host, cache_visitor *visit, void *ctx,
		     bool remove_empty, struct err *err);

/* Takes the lock of a host by its directory: waits, after telling. It ends with the descriptor. */
bool cache_lock_dir(int host_fd, const struct wait_notice *notice, struct err *err);

/* Removes a bundle: *ret = false when somebody is using it. Absence is no error. */
bool cache_remove_unused(const struct home *home, int dir_fd, const char *entry, bool *ret,
			 struct err *err);

bool cache_is_link(int dir_fd, const char *name);

#endif
