/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's table of IPv4 neighbours, by netlink: which address belongs to a MAC address. Source: cli.md 3.5. Entries that
 * are unfinished, failed or made without ARP do not count; one that is confirmed right now, or permanent, is preferred, then
 * the one that was confirmed last.
 */
#ifndef TART_VMNET_NEIGHBOUR_TABLE_H
#define TART_VMNET_NEIGHBOUR_TABLE_H

#include "base/err.h"
#include "net/ipv4.h"
#include "net/mac.h"

struct neighbour {
	ipv4 address; /* 0 = none yet */
	bool certain; /* reachable or permanent */
	uint32_t age; /* since it was confirmed; in a unit of the kernel's, for comparing only */
};

/* The best entry for `mac` of this network namespace; *ret_address = 0 when there is none. */
bool neighbour_table_find(const struct mac *mac, ipv4 *ret_address, struct err *err);

enum neighbour_table_part { NEIGHBOUR_TABLE_MORE, NEIGHBOUR_TABLE_END, NEIGHBOUR_TABLE_BROKEN };

/* Improves *best by one packet of the kernel's answer. Pure. BROKEN: the packet is none, or says that it failed. */
enum neighbour_table_part neighbour_table_read(struct span packet, const struct mac *mac,
					       struct neighbour *best);

#endif
