/* SPDX-License-Identifier: Apache-2.0 */
/* What messages of rtnetlink say, as plain structs. Pure: reads nothing beyond its span, whatever the bytes. */
#ifndef TART_NETD_LINKS_MESSAGE_H
#define TART_NETD_LINKS_MESSAGE_H

#include "net/ipv4.h"
#include "net/mac.h"
#include "netd/links_netlink.h"
#include "proto/netd.h"

struct link_info {
	int index;
	unsigned int flags; /* IFF_UP and the like */
	uint16_t type;      /* ARPHRD_ETHER and the like */
	char name[NETD_IF_SIZE];
	char kind[32];  /* "tun", "bridge", "" */
	char alias[16]; /* "" when it is longer: not ours then */
	uint32_t mtu;
	int master; /* 0 = none */
	struct mac mac;
	bool has_carrier;
};
bool link_parse(const struct netlink_message *message, struct link_info *ret);

struct address_info {
	int index;
	ipv4 local;
	uint8_t prefix;
};
bool address_parse(const struct netlink_message *message, struct address_info *ret);

struct route_info {
	struct cidr to;
	uint32_t table;
	uint8_t type; /* RTN_UNICAST and the like */
	int index;    /* of the (first) way out; 0 = none: blackhole and the like */
};
bool route_parse(const struct netlink_message *message, struct route_info *ret);

#endif
