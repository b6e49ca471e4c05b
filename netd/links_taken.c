/* SPDX-License-Identifier: Apache-2.0 */
/* Collisions of a subnet with what the host has. */
#include "netd/links_taken.h"

static const struct cidr pool = { .network = 0xc0a84000, .prefix = 18 }; /* 192.168.64.0/18 */

static bool collides(const struct taken *taken, const struct cidr *subnet)
{
	if (taken->address != 0)
		return cidr_has(subnet, taken->address);
	return taken->net.prefix >= subnet->prefix && cidr_has(subnet, taken->net.network);
}

const struct taken *taken_collision(const taken_list *list, const struct cidr *subnet)
{
	vec_each(list, taken) {
		if (collides(taken, subnet))
			return taken;
	}
	return NULL;
}

void taken_print(const struct taken *taken, struct str *out)
{
	struct cidr net = taken->net;
	char text[CIDR_TEXT_SIZE], address[IPV4_TEXT_SIZE];

	cidr_print(&net, text);
	ipv4_print(taken->address, address);
	if (taken->address != 0)
		str_addf(out, "address %s/%u", address, net.prefix);
	else
		str_addf(out, "route %s", text);
	if (taken->interface[0])
		str_addf(out, " of '%s'", taken->interface);
	else
		str_add(out, ", which leads nowhere");
}

void taken_warnings(const taken_list *list, const struct cidr *subnet, struct str *out)
{
	char text[CIDR_TEXT_SIZE];

	cidr_print(subnet, text);
	vec_each(list, taken) {
		if (taken->address != 0 || taken->net.prefix == 0 ||
		    taken->net.prefix >= subnet->prefix || !cidr_overlaps(&taken->net, subnet))
			continue;
		str_addf(out, "%s lies within ", text);
		taken_print(taken, out);
		str_add(out,
			taken->is_first ?
				", in a table that is asked first: guests may be out of reach\n" :
				": its hosts at these addresses are out of reach\n");
	}
}

bool taken_choose(const taken_list *list, uint8_t prefix, struct subnet *ret)
{
	struct cidr subnet = { .network = pool.network & netmask_of(prefix), .prefix = prefix };
	uint32_t size = ~netmask_of(prefix) + 1;

	assert(prefix >= 8 && prefix <= 30);
	for (; subnet.network <= cidr_last(&pool); subnet.network += size) {
		if (taken_collision(list, &subnet))
			continue;
		*ret = (struct subnet){ .cidr = subnet, .gateway = subnet.network + 1 };
		return true;
	}
	return false;
}
