/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a guest, by its MAC address. Source: network.md 2.3, cli.md 2.9, 3.4, 3.5. Prints nothing. */
#ifndef TART_VMNET_LOOKUP_H
#define TART_VMNET_LOOKUP_H

#include "base/err.h"
#include "net/leases.h"
#include "vmnet/keeper.h"

enum lookup_resolver { LOOKUP_DHCP, LOOKUP_ARP, LOOKUP_AGENT };

struct lookup {
	const struct home *home;
	enum keeper_wish wish;
	enum lookup_resolver resolver;
	struct mac mac;
	bool running;           /* by the VM's lock, as of now */
	const char *leases_env; /* TART_DHCP_LEASES or NULL */
};

struct lookup_result {
	ipv4 address;     /* 0 = none found */
	bool forwarded;   /* it is the rootless loopback alias */
	char notice[256]; /* about moved ports; "" = none */
};

/* One attempt. Not finding one is no error; nor is an unreachable keeper or agent. */
bool lookup_once(const struct lookup *lookup, struct lookup_result *ret, struct err *err);

#endif
