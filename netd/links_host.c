/* SPDX-License-Identifier: Apache-2.0 */
/* What the host has once for all VMs: tart0 with the gateway's address, and forwarding. network.md 4.1, 7. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "netd/links_private.h"

#define ALIAS "tart" /* marks tart0 as ours */

#define IP_FORWARD "/proc/sys/net/ipv4/ip_forward"
#define RP_FILTER  "/proc/sys/net/ipv4/conf/all/rp_filter"

static bool make_link(struct links *links, const char *kind, struct err *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct netlink_request request;
	size_t nest;

	netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, NETLINK_HEAD(head));
	netlink_put_text(&request, IFLA_IFNAME, LINKS_HOST);
	netlink_put(&request, IFLA_ADDRESS, NETLINK_HEAD(nic_gateway_mac));
	nest = netlink_nest(&request, IFLA_LINKINFO);
	netlink_put_text(&request, IFLA_INFO_KIND, kind);
	netlink_end(&request, nest);
	return netlink_ask(links->route, &request, NULL, NULL, err);
}

static bool add_address(struct links *links, int index, const struct subnet *subnet,
			struct err *err)
{
	const struct ifaddrmsg head = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = subnet->cidr.prefix,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (uint32_t)index,
	};
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, NETLINK_HEAD(head));
	netlink_put_be32(&request, IFA_LOCAL, subnet->gateway);
	netlink_put_be32(&request, IFA_ADDRESS, subnet->gateway);
	netlink_put_be32(&request, IFA_BROADCAST, cidr_last(&subnet->cidr));
	return netlink_ask(links->route, &request, NULL, NULL, err);
}

/* What a killed keeper leaves is half made at any moment: see is_half_made(). IPv6 is of no use there, and does no harm. */
static bool set_up_link(struct links *links, const struct subnet *subnet, struct err *err)
{
	const struct link_change mark = { .alias = ALIAS };
	const struct link_change up = { .up = true };
	struct err ignored = { 0 };
	struct link_info info;

	(void)link_mute(LINKS_HOST, &ignored);
	return link_get(links, LINKS_HOST, &info, err) &&
	       link_change(links, info.index, &mark, err) &&
	       add_address(links, info.index, subnet, err) &&
	       link_change(links, info.index, &up, err);
}

/* Without a port, a bridge is as good as a dummy, which some kernels lack (EOPNOTSUPP). */
static bool make_host_link(struct links *links, const struct subnet *subnet, struct err *err)
{
	struct err ignored = { 0 };
	struct link_info info;
	bool found;

	if (!make_link(links, "dummy", err) &&
	    (err->sys != EOPNOTSUPP || !make_link(links, "bridge", err)))
		return err_context(err, "cannot make the interface '%s'", LINKS_HOST);
	err_clear(err);
	if (set_up_link(links, subnet, err))
		return true;
	if (link_find(links, LINKS_HOST, &info, &found, &ignored) && found)
		(void)link_remove(links, info.index, &ignored);
	return err_context(err, "cannot set up the interface '%s'", LINKS_HOST);
}

/* Who made it was killed before it could mark it: nobody else gives a link this address and leaves it down. */
static bool is_half_made(const struct link_info *info)
{
	return !info->alias[0] && !(info->flags & IFF_UP) &&
	       mac_equal(&info->mac, &nic_gateway_mac);
}

static bool is_ours(const struct link_info *info)
{
	return strcmp(info->alias, ALIAS) == 0 || is_half_made(info);
}

/* The address that our tart0 has; {0} when it has none. */
static bool find_address(struct links *links, int index, const struct subnet *wanted,
			 struct address_info *ret, struct err *err)
{
	address_infos addresses = { 0 };

	*ret = (struct address_info){ 0 };
	if (!link_dump_addresses(links, &addresses, err))
		return false;
	vec_each(&addresses, info) {
		bool is_it = info->local == wanted->gateway && info->prefix == wanted->cidr.prefix;

		if (info->index == index && (is_it || ret->local == 0))
			*ret = *info;
	}
	vec_done(&addresses);
	return true;
}

