/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps a running VM registered with a keeper. For the supervisor's loop; nothing here waits.
 *
 * Theory of operation. The guest's network does not need the keeper from moment to moment: rules and taps are the kernel's,
 * and survive it. But leases, changes of policy and the end of the VM do. The kernel tells when the connection to it ends;
 * then this, again and again with growing pauses,
 *
 *	connects	to another one; where there is none and it is ours to start one, starts a program that ends when
 *			there is one, and connects then
 *	registers	each NIC by its tap's name
 *	is done		when each has been answered; or gives up when the keeper says that a tap has gone
 *
 * QEMU's copy of the first connection is of no use any more: from then on the VM's life is the new connection's, or that of
 * its taps.
 */
#ifndef TART_MACHINE_NETWORK_WATCH_H
#define TART_MACHINE_NETWORK_WATCH_H

#include "base/loop.h"
#include "machine/run_network.h"

struct network_watch;

struct network_watch_limits {
	uint64_t pause_ms;     /* before the first attempt; doubled after each */
	uint64_t pause_max_ms; /* but not beyond */
	uint64_t answer_ms;    /* patience with a keeper that was connected to */
};

extern const struct network_watch_limits network_watch_default_limits;

/* `network`, `home` and `ui` are borrowed until network_watch_free(). Does nothing for QEMU's user network. */
bool network_watch_new(struct loop *loop, struct run_network *network, const struct home *home,
		       const struct run_ui *ui, const struct network_watch_limits *limits,
		       struct network_watch **ret, struct err *err);

void network_watch_free(struct network_watch *watch); /* accepts NULL */

#endif
