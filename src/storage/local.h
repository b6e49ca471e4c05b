/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local VMs in ROOT/vms: finding, listing, and the moves that make, replace, rename and remove them so that
 * a kill at any moment leaves whole VMs only.
 */
#ifndef TART_STORAGE_LOCAL_H
#define TART_STORAGE_LOCAL_H

#include "base/vec.h"
#include "net/mac.h"
#include "storage/bundle.h"
#include "storage/home.h"

struct name_list {
	VEC(char *) names; /* owned, byte order */
};
void name_list_done(struct name_list *list);

/* Opens an initialized VM by name and stamps its access time. Errors: missing (2) or incomplete (1). */
bool local_open(const struct home *home, const char *name, int *ret_fd, struct err *err);

/* As local_open, without stamping: for `list`, `stop`, completion. */
bool local_peek(const struct home *home, const char *name, int *ret_fd, struct err *err);

/* True when a complete VM has this name. */
bool local_exists(const struct home *home, const char *name);

/* Names of all initialized VMs, sorted; unreadable entries are left out. */
bool local_list(const struct home *home, struct name_list *ret, struct err *err);

/* Moves a finished temporary bundle to vms/NAME, replacing a VM of that name in one exchange; a running one is
 * "VM "x" is running". The caller holds the home lock. On success *temp holds what was replaced, if anything,
 * and temp_done() removes that. */
bool local_install(struct temp *temp, const char *name, struct err *err);

bool local_rename(const struct home *home, const char *name, const char *new_name, struct err *err);
bool local_delete(const struct home *home, const char *name, struct err *err);

/* Whether any local VM but `except` (may be NULL) has this MAC; with only_running, only running ones count. */
bool local_has_mac(const struct home *home, const struct mac *mac, const char *except, bool only_running, bool *ret,
		   struct err *err);

#endif
