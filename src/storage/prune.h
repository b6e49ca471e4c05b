/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pruning: what could go, choosing by age or space, removing the chosen, and making room automatically.
 *
 * The choices are pure: they mark candidates. Source: image-format.md 4.4, cli.md 2.14.
 */
#ifndef TART_STORAGE_PRUNE_H
#define TART_STORAGE_PRUNE_H

#include <stdint.h>
#include <time.h>

#include "base/vec.h"
#include "storage/home.h"

enum prune_kind { PRUNE_VM, PRUNE_IMAGE, PRUNE_IPSW };

struct prune_candidate {
	char *name; /* VM, HOST/NAMESPACE@DIGEST or file below cache/IPSWs; owned */
	enum prune_kind kind;
	uint64_t allocated_bytes;
	struct timespec accessed;
	bool chosen; /* to be removed */
};

struct prune_list {
	VEC(struct prune_candidate) items; /* latest access first */
};

/* Images (not the links to them) and macOS restore images. */
bool prune_list_caches(const struct home *home, struct prune_list *ret, struct err *err);

/* Local VMs that are not running. */
bool prune_list_vms(const struct home *home, struct prune_list *ret, struct err *err);
void prune_list_done(struct prune_list *list);

/* Chooses what was not accessed after `when`. */
void prune_choose_older(struct prune_list *list, time_t when);

/* From the latest access on, what still fits into the budget stays and uses it up; chooses the rest. What is chosen
 * already counts as gone. */
void prune_choose_over_budget(struct prune_list *list, uint64_t budget_bytes);

/* Whether removing them all, but for `except` (may be NULL), would free at least `bytes`. */
bool prune_could_free(const struct prune_list *list, uint64_t bytes, const char *except);

/* Removes the chosen, oldest access first; what is in use, or gone by now, is left out. */
bool prune_remove_chosen(const struct home *home, const struct prune_list *list, struct err *err);

/*
 * Makes room for `need_bytes` on the cache's file system: if it is short of space, removes what pulls that have ended
 * left to be resumed; if it still is, and the caches would make up for it, those accessed longest ago until it no longer
 * is. `except` is never removed, what is in use neither.
 * Too little space is not an error.
 */
bool prune_reclaim(const struct home *home, uint64_t need_bytes, const char *except,
		   struct err *err);

#endif
