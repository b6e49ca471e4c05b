/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet sockets that let through only what the DHCP child is to see, so that a guest's other traffic costs no copy. The filter
 * is locked: the child, which has no right to open a packet socket, cannot take it off. network.md 4.2.
 */
#ifndef TART_NETD_DHCP_SOCKET_H
#define TART_NETD_DHCP_SOCKET_H

#include "base/err.h"
#include "net/mac.h"

/* IPv4, UDP to port 67, no fragment, of no VLAN; to be answered through the same socket. Needs CAP_NET_RAW. */
bool dhcp_socket_serve(int ifindex, int *ret_fd, struct err *err);

/* Both directions: ARP from `mac`, and UDP to port 68. */
bool dhcp_socket_snoop(int ifindex, const struct mac *mac, int *ret_fd, struct err *err);

#endif
