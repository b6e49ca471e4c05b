/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour tables as text. Pure. Source: cli.md 3.5. */
#ifndef TART_NET_NEIGHBOURS_H
#define TART_NET_NEIGHBOURS_H

#include "net/ipv4.h"
#include "net/mac.h"

/*
 * The first line that has `mac` with an address: of /proc/net/arp ("192.168.64.9 0x1 0x2 52:54:00:12:34:56 * tart0"; what
 * is incomplete or no Ethernet does not count) or of `arp -an` ("? (192.168.64.9) at 52:54:0:12:34:56 on bridge100"). Other
 * lines are skipped.
 */
bool neighbours_of_proc(struct span text, const struct mac *mac, ipv4 *ret);

#endif
