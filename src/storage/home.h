/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data directory ($TART_HOME, else ~/.tart): its descriptors, its global lock, its temporary entries.
 *
 *	ROOT/vms/NAME/          local VM bundles       (created on first use)
 *	ROOT/cache/OCIs/...     pulled images          (cache is created by home_open)
 *	ROOT/cache/IPSWs/         macOS restore images (.ipsw), only pruned
 *	ROOT/tmp/               work in progress       (created by home_open)
 *
 * Source: image-format.md 1 and 3; lock order in docs/FORMAT.storage.md.
 */
#ifndef TART_STORAGE_HOME_H
#define TART_STORAGE_HOME_H

#include "base/err.h"
#include "base/random.h"

struct home {
	char *path;  /* absolute, for messages and links */
	int root_fd; /* also carries the global lock */
	int cache_fd;
	int tmp_fd;
};

#define HOME_INIT { .root_fd = -1, .cache_fd = -1, .tmp_fd = -1 }

/* `tart_home` is the environment's TART_HOME (NULL or "" = unset), `user_home` its HOME or NULL (then the passwd
 * entry). Creates missing components one by one:
 * "TART_HOME is invalid: <component> does not exist, yet we can't create it: <reason>". */
bool home_open(const char *tart_home, const char *user_home, struct home *ret, struct err *err);
void home_done(struct home *home);

/* ROOT/vms, created when missing. */
bool home_open_vms(const struct home *home, int *ret_fd, struct err *err);

/* The global lock: protects the set of local VMs. Waits; ends early on cancellation. Released by home_unlock. */
bool home_lock(const struct home *home, struct err *err);
void home_unlock(const struct home *home);

/*
 * A temporary entry: a directory or file in tmp/ that this process holds an flock on, so that no collector
 * takes it away. temp_done() removes what is left of it; after temp_release() or a rename out of tmp/ nothing
 * is removed.
 */
struct temp {
	const struct home *home;
	int fd;						/* the entry itself; carries the lock */
	char name[sizeof("set-disk-") + RANDOM_UUID_SIZE + 8]; /* below tmp_fd */
};

#define TEMP_INIT { .fd = -1 }

/* `prefix` and `suffix` frame a fresh UUID: "" and "" for bundles, "set-disk-", "run-disk-", "" ".volume". */
bool temp_make_dir(const struct home *home, const char *prefix, const char *suffix, struct temp *ret, struct err *err);
bool temp_make_file(const struct home *home, const char *prefix, const char *suffix, struct temp *ret,
		    struct err *err);
void temp_release(struct temp *temp); /* keeps the entry, drops lock and descriptor */
void temp_done(struct temp *temp);    /* removes the entry; fits CLEANUP() */

/* Removes every entry of tmp/ that nobody holds. Problems with single entries do not stop it; the first is told. */
bool home_collect_tmp(const struct home *home, struct err *err);

#endif
