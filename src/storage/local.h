/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The local VMs in ROOT/vms: finding, listing, and the moves that make, replace, rename and remove them so that
 * a kill at any moment leaves whole VMs only.
 *
 * A name that could be none (name_local_problem) is one that does not exist.
 */
#ifndef TART_STORAGE_LOCAL_H
#define TART_STORAGE_LOCAL_H

#include "net/mac.h"
#include "storage/bundle.h"
#include "storage/dir.h"
#include "storage/home.h"
#include "storage/temp.h"

/* Opens an initialized VM by name and stamps its access time. Errors: missing (2) or incomplete (1). */
bool local_open(const struct home *home, const char *name, int *ret_fd, struct err *err);

/* As local_open, without stamping: for `list`, `stop`, completion. */
bool local_peek(const struct home *home, const char *name, int *ret_fd, struct err *err);

/* True when a complete VM has this name. */
bool local_exists(const struct home *home, const char *name);

/* Names of all initialized VMs, sorted; unreadable entries are left out. */
bool local_list(const struct home *home, struct name_list *ret, struct err *err);

/*
 * Moves a finished bundle of temp_make_bundle(), its files synced, to vms/NAME, replacing a VM of that name in one
 * exchange; a running one is "VM "x" is running". The caller holds the home lock. On success *temp holds what was
 * replaced, if anything, and temp_done() removes that.
 */
bool local_install(const struct home *home, struct temp *temp, const char *name, struct err *err);

/* Takes the home lock. The refusals of cli.md 2.15 are ERR_USAGE. */
bool local_rename(const struct home *home, const char *name, const char *new_name, struct err *err);

/* Takes the home lock. Only config.json must exist. A running VM is an error. */
bool local_delete(const struct home *home, const char *name, struct err *err);

enum mac_scope { MAC_OF_ANY, MAC_OF_RUNNING };

/* Whether any local VM but `except` (may be NULL) has this MAC. VMs that cannot be read are left out. Opens and
 * closes every config.json: not for the holder of a record lock. */
bool local_has_mac(const struct home *home, const struct mac *mac, const char *except,
		   enum mac_scope scope, bool *ret, struct err *err);

#endif
