/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of rtnetlink: what is well made is read, and what is cut, too long or of another kind is not. */
#include "netd/links_message.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include "unit.h"

/* A request looks like a message, and is as easily made. */
static struct netlink_message message_of(const struct netlink_request *request)
{
	struct nlmsghdr head;

	memcpy(&head, request->bytes, sizeof(head));
	return (struct netlink_message){
		.type = head.nlmsg_type,
		.payload = span_make(request->bytes + sizeof(head), head.nlmsg_len - sizeof(head)),
	};
}

static void make_link(struct netlink_request *request, uint16_t type, const char *name)
{
	const struct ifinfomsg head = {
		.ifi_index = 7,
		.ifi_type = ARPHRD_ETHER,
		.ifi_flags = IFF_UP | IFF_BROADCAST,
	};
	const struct mac mac = { { 2, 3, 4, 5, 6, 7 } };
	size_t nest;

	netlink_begin(request, type, 0, NETLINK_HEAD(head));
	netlink_put_text(request, IFLA_IFNAME, name);
	netlink_put_u32(request, IFLA_MTU, 1400);
	netlink_put_u32(request, IFLA_MASTER, 9);
	netlink_put_text(request, IFLA_IFALIAS, "tart");
	netlink_put_u8(request, IFLA_CARRIER, 1);
	netlink_put(request, IFLA_ADDRESS, NETLINK_HEAD(mac));
	nest = netlink_nest(request, IFLA_LINKINFO);
	netlink_put_text(request, IFLA_INFO_KIND, "bridge");
	netlink_end(request, nest);
}

static void reads_links(void **state)
{
	struct netlink_request request;
	struct netlink_message message;
	struct link_info info;

	(void)state;
	make_link(&request, RTM_NEWLINK, "tart-0123456789"); /* as long as a name can be */
	message = message_of(&request);
	assert_true(link_parse(&message, &info));
	assert_int_equal(info.index, 7);
	assert_int_equal(info.type, ARPHRD_ETHER);
	assert_int_equal(info.flags, IFF_UP | IFF_BROADCAST);
	assert_string_equal(info.name, "tart-0123456789");
	assert_string_equal(info.kind, "bridge");
	assert_string_equal(info.alias, "tart");
	assert_int_equal(info.mtu, 1400);
	assert_int_equal(info.master, 9);
	assert_int_equal(info.mac.octets[5], 7);
	assert_true(info.has_carrier);
}

/* Whatever is missing at its end, nothing is read beyond, and what is read was there. */
static void survives_cut_messages(void **state)
{
	struct netlink_request request;
	struct netlink_message whole;

	(void)state;
	make_link(&request, RTM_NEWLINK, "eth0");
	whole = message_of(&request);
	for (size_t len = 0; len < whole.payload.len; len++) {
		char *copy = xcalloc(len + 1, 1); /* for the sanitizer: just as long */
		struct netlink_message cut = { whole.type, span_make(copy, len) };
		struct link_info info;

		memcpy(copy, whole.payload.ptr, len);
		if (link_parse(&cut, &info))
			assert_string_equal(info.name, "eth0");
		else
			assert_true(len < sizeof(struct ifinfomsg) + sizeof(struct nlattr) +
						  sizeof("eth0"));
		free(copy);
	}
}

static void refuses_other_links(void **state)
{
	static const struct {
		const char *name;
		struct ifinfomsg head;
		uint16_t type;
		const char *link;
	} rows[] = {
		{ "of a bridge", { .ifi_family = AF_BRIDGE, .ifi_index = 7 }, RTM_DELLINK, "a" },
		{ "another type", { .ifi_index = 7 }, RTM_NEWADDR, "a" },
		{ "no index", { 0 }, RTM_NEWLINK, "a" },
		{ "a negative index", { .ifi_index = -1 }, RTM_NEWLINK, "a" },
		{ "no name", { .ifi_index = 7 }, RTM_NEWLINK, "" },
		{ "too long a name", { .ifi_index = 7 }, RTM_NEWLINK, "0123456789abcdef" },
	};

	(void)state;
	each_row(rows, row) {
		struct netlink_request request;
		struct netlink_message message;
		struct link_info info;

		netlink_begin(&request, row->type, 0, NETLINK_HEAD(row->head));
		netlink_put_text(&request, IFLA_IFNAME, row->link);
		message = message_of(&request);
		check(!link_parse(&message, &info), "%s", row->name);
	}
}

static void reads_addresses(void **state)
{
	struct ifaddrmsg head = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 3 };
	struct netlink_request request;
	struct netlink_message message;
	struct address_info info;

	(void)state;
	netlink_begin(&request, RTM_NEWADDR, 0, NETLINK_HEAD(head));
	netlink_put_be32(&request, IFA_LOCAL, 0xc0a84001);
	message = message_of(&request);
	assert_true(address_parse(&message, &info));
	assert_int_equal(info.local, 0xc0a84001);
	assert_int_equal(info.prefix, 24);
	assert_int_equal(info.index, 3);

	head.ifa_prefixlen = 33;
	netlink_begin(&request, RTM_NEWADDR, 0, NETLINK_HEAD(head));
	netlink_put_be32(&request, IFA_LOCAL, 0xc0a84001);
	message = message_of(&request);
	assert_false(address_parse(&message, &info));

	head = (struct ifaddrmsg){ .ifa_family = AF_INET6, .ifa_prefixlen = 24 };
	netlink_begin(&request, RTM_NEWADDR, 0, NETLINK_HEAD(head));
	netlink_put_be32(&request, IFA_LOCAL, 0xc0a84001);
	message = message_of(&request);
	assert_false(address_parse(&message, &info));
}

