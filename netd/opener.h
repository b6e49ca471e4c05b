/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens device nodes for the keeper: /dev/net/tun may be root's alone, and nodes of macvtap interfaces are. A process forked
 * before the keeper gives up its privileges that is root where it may be, without capabilities (but for making a macvtap's
 * node, where it was given that), and can open only what devices.h lists.
 */
#ifndef TART_NETD_OPENER_H
#define TART_NETD_OPENER_H

#include "base/loop.h"
#include "netd/devices.h"

struct opener;

/* Before any privilege is given up, and with few descriptors: the parent goes on with *ret. */
bool opener_fork(struct opener **ret, struct err *err);

/* Tells of its end; without it the keeper opens devices as itself. `why` ends with the call. Accepts NULL for `opener`. */
typedef void opener_ended_fn(void *ctx, const char *why);
bool opener_watch(struct opener *opener, struct loop *loop, opener_ended_fn *fn, void *ctx,
		  struct err *err);

/* Opening waits for nothing but the kernel, there as here, so this waits for the answer. NULL: by this process. */
bool opener_open(struct opener *opener, const struct device *device, int *ret_fd, struct err *err);

/* Ends it; waits for that, but not long. Accepts NULL. */
void opener_free(struct opener *opener);

#endif
