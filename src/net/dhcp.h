/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCP for one address on one link: reading a client's frame, deciding, writing the answer's frame. Pure; the frame's
 * bytes come from a guest. Sources: RFC 2131, 2132, network.md 4.2.
 *
 * Frames are Ethernet frames as an AF_PACKET/SOCK_RAW socket has them, without a virtio header. The UDP checksum of what
 * comes in is not looked at (virtio leaves it partial), that of what goes out is right.
 */
#ifndef TART_NET_DHCP_H
#define TART_NET_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "net/ipv4.h"
#include "net/mac.h"

#define DHCP_FRAME_MAX 1514
#define DHCP_DNS_MAX   3

/* What this client gets. */
struct dhcp_offer {
	struct mac mac; /* the client's: chaddr and source must be it */
	struct mac gateway_mac;
	ipv4 address;
	ipv4 gateway; /* the server, and the router unless `no_router` */
	uint8_t prefix;
	bool no_router; /* host-only: no option 3 */
	ipv4 dns[DHCP_DNS_MAX];
	uint32_t lease_s; /* option 51; 58 and 59 are a half and seven eighths of it */
	uint16_t mtu;
};

enum dhcp_event {
	DHCP_NOTHING, /* not for us, malformed, or a request that gets no answer */
	DHCP_OFFERED,
	DHCP_BOUND,    /* an ACK with the address: the lease runs from now on */
	DHCP_REFUSED,  /* a NAK: the client wants another network's address */
	DHCP_INFORMED, /* an ACK without */
	DHCP_RELEASED, /* no answer */
	DHCP_DECLINED, /* no answer; the client has found somebody else with it */
};

/*
 * Reads one frame and writes the answer. *ret_len is 0 when there is none to send. Never reads beyond frame.len, whatever
 * its fields claim; sets nothing but *ret_len for DHCP_NOTHING.
 */
enum dhcp_event dhcp_answer(const struct dhcp_offer *offer, struct span frame,
			    uint8_t ret_answer[DHCP_FRAME_MAX], size_t *ret_len);

/*
 * Listening on a link whose addresses others hand out (bridged): what a frame tells about the address of `mac`. Looks at a
 * DHCPACK to it, and ARP from it with a sender address. True when it tells one.
 */
struct dhcp_sighting {
	ipv4 address;
	bool by_dhcp;     /* else by ARP */
	uint32_t lease_s; /* by_dhcp */
};
bool dhcp_snoop(const struct mac *mac, struct span frame, struct dhcp_sighting *ret);

#endif