static void reads_routes(void **state)
{
	const struct rtmsg head = {
		.rtm_family = AF_INET,
		.rtm_dst_len = 20,
		.rtm_table = RT_TABLE_COMPAT,
		.rtm_type = RTN_UNICAST,
	};
	const struct rtnexthop ways[2] = {
		{ .rtnh_len = sizeof(ways[0]), .rtnh_ifindex = 11 },
		{ .rtnh_len = sizeof(ways[0]), .rtnh_ifindex = 12 },
	};
	struct netlink_request request;
	struct netlink_message message;
	struct route_info info;

	(void)state;
	netlink_begin(&request, RTM_NEWROUTE, 0, NETLINK_HEAD(head));
	netlink_put_be32(&request, RTA_DST, 0x0a01ffff);
	netlink_put_u32(&request, RTA_TABLE, 1000);
	netlink_put(&request, RTA_MULTIPATH, NETLINK_HEAD(ways));
	message = message_of(&request);
	assert_true(route_parse(&message, &info));
	assert_int_equal(info.to.network, 0x0a01f000);
	assert_int_equal(info.to.prefix, 20);
	assert_int_equal(info.table, 1000);
	assert_int_equal(info.index, 11);
	assert_int_equal(info.type, RTN_UNICAST);

	netlink_put_u32(&request, RTA_OIF, 5);
	message = message_of(&request);
	assert_true(route_parse(&message, &info));
	assert_int_equal(info.index, 5);
}

static void refuses_other_routes(void **state)
{
	static const struct {
		const char *name;
		struct rtmsg head;
		bool has_target;
		bool is_read;
	} rows[] = {
		{ "default", { .rtm_family = AF_INET }, false, true },
		{ "without a target", { .rtm_family = AF_INET, .rtm_dst_len = 8 }, false, false },
		{ "33 bits", { .rtm_family = AF_INET, .rtm_dst_len = 33 }, true, false },
		{ "IPv6", { .rtm_family = AF_INET6, .rtm_dst_len = 8 }, true, false },
		{ "cached", { .rtm_family = AF_INET, .rtm_flags = RTM_F_CLONED }, true, false },
	};

	(void)state;
	each_row(rows, row) {
		struct netlink_request request;
		struct netlink_message message;
		struct route_info info;

		netlink_begin(&request, RTM_NEWROUTE, 0, NETLINK_HEAD(row->head));
		if (row->has_target)
			netlink_put_be32(&request, RTA_DST, 0x0a000000);
		message = message_of(&request);
		check(route_parse(&message, &info) == row->is_read, "%s", row->name);
	}
}

static void reads_attributes_of_their_size_only(void **state)
{
	const struct rtmsg head = { 0 };
	struct netlink_request request;
	struct netlink_attrs attrs;
	uint32_t number = 1;
	uint8_t octet = 2;
	char text[4];

	(void)state;
	netlink_begin(&request, RTM_NEWROUTE, 0, NETLINK_HEAD(head));
	netlink_put(&request, 1, span_make("abc", 3)); /* no NUL: as good */
	netlink_put_text(&request, 2, "abcd");
	netlink_put_u8(&request, 3, 7);
	netlink_put(&request, 4, span_make("", 0));
	netlink_put(&request, 5, span_make("a\0b", 4));
	netlink_put_u32(&request, 6, 8);
	netlink_put_u32(&request, 6, 9);
	netlink_put_u32(&request, NETLINK_ATTRS, 10);
	netlink_parse(span_from(message_of(&request).payload, sizeof(head)), &attrs);
	netlink_text(&attrs, 1, text, sizeof(text));
	assert_string_equal(text, "abc");
	netlink_text(&attrs, 2, text, sizeof(text));
	assert_string_equal(text, "");
	netlink_text(&attrs, 5, text, sizeof(text));
	assert_string_equal(text, "");
	assert_false(netlink_u32(&attrs, 3, &number));
	assert_false(netlink_u32(&attrs, 4, &number));
	assert_false(netlink_u32(&attrs, 7, &number));
	assert_false(netlink_u8(&attrs, 6, &octet));
	assert_int_equal(number, 1);
	assert_int_equal(octet, 2);
	assert_true(netlink_u32(&attrs, 6, &number));
	assert_int_equal(number, 9);
	assert_true(netlink_u8(&attrs, 3, &octet));
	assert_int_equal(octet, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_links),
		cmocka_unit_test(survives_cut_messages),
		cmocka_unit_test(refuses_other_links),
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(reads_routes),
		cmocka_unit_test(refuses_other_routes),
		cmocka_unit_test(reads_attributes_of_their_size_only),
	};

	return unit_main(tests);
}
