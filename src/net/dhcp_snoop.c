/* SPDX-License-Identifier: Apache-2.0 */
/* Learning from a bridged link which address its guest has: dhcp_snoop() of dhcp.h. */
#include "base/reader.h"
#include "net/dhcp.h"
#include "net/dhcp_packet.h"

#define ARP_OF_ETHERNET_IPV4 \
	0x000108000604 /* hardware, protocol, their lengths; operation comes after */

/* An address that a host can have: not "none", loopback, multicast or broadcast. */
static bool is_host_address(ipv4 address)
{
	return address >> 24 != 0 && address >> 24 != 127 && address < 0xe0000000;
}

/* ARP's sender, where it says which address it has: in requests and answers alike. A probe (RFC 5227) has none yet. */
static bool sight_arp(const struct mac *mac, struct span frame, struct dhcp_sighting *ret)
{
	struct reader r = reader_of(frame);
	uint64_t ethertype, kind, address;
	struct span ethernet_from, sender;

	if (!reader_skip(&r, sizeof(mac->octets)) ||
	    !reader_take(&r, sizeof(mac->octets), &ethernet_from) ||
	    !reader_be(&r, 2, &ethertype) || !reader_be(&r, 8, &kind) ||
	    !reader_take(&r, sizeof(mac->octets), &sender) || !reader_be(&r, 4, &address) ||
	    !reader_skip(&r, sizeof(mac->octets) + 4))
		return false;
	if (ethertype != ETHERTYPE_OF_ARP || kind >> 16 != ARP_OF_ETHERNET_IPV4 ||
	    memcmp(ethernet_from.ptr, mac->octets, sizeof(mac->octets)) != 0 ||
	    memcmp(sender.ptr, mac->octets, sizeof(mac->octets)) != 0 ||
	    !is_host_address((ipv4)address))
		return false;
	*ret = (struct dhcp_sighting){ .address = (ipv4)address };
	return true;
}

/* Not an answer to INFORM, which has no yiaddr; and not what the guest itself sends. */
static bool sight_ack(const struct mac *mac, struct span frame, struct dhcp_sighting *ret)
{
	struct dhcp_packet packet;

	if (!dhcp_packet_parse(frame, &packet) || packet.op != DHCP_BOOTREPLY ||
	    packet.type != DHCP_ACK || packet.port_to != DHCP_CLIENT_PORT || packet.lease_s == 0 ||
	    !mac_equal(&packet.chaddr, mac) || mac_equal(&packet.ethernet_from, mac) ||
	    !is_host_address(packet.yiaddr))
		return false;
	*ret = (struct dhcp_sighting){ .address = packet.yiaddr,
				       .by_dhcp = true,
				       .lease_s = packet.lease_s };
	return true;
}

bool dhcp_snoop(const struct mac *mac, struct span frame, struct dhcp_sighting *ret)
{
	return sight_arp(mac, frame, ret) || sight_ack(mac, frame, ret);
}
