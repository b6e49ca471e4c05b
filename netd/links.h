/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's links, addresses, routes, neighbours, sysctls and conntrack entries. Source: network.md 4.1, 2.4, 7.
 * Uses libmnl (rtnetlink, ctnetlink), ioctls and /proc/sys; needs CAP_NET_ADMIN and nothing else: device nodes are the opener's.
 */
#ifndef TART_NETD_LINKS_H
#define TART_NETD_LINKS_H

#include "base/loop.h"
#include "netd/nic.h"
#include "netd/opener.h"

struct links;

/* `opener` stays the caller's and must last; NULL: this process opens device nodes itself. */
bool links_open(struct opener *opener, struct links **ret, struct err *err);
void links_close(struct links *links); /* leaves the host's interfaces as they are; accepts NULL */

/*
 * tart0 (dummy, or a bridge without ports where the kernel has no dummy) with the gateway's address and ifalias "tart";
 * net.ipv4.ip_forward. An own tart0 with another address is remade if no tart-* link is there, else an error naming
 * both; a foreign one is an error. *ret_forward_denied: forwarding is off and cannot be turned on (host-only still works).
 */
bool links_up(struct links *links, const struct subnet *subnet, bool *ret_forward_denied,
	      struct str *log, struct err *err);
/* Its second half, for others turn forwarding off while VMs run. */
bool links_forward(bool *ret_denied, struct str *log, struct err *err);
bool links_down(struct links *links, struct err *err); /* removes our tart0; none: true */

/* Whether a subnet collides with an address or an equal or more specific route of another interface: ERR_GENERAL naming
 * both. A less specific overlapping route appends a warning line. */
bool links_check_subnet(struct links *links, const struct subnet *subnet, struct str *warnings,
			struct err *err);
/* The first /prefix from 192.168.64.0 on to 192.168.127.0 that does not collide. */
bool links_choose_subnet(struct links *links, uint8_t prefix, struct subnet *ret, struct err *err);

/*
 * TAP, sysctls, route, permanent neighbour: steps 3 to 6 of network.md 4.1; the rules are there already. *ret_fd is the
 * TAP's, IFF_VNET_HDR, for QEMU; the link lives as long as it. On failure nothing is left.
 */
bool links_add_tap(struct links *links, const struct nic *nic, const struct subnet *subnet,
		   uint16_t mtu, int *ret_fd, struct err *err);

/* nic->interface is a bridge: a TAP as its port; else macvtap (nic->macvtap is set). Wi-Fi, ports of bridges, loopback,
 * our own: errors naming the remedy. Multicast and offloads as QEMU wants them. */
bool links_classify(struct links *links, const char *interface, bool *ret_macvtap, struct err *err);
bool links_add_bridged(struct links *links, const struct nic *nic, int *ret_fd, struct err *err);

/* Whether or not the link is still there: link, route, neighbour, conntrack entries of the address. */
bool links_remove(struct links *links, const struct nic *nic, struct err *err);

/* A policy has changed while its VM runs: forgets the connections that the VM has started, or those that came to it by
 * translation. Those of the host to it stay. */
bool links_end_flows(struct links *links, const struct nic *nic, bool outgoing, bool exposed,
		     struct err *err);
/* All connections of an address. */
bool links_forget_flows(struct links *links, ipv4 address, struct err *err);

/* Takes a TAP down or up, for the moment in which there are no rules. The kernel forgets route and neighbour of a link that
 * goes down; both are made anew. */
bool links_set_up(struct links *links, const struct nic *nic, const struct subnet *subnet, bool up,
		  struct err *err);
bool links_set_mtu(struct links *links, const char *tap, uint16_t mtu, struct err *err);
bool links_set_peer(struct links *links, const char *tap, bool peer,
		    struct err *err); /* proxy ARP */

/* Every tart-* link that there is. */
struct found_link {
	char tap[NETD_IF_SIZE];
	int index;
	bool macvtap;
	bool is_up;
	bool has_carrier; /* of a TAP: somebody holds its descriptor */
};
typedef VEC(struct found_link) found_links;
bool links_list(struct links *links, found_links *ret, struct err *err);
bool links_index(struct links *links, const char *tap, int *ret, struct err *err);
bool links_delete(struct links *links, const char *tap, struct err *err); /* absent: true */

/* Calls back with the name of a tart-* link that has gone, from the loop. Once; fn must not close `links`. */
typedef void links_gone_fn(void *ctx, const char *tap);
bool links_watch(struct links *links, struct loop *loop, links_gone_fn *fn, void *ctx,
		 struct err *err);

/* Usable for --net-bridged: "eth0", "device"; "br0", "bridge". Names that are no candidates are left out. */
struct bridged_candidate {
	char name[NETD_IF_SIZE];
	bool is_bridge;
};
typedef VEC(struct bridged_candidate) bridged_candidates;
bool links_candidates(struct links *links, bridged_candidates *ret, struct err *err);

/* A listening TCP socket of this network namespace on that port, any address: expose would steal from it. */
bool links_port_is_listening(uint16_t port, bool *ret, struct err *err);

/* /dev/vhost-net opened once for one NIC, or -1: the guest's packets then pass through QEMU. */
int links_open_vhost(struct links *links);

#endif
