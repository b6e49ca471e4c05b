/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address of a guest, by its MAC address. Source: network.md 2.3, cli.md 2.9, 3.4, 3.5. Prints nothing.
 *
 *	dhcp	what a keeper says of a NIC of this address: nothing before the guest has its lease. Where no keeper has such a
 *		NIC, or it is bridged, also the lease databases of other DHCP servers of this host
 *	arp	a bridged NIC's as a keeper has seen it; else the kernel's neighbours
 *	agent	the guest itself says; not there yet in this version
 */
#ifndef TART_VMNET_LOOKUP_H
#define TART_VMNET_LOOKUP_H

#include "base/err.h"
#include "net/leases.h"
#include "vmnet/keeper.h"

#define LOOKUP_TIMEOUT_MS 5000

enum lookup_resolver { LOOKUP_DHCP, LOOKUP_ARP, LOOKUP_AGENT };

struct lookup {
	const struct home *home;
	enum keeper_wish wish;
	enum lookup_resolver resolver;
	struct mac mac;
	bool running;           /* by the VM's lock, as of now */
	const char *leases_env; /* TART_DHCP_LEASES or NULL */
	int timeout_ms;         /* of one request to a keeper */

	struct keeper system, rootless; /* its own: kept connected from one attempt to the next */
};
#define LOOKUP_INIT                                                                              \
	{                                                                                        \
		.timeout_ms = LOOKUP_TIMEOUT_MS, .system = KEEPER_INIT, .rootless = KEEPER_INIT, \
	}
void lookup_done(struct lookup *lookup); /* fits CLEANUP() */

struct lookup_result {
	ipv4 address;     /* 0 = none found */
	bool kept;        /* a keeper knows a NIC of this MAC address */
	bool forwarded;   /* it is the rootless loopback alias */
	char notice[256]; /* about moved ports; "" = none */
};

/* One attempt. Not finding one is no error; nor is an unreachable keeper or agent. ERR_CANCELLED. */
bool lookup_once(struct lookup *lookup, struct lookup_result *ret, struct err *err);

#endif
