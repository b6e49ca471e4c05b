/* SPDX-License-Identifier: Apache-2.0 */
/* Ways into cache/OCIs: for cache.c and cache_collect.c only. All return a descriptor or -1 with errno. */
#ifndef TART_STORAGE_CACHE_PATHS_H
#define TART_STORAGE_CACHE_PATHS_H

#include "storage/cache.h"

int cache_open_root(const struct home *home);

/* Not through a link. */
int cache_open_subdir(int dir_fd, const char *name);

/* The directory in which the reference of this path lies. */
int cache_open_parent(const struct home *home, const struct name_path *path);

/* The walk of one host; with `remove_empty`, directories left empty are removed on the way back. */
bool cache_walk_host(int host_fd, const char *host, cache_visitor *visit, void *ctx,
		     bool remove_empty, struct err *err);

#endif
