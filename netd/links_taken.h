/* SPDX-License-Identifier: Apache-2.0 */
/* Which networks of a host are taken, and what a subnet collides with. Pure. network.md 3. */
#ifndef TART_NETD_LINKS_TAKEN_H
#define TART_NETD_LINKS_TAKEN_H

#include "base/str.h"
#include "base/vec.h"
#include "net/ipv4.h"
#include "netd/nic.h"

struct taken {
	struct cidr net;              /* of a route; of an address, the network that it is in */
	ipv4 address;                 /* 0 = it is a route */
	char interface[NETD_IF_SIZE]; /* "" = none: packets end here */
	bool is_first;                /* of a table that is asked before the main one */
};
typedef VEC(struct taken) taken_list;

/* What a subnet cannot be beside: an address in it, a route that is as specific as it or more. NULL: nothing. Of several,
 * the first in the list. */
const struct taken *taken_collision(const taken_list *list, const struct cidr *subnet);

/* Appends a line for each less specific route around it, but default routes. */
void taken_warnings(const taken_list *list, const struct cidr *subnet, struct str *out);

/* "address 192.168.64.5/24 of 'eth0'", "route 10.0.0.0/8 of 'tun0'" */
void taken_print(const struct taken *taken, struct str *out);

/* The first /prefix of 192.168.64.0/18 that collides with nothing; of those that are larger, the one around it. */
bool taken_choose(const taken_list *list, uint8_t prefix, struct subnet *ret);

#endif