static bool has_vms(struct links *links, bool *ret, struct err *err)
{
	found_links found = { 0 };

	if (!links_list(links, &found, err))
		return false;
	*ret = found.n > 0;
	vec_done(&found);
	return true;
}

static bool refuse_change(const struct address_info *has, const struct subnet *wanted,
			  struct err *err)
{
	char old[IPV4_TEXT_SIZE], new[IPV4_TEXT_SIZE];

	ipv4_print(has->local, old);
	ipv4_print(wanted->gateway, new);
	return err_set(err, ERR_GENERAL,
		       "the network is in use with %s/%u; it can become %s/%u when no VM runs", old,
		       has->prefix, new, wanted->cidr.prefix);
}

/* Ours, as it should be, or remade. */
static bool adopt_host_link(struct links *links, const struct link_info *info,
			    const struct subnet *subnet, struct err *err)
{
	const struct link_change up = { .up = true };
	struct address_info address;
	bool is_in_use;

	if (!find_address(links, info->index, subnet, &address, err))
		return false;
	if (address.local == subnet->gateway && address.prefix == subnet->cidr.prefix &&
	    info->alias[0])
		return link_change(links, info->index, &up, err);
	if (!has_vms(links, &is_in_use, err))
		return false;
	if (is_in_use && address.local != 0)
		return refuse_change(&address, subnet, err);
	return link_remove(links, info->index, err) && make_host_link(links, subnet, err);
}

static bool need_host_link(struct links *links, const struct subnet *subnet, struct err *err)
{
	struct link_info info;
	bool found;

	if (!link_find(links, LINKS_HOST, &info, &found, err))
		return false;
	if (!found)
		return make_host_link(links, subnet, err);
	if (!is_ours(&info))
		return err_set(err, ERR_GENERAL,
			       "there is an interface '%s' that is not tart's: rename or remove it",
			       LINKS_HOST);
	return adopt_host_link(links, &info, subnet, err);
}

static bool is_denied(int errnum)
{
	return errnum == EACCES || errnum == EPERM || errnum == EROFS;
}

/* All interfaces, the uplink too: that of the TAPs alone is not enough. */
bool links_forward(bool *ret_denied, struct str *log, struct err *err)
{
	char value[8];

	*ret_denied = false;
	if (!sysctl_read(IP_FORWARD, value, sizeof(value), err))
		return false;
	if (strcmp(value, "0") != 0)
		return true;
	if (sysctl_write(IP_FORWARD, "1", err)) {
		str_add(log, "net.ipv4.ip_forward was off: turned on\n");
		return true;
	}
	if (!is_denied(err->sys))
		return false;
	*ret_denied = true;
	err_clear(err);
	return true;
}

/* The larger of a link's own and this one counts: 2 makes the strict check of every TAP a loose one. */
static void warn_of_loose_filter(struct str *log)
{
	struct err ignored = { 0 };
	char value[8];

	if (sysctl_read(RP_FILTER, value, sizeof(value), &ignored) && strcmp(value, "2") == 0)
		str_add(log, "net.ipv4.conf.all.rp_filter is 2: without our tables nothing "
			     "would stop spoofed addresses; 0 or 1 would\n");
}

bool links_up(struct links *links, const struct subnet *subnet, bool *ret_forward_denied,
	      struct str *log, struct err *err)
{
	if (!need_host_link(links, subnet, err) || !links_forward(ret_forward_denied, log, err))
		return false;
	warn_of_loose_filter(log);
	return true;
}

bool links_down(struct links *links, struct err *err)
{
	struct link_info info;
	bool found;

	if (!link_find(links, LINKS_HOST, &info, &found, err))
		return false;
	if (found && is_ours(&info) && !link_remove(links, info.index, err))
		return err_context(err, "cannot remove the interface '%s'", LINKS_HOST);
	return true;
}
