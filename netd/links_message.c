/* SPDX-License-Identifier: Apache-2.0 */
/* Links, addresses and routes from rtnetlink's bytes. */
#include "netd/links_message.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* The family's header, and the attributes behind it. */
static bool split(struct span payload, void *head, size_t head_len, struct netlink_attrs *attrs)
{
	if (payload.len < NLMSG_ALIGN(head_len))
		return false;
	memcpy(head, payload.ptr, head_len);
	netlink_parse(span_from(payload, NLMSG_ALIGN(head_len)), attrs);
	return true;
}

static void take_kind(struct span linkinfo, char *ret, size_t size)
{
	struct netlink_attrs attrs;

	netlink_parse(linkinfo, &attrs);
	netlink_text(&attrs, IFLA_INFO_KIND, ret, size);
}

/* An index as the kernel gives them: positive. */
static int take_index(const struct netlink_attrs *attrs, uint16_t type)
{
	uint32_t index = 0;

	return netlink_u32(attrs, type, &index) && index <= INT32_MAX ? (int)index : 0;
}

bool link_parse(const struct netlink_message *message, struct link_info *ret)
{
	struct netlink_attrs attrs;
	struct link_info info = { 0 };
	struct ifinfomsg head;
	uint8_t carrier = 0;

	/* Ports of bridges are told as links of AF_BRIDGE, too: one that leaves its bridge is not gone. */
	if ((message->type != RTM_NEWLINK && message->type != RTM_DELLINK) ||
	    !split(message->payload, &head, sizeof(head), &attrs) || head.ifi_family != AF_UNSPEC ||
	    head.ifi_index <= 0)
		return false;
	netlink_text(&attrs, IFLA_IFNAME, info.name, sizeof(info.name));
	if (!info.name[0])
		return false;
	info.index = head.ifi_index;
	info.flags = head.ifi_flags;
	info.type = head.ifi_type;
	info.master = take_index(&attrs, IFLA_MASTER);
	take_kind(attrs.of[IFLA_LINKINFO], info.kind, sizeof(info.kind));
	netlink_text(&attrs, IFLA_IFALIAS, info.alias, sizeof(info.alias));
	(void)netlink_u32(&attrs, IFLA_MTU, &info.mtu);
	info.has_carrier = netlink_u8(&attrs, IFLA_CARRIER, &carrier) && carrier;
	if (attrs.of[IFLA_ADDRESS].len == sizeof(info.mac))
		memcpy(&info.mac, attrs.of[IFLA_ADDRESS].ptr, sizeof(info.mac));
	*ret = info;
	return true;
}

bool address_parse(const struct netlink_message *message, struct address_info *ret)
{
	struct netlink_attrs attrs;
	struct address_info info = { 0 };
	struct ifaddrmsg head;

	if (message->type != RTM_NEWADDR || !split(message->payload, &head, sizeof(head), &attrs) ||
	    head.ifa_family != AF_INET || head.ifa_prefixlen > 32 || head.ifa_index > INT32_MAX ||
	    !netlink_be32(&attrs, IFA_LOCAL, &info.local))
		return false;
	info.index = (int)head.ifa_index;
	info.prefix = head.ifa_prefixlen;
	*ret = info;
	return true;
}

/* A route with several ways out has no index of its own. */
static int first_way(struct span ways)
{
	struct rtnexthop way;

	if (ways.len < sizeof(way))
		return 0;
	memcpy(&way, ways.ptr, sizeof(way));
	return way.rtnh_ifindex > 0 ? way.rtnh_ifindex : 0;
}

bool route_parse(const struct netlink_message *message, struct route_info *ret)
{
	struct netlink_attrs attrs;
	struct route_info info = { 0 };
	struct rtmsg head;

	if (message->type != RTM_NEWROUTE ||
	    !split(message->payload, &head, sizeof(head), &attrs) || head.rtm_family != AF_INET ||
	    head.rtm_dst_len > 32 || (head.rtm_flags & RTM_F_CLONED))
		return false;
	if (head.rtm_dst_len > 0 && !netlink_be32(&attrs, RTA_DST, &info.to.network))
		return false;
	info.to.prefix = head.rtm_dst_len;
	info.to.network &= netmask_of(head.rtm_dst_len);
	info.type = head.rtm_type;
	info.table = head.rtm_table;
	(void)netlink_u32(&attrs, RTA_TABLE, &info.table);
	info.index = take_index(&attrs, RTA_OIF);
	if (info.index == 0)
		info.index = first_way(attrs.of[RTA_MULTIPATH]);
	*ret = info;
	return true;
}
