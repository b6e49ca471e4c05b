/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routed TAP of one VM: steps 3 to 6 of network.md 4.1. The link lives as long as its descriptor, and route and
 * neighbour as long as the link: whatever fails, closing the descriptor undoes all of it.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "netd/links_private.h"

bool tap_open(const struct links *links, const char *name, int *ret_fd, struct err *err)
{
	const struct device tun = { .kind = DEVICE_TUN };
	/* IFF_TUN_EXCL: never a second queue of a link that somebody else has made. */
	struct ifreq request = {
		.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL),
	};
	CLEANUP_CLOSE int fd = -1;

	assert(strlen(name) < sizeof(request.ifr_name));
	memcpy(request.ifr_name, name, strlen(name));
	if (!opener_open(links->opener, &tun, &fd, err))
		return false;
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return err_sys(err, errno, "cannot make the interface");
	*ret_fd = TAKE_FD(fd);
	return true;
}

static bool is_free(struct links *links, ipv4 address, struct err *err)
{
	address_infos addresses = { 0 };
	char text[IPV4_TEXT_SIZE];
	bool is_taken = false;

	if (!link_dump_addresses(links, &addresses, err))
		return false;
	vec_each(&addresses, info)
		is_taken |= info->local == address;
	vec_done(&addresses);
	if (!is_taken)
		return true;
	ipv4_print(address, text);
	return err_set(err, ERR_GENERAL, "%s is an address of this host", text);
}

static bool add_route(struct links *links, int index, const struct nic *nic,
		      const struct subnet *subnet, uint16_t flags, struct err *err)
{
	const struct rtmsg head = {
		.rtm_family = AF_INET,
		.rtm_dst_len = 32,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};
	char text[IPV4_TEXT_SIZE];
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | flags, NETLINK_HEAD(head));
	netlink_put_be32(&request, RTA_DST, nic->address);
	netlink_put_be32(&request, RTA_PREFSRC, subnet->gateway);
	netlink_put_u32(&request, RTA_OIF, (uint32_t)index);
	if (netlink_ask(links->route, &request, NULL, NULL, err))
		return true;
	ipv4_print(nic->address, text);
	return err_context(err, "cannot make a route to %s", text);
}

static bool add_neighbour(struct links *links, int index, const struct nic *nic, struct err *err)
{
	const struct ndmsg head = {
		.ndm_family = AF_INET,
		.ndm_ifindex = index,
		.ndm_state = NUD_PERMANENT,
	};
	char text[IPV4_TEXT_SIZE];
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, NETLINK_HEAD(head));
	netlink_put_be32(&request, NDA_DST, nic->address);
	netlink_put(&request, NDA_LLADDR, NETLINK_HEAD(nic->mac));
	if (netlink_ask(links->route, &request, NULL, NULL, err))
		return true;
	ipv4_print(nic->address, text);
	return err_context(err, "cannot make a neighbour of %s", text);
}

static bool set_sysctls(const char *tap, struct err *err)
{
	static const struct sysctl settings[] = {
		{ "ipv4", "conf", "forwarding", "1" },
		{ "ipv4", "conf", "rp_filter", "1" },
		{ "ipv4", "conf", "accept_redirects", "0" },
		{ "ipv4", "conf", "send_redirects", "0" },
		{ "ipv4", "conf", "accept_source_route", "0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		if (!sysctl_set(&settings[i], tap, err))
			return false;
	}
	return link_mute(tap, err);
}

/* Peers reach each other as if they were on one wire: the host answers ARP for all of them, at once. */
bool links_set_peer(struct links *links, const char *tap, bool peer, struct err *err)
{
	const struct sysctl answer = { "ipv4", "conf", "proxy_arp", peer ? "1" : "0" };
	const struct sysctl at_once = { "ipv4", "neigh", "proxy_delay", "0" };

	(void)links;
	return sysctl_set(&answer, tap, err) && (!peer || sysctl_set(&at_once, tap, err));
}

bool links_set_mtu(struct links *links, const char *tap, uint16_t mtu, struct err *err)
{
	const struct link_change change = { .mtu = mtu };
	struct link_info info;

	return link_get(links, tap, &info, err) && link_change(links, info.index, &change, err);
}

/* The kernel takes a route only to a link that is up. */
static bool bring_up(struct links *links, int index, const struct nic *nic,
		     const struct subnet *subnet, uint16_t flags, struct err *err)
{
	const struct link_change up = { .up = true };

	return link_change(links, index, &up, err) &&
	       add_route(links, index, nic, subnet, flags, err) &&
	       add_neighbour(links, index, nic, err);
}

static bool set_up_tap(struct links *links, const struct nic *nic, const struct subnet *subnet,
		       uint16_t mtu, struct err *err)
{
	const struct link_change looks = { .mac = &nic_gateway_mac, .mtu = mtu };
	struct link_info info;

	return link_get(links, nic->tap, &info, err) &&
	       link_change(links, info.index, &looks, err) && set_sysctls(nic->tap, err) &&
	       (!nic->peer || links_set_peer(links, nic->tap, nic->peer, err)) &&
	       bring_up(links, info.index, nic, subnet, NLM_F_EXCL, err);
}

static ipv4 *find_clean(struct links *links, ipv4 address)
{
	vec_each(&links->clean, clean) {
		if (*clean == address)
			return clean;
	}
	return NULL;
}

/* An address without a link gets no connection that could pass to its next VM: packets to it go nowhere. */
static bool clean_address(struct links *links, ipv4 address, struct err *err)
{
	ipv4 *clean = find_clean(links, address);

	if (!clean)
		return flows_forget(links->flows, address, err);
	*clean = links->clean.v[--links->clean.n];
	return true;
}

bool links_add_tap(struct links *links, const struct nic *nic, const struct subnet *subnet,
		   uint16_t mtu, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = -1;

	assert(link_is_tap_name(nic->tap) && nic->address != 0);
	if (!is_free(links, nic->address, err) || !clean_address(links, nic->address, err) ||
	    !tap_open(links, nic->tap, &fd, err) || !set_up_tap(links, nic, subnet, mtu, err))
		return err_context(err, "TAP '%s'", nic->tap);
	*ret_fd = TAKE_FD(fd);
	return true;
}

bool links_set_up(struct links *links, const struct nic *nic, const struct subnet *subnet, bool up,
		  struct err *err)
{
	const struct link_change change = { .up = up, .down = !up };
	struct link_info info;

	if (!link_get(links, nic->tap, &info, err))
		return false;
	if (up && nic->address != 0)
		return bring_up(links, info.index, nic, subnet, NLM_F_REPLACE, err) ||
		       err_context(err, "TAP '%s'", nic->tap);
	return link_change(links, info.index, &change, err) ||
	       err_context(err, "TAP '%s'", nic->tap);
}

bool links_delete(struct links *links, const char *tap, struct err *err)
{
	struct link_info info;
	bool found;

	assert(link_is_tap_name(tap));
	if (!link_find(links, tap, &info, &found, err))
		return false;
	if (found && !link_remove(links, info.index, err))
		return err_context(err, "cannot remove the interface '%s'", tap);
	return true;
}

bool links_remove(struct links *links, const struct nic *nic, struct err *err)
{
	if (!links_delete(links, nic->tap, err))
		return false;
	if (nic->address == 0)
		return true;
	if (!flows_forget(links->flows, nic->address, err))
		return false;
	if (!find_clean(links, nic->address))
		*vec_push(&links->clean) = nic->address;
	return true;
}

bool links_forget_flows(struct links *links, ipv4 address, struct err *err)
{
	return flows_forget(links->flows, address, err);
}
