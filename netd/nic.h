/* SPDX-License-Identifier: Apache-2.0 */
/* One NIC of one VM, as the keeper's modules see it: what is decided before anything is set up. Plain data. */
#ifndef TART_NETD_NIC_H
#define TART_NETD_NIC_H

#include "net/policy.h"
#include "proto/netd.h"

struct nic {
	char tap[NETD_IF_SIZE]; /* never used again for another VM */
	char vm[NETD_VM_SIZE];
	uint32_t uid;
	struct mac mac;
	enum netd_mode mode;
	char interface[NETD_IF_SIZE]; /* bridged */
	bool macvtap;                 /* bridged: not a port of a bridge */
	ipv4 address;                 /* 0 when bridged */
	bool peer;                    /* reaches other peers */
	struct policy policy;
	expose_list expose;
	int64_t bound_at_s, expires_s, seen_arp_s; /* as in struct netd_nic */
};

void nic_done(struct nic *nic);                        /* fits CLEANUP(); accepts a zeroed one */
void nic_copy(const struct nic *nic, struct nic *ret); /* ret is overwritten, not freed */

/*
 * What must be true of any NIC, whoever asks for it or has written it down: an own unicast MAC address, a VM's name that
 * can be shown, an interface's name in bridged mode and there only, lists in Softnet mode and there only, each external
 * port once. ERR_GENERAL. Its address is not looked at.
 */
bool nic_check(const struct nic *nic, struct err *err);

/* What the whole host's network is. */
struct subnet {
	struct cidr cidr;
	ipv4 gateway;
};

/* On every TAP, so that a guest's gateway keeps its MAC address over suspend and resume. */
extern const struct mac nic_gateway_mac; /* 02:74:61:72:74:01 */

#endif
