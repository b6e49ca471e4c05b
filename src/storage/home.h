/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data directory ($TART_HOME, else ~/.tart): its descriptors and its global lock.
 *
 *	ROOT/vms/NAME/          local VM bundles       (created on first use)
 *	ROOT/cache/OCIs/...     pulled images          (cache is created by home_open)
 *	ROOT/cache/IPSWs/           macOS restore images (NAME.ipsw), only pruned
 *	ROOT/tmp/               work in progress       (created by home_open)
 *
 * vms and cache may be symbolic links to directories on other file systems. Source: image-format.md 1 and 3;
 * lock order in docs/FORMAT.storage.md.
 */
#ifndef TART_STORAGE_HOME_H
#define TART_STORAGE_HOME_H

#include "base/err.h"
#include "trace/trace.h"

struct home {
	char *path;  /* absolute, for messages and links */
	int root_fd; /* also carries the global lock */
	int cache_fd;
	int tmp_fd;
	struct trace_span *span; /* within which work on it is recorded; borrowed, NULL = nowhere */
};

#define HOME_INIT                                           \
	{                                                   \
		.root_fd = -1, .cache_fd = -1, .tmp_fd = -1 \
	}

/* `tart_home` is the environment's TART_HOME (NULL or "" = unset), `user_home` its HOME or NULL (then the passwd
 * entry). Creates missing components one by one:
 * "TART_HOME is invalid: <component> does not exist, yet we can't create it: <reason>". */
bool home_open(const char *tart_home, const char *user_home, struct home *ret, struct err *err);
void home_done(struct home *home);

/* ROOT/vms, created when missing. */
bool home_open_vms(const struct home *home, int *ret_fd, struct err *err);

/* The global lock: protects the set of local VMs. Waits; ends early on cancellation. Released by home_unlock.
 * It does not nest. */
bool home_lock(const struct home *home, struct err *err);
void home_unlock(const struct home *home);

#endif
