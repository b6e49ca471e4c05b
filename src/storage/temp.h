/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Temporary entries: work in progress that nobody sees, kept from the collector by an flock on the entry.
 *
 * They lie in ROOT/tmp. Where a bundle has to be renamed to vms or cache, and that is on another file system, they
 * lie in vms or cache itself under a name with TEMP_PREFIX, which is no VM's name; the collector looks there too.
 * Source: image-format.md 3.4.
 */
#ifndef TART_STORAGE_TEMP_H
#define TART_STORAGE_TEMP_H

#include <time.h>

#include "base/err.h"
#include "base/random.h"
#include "storage/home.h"

#define TEMP_PREFIX ".tmp-"

struct temp {
	int dir_fd; /* where it lies; owned */
	int fd;     /* the entry itself; carries the lock */
	char name[sizeof("set-disk-") + RANDOM_UUID_SIZE + 8];
};

#define TEMP_INIT                      \
	{                              \
		.dir_fd = -1, .fd = -1 \
	}

/* In ROOT/tmp; `prefix` and `suffix` frame a fresh UUID: "run-disk-" and "", "" and ".volume". */
bool temp_make_dir(const struct home *home, const char *prefix, const char *suffix,
		   struct temp *ret, struct err *err);
bool temp_make_file(const struct home *home, const char *prefix, const char *suffix,
		    struct temp *ret, struct err *err);

/* A directory (mode 0700) that can be renamed into ROOT/vms; the same for a file. */
bool temp_make_bundle(const struct home *home, struct temp *ret, struct err *err);
bool temp_make_vm_file(const struct home *home, const char *prefix, struct temp *ret,
		       struct err *err);

/* A directory (mode 0700) that can be renamed into ROOT/cache. */
bool temp_make_image(const struct home *home, struct temp *ret, struct err *err);

/*
 * The directory of a pull, whose name follows from `key` (the image's full name): made, or taken over with what an
 * earlier pull left in it. It can be renamed into ROOT/cache. Waits while another process holds it; ends early on
 * cancellation. The collector leaves it alone until TEMP_PULL_KEPT_S after its last change (of the directory or of any
 * file in it), so that a pull can be resumed after other commands.
 */
#define TEMP_PULL_PREFIX "pull-"
#define TEMP_PULL_KEPT_S ((time_t)24 * 60 * 60)
bool temp_open_pull(const struct home *home, const char *key, struct temp *ret, struct err *err);

void temp_release(struct temp *temp); /* keeps the entry, drops lock and descriptors */
void temp_done(struct temp *temp);    /* removes the entry; fits CLEANUP() */

/*
 * Deleting so that an entry vanishes at once, whole, and a kill leaves the rest to the collector: temp_hide() moves
 * `name` of `dir_fd` among the temporary entries, temp_remove() removes it there. `area_fd` is ROOT/vms or
 * ROOT/cache, whichever it is in. Absence is no error. The entry is not locked: a collector may help.
 */
bool temp_hide(const struct home *home, int area_fd, int dir_fd, const char *name, struct temp *ret,
	       struct err *err);
bool temp_remove(struct temp *temp, struct err *err);

/* Removes every temporary entry that nobody holds, but for pulls that may be resumed. Problems with single entries do
 * not stop it; the first is told. */
bool temp_collect(const struct home *home, struct err *err);

/* Those pulls, too, however young. */
bool temp_collect_pulls(const struct home *home, struct err *err);

#endif
