/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are replaced as a whole, for the keeper: it is the only writer of its folders (keeper.lock), so the file
 * aside has one name, and what a keeper that was killed has left of it the next one overwrites. Not synced to the disk:
 * the loop must not wait for it, and what a power failure takes away is worth little without the VMs that it ended.
 */
#ifndef TART_NETD_ASIDE_H
#define TART_NETD_ASIDE_H

#include <sys/types.h>

#include "base/err.h"
#include "base/span.h"

#define ASIDE_PREFIX ".new."

bool aside_replace(int dirfd, const char *name, struct span content, mode_t mode, struct err *err);

#endif
