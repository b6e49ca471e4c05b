/* SPDX-License-Identifier: Apache-2.0 */
/* Single links of the kernel: finding, listing, changing, removing them. */
#include "netd/links_private.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#define SKIP_STATISTICS (1u << 3) /* RTEXT_FILTER_SKIP_STATS: half of each link's message */

bool link_is_tap_name(const char *name)
{
	return strncmp(name, NETD_TAP_PREFIX, strlen(NETD_TAP_PREFIX)) == 0;
}

struct one_link {
	struct link_info info;
	bool found;
};

static void take_one(void *ctx, const struct netlink_message *message)
{
	struct one_link *one = ctx;

	if (!message)
		one->found = false;
	else if (link_parse(message, &one->info))
		one->found = true;
}

bool link_find(struct links *links, const char *name, struct link_info *ret, bool *ret_found,
	       struct err *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct netlink_request request;
	struct one_link one = { 0 };
	struct err why = { 0 };

	assert(strlen(name) < NETD_IF_SIZE);
	netlink_begin(&request, RTM_GETLINK, 0, NETLINK_HEAD(head));
	netlink_put_text(&request, IFLA_IFNAME, name);
	netlink_put_u32(&request, IFLA_EXT_MASK, SKIP_STATISTICS);
	if (!netlink_ask(links->route, &request, take_one, &one, &why) && why.sys != ENODEV) {
		*err = why;
		return err_context(err, "cannot look for interface '%s'", name);
	}
	*ret_found = one.found;
	if (one.found)
		*ret = one.info;
	return true;
}

bool link_get(struct links *links, const char *name, struct link_info *ret, struct err *err)
{
	bool found;

	if (!link_find(links, name, ret, &found, err))
		return false;
	return found || err_sys(err, ENODEV, "interface '%s'", name);
}

static void take_link(void *ctx, const struct netlink_message *message)
{
	link_infos *infos = ctx;
	struct link_info info;

	if (!message)
		infos->n = 0;
	else if (link_parse(message, &info))
		*vec_push(infos) = info;
}

bool link_dump(struct links *links, link_infos *ret, struct err *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct netlink_request request;

	netlink_begin(&request, RTM_GETLINK, NLM_F_DUMP, NETLINK_HEAD(head));
	netlink_put_u32(&request, IFLA_EXT_MASK, SKIP_STATISTICS);
	if (netlink_ask(links->route, &request, take_link, ret, err))
		return true;
	vec_done(ret);
	return err_context(err, "cannot list the interfaces");
}

const struct link_info *link_by_index(const link_infos *infos, int index)
{
	vec_each(infos, info) {
		if (info->index == index)
			return info;
	}
	return NULL;
}

static void take_address(void *ctx, const struct netlink_message *message)
{
	address_infos *infos = ctx;
	struct address_info info;

	if (!message)
		infos->n = 0;
	else if (address_parse(message, &info))
		*vec_push(infos) = info;
}

bool link_dump_addresses(struct links *links, address_infos *ret, struct err *err)
{
	const struct ifaddrmsg head = { .ifa_family = AF_INET };
	struct netlink_request request;

	netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, NETLINK_HEAD(head));
	if (netlink_ask(links->route, &request, take_address, ret, err))
		return true;
	vec_done(ret);
	return err_context(err, "cannot list the addresses");
}

bool link_change(struct links *links, int index, const struct link_change *change, struct err *err)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct netlink_request request;

	assert(index > 0);
	if (change->up || change->down)
		head.ifi_change |= IFF_UP;
	if (change->up)
		head.ifi_flags |= IFF_UP;
	if (change->all_multicast) {
		head.ifi_change |= IFF_ALLMULTI;
		head.ifi_flags |= IFF_ALLMULTI;
	}
	netlink_begin(&request, RTM_NEWLINK, 0, NETLINK_HEAD(head));
	if (change->mac)
		netlink_put(&request, IFLA_ADDRESS, NETLINK_HEAD(*change->mac));
	if (change->mtu)
		netlink_put_u32(&request, IFLA_MTU, change->mtu);
	if (change->master)
		netlink_put_u32(&request, IFLA_MASTER, (uint32_t)change->master);
	if (change->alias)
		netlink_put_text(&request, IFLA_IFALIAS, change->alias);
	return netlink_ask(links->route, &request, NULL, NULL, err);
}

bool link_remove(struct links *links, int index, struct err *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct netlink_request request;
	struct err why = { 0 };

	assert(index > 0);
	netlink_begin(&request, RTM_DELLINK, 0, NETLINK_HEAD(head));
	if (netlink_ask(links->route, &request, NULL, NULL, &why) || why.sys == ENODEV)
		return true;
	*err = why;
	return false;
}
