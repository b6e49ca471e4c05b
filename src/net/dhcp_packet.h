/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A DHCP message in an Ethernet frame, taken apart. Pure; every byte may come from a guest. Sources: RFC 2131 section 2,
 * RFC 2132.
 *
 * What is not a whole IPv4/UDP datagram with a BOOTP message of Ethernet, the magic cookie and well-formed options is no
 * message at all. An option may stand in the fields `file` and `sname` where option 52 says so. Checksums are not looked
 * at: virtio leaves that of UDP partial, and a link in memory does not flip bits.
 */
#ifndef TART_NET_DHCP_PACKET_H
#define TART_NET_DHCP_PACKET_H

#include "base/span.h"
#include "net/ipv4.h"
#include "net/mac.h"

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68

#define ETHERNET_HEADER   14
#define ETHERTYPE_OF_IPV4 0x0800
#define ETHERTYPE_OF_ARP  0x0806

enum dhcp_op { DHCP_BOOTREQUEST = 1, DHCP_BOOTREPLY };

/* Option 53. */
enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
};

/* RFC 2132's numbers of those that we read or write. */
enum dhcp_option {
	DHCP_OPT_PAD = 0,
	DHCP_OPT_NETMASK = 1,
	DHCP_OPT_ROUTER = 3,
	DHCP_OPT_DNS = 6,
	DHCP_OPT_MTU = 26,
	DHCP_OPT_BROADCAST = 28,
	DHCP_OPT_REQUESTED = 50,
	DHCP_OPT_LEASE = 51,
	DHCP_OPT_OVERLOAD = 52,
	DHCP_OPT_TYPE = 53,
	DHCP_OPT_SERVER = 54,
	DHCP_OPT_RENEWAL = 58,
	DHCP_OPT_REBINDING = 59,
	DHCP_OPT_CLIENT_ID = 61,
	DHCP_OPT_END = 255,
};

struct dhcp_packet {
	struct mac ethernet_to, ethernet_from;
	uint16_t port_to; /* UDP */
	uint8_t op;       /* enum dhcp_op, or something else */
	uint32_t xid;
	bool broadcast; /* the client cannot receive unicast yet */
	ipv4 ciaddr, yiaddr, giaddr;
	struct mac chaddr;

	/* Options; 0 = not there, which none of them may be. */
	uint8_t type; /* enum dhcp_type, or something else */
	ipv4 requested, server;
	uint32_t lease_s;
	struct span client_id; /* within the frame; empty = not there */
};

bool dhcp_packet_parse(struct span frame, struct dhcp_packet *ret);

#endif
