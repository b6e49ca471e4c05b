/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that the kernel keeps track of (ctnetlink): all of one address are forgotten before it is given to another
 * VM, else the old one's peers could go on sending to the new one. network.md 4.1, 10.4.
 *
 * Each connection has two tuples, as the first packet had it and as the answers have it; translation makes them differ.
 * An outgoing one has the guest as source of the original, an exposed or incoming one as source of the reply. The kernel
 * is asked for these two only, which spares copying the whole table of a busy host; what an older kernel tells
 * besides (before 5.8) is sorted out here.
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/number.h"
#include "netd/links_private.h"

/* As many as are noted before they are deleted: a guest decides how many there are. */
#define FLOWS_AT_ONCE 16384
#define ROUNDS_MAX    64 /* beyond every table's size */
#define FEW_FLOWS     4096

#define TUPLE_MAX   128 /* that of ICMP, the longest, has 72 */
#define WANT_SOURCE 1u  /* of CTA_FILTER_*_FLAGS: the tuple's source address */

#define CTNETLINK(message) ((uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | (message)))

struct flow {
	char tuple[TUPLE_MAX];
	size_t tuple_len;
	uint32_t id; /* so that not a new connection with the same ports is meant; 0 = none */
	uint16_t zone;
	bool has_zone;
};

struct ends {
	ipv4 source, destination;
};

struct search {
	ipv4 address;
	bool (*is_wanted)(const struct ends *original, const struct ends *reply, ipv4 address);
	bool has_more;
	bool has_strange; /* one that cannot be named */
	VEC(struct flow) flows;
};

/* 0 where there is none (IPv6): no guest has that. */
static struct ends ends_of(struct span tuple)
{
	struct ends ends = { 0 };
	struct netlink_attrs attrs, ip;

	netlink_parse(tuple, &attrs);
	netlink_parse(attrs.of[CTA_TUPLE_IP], &ip);
	(void)netlink_be32(&ip, CTA_IP_V4_SRC, &ends.source);
	(void)netlink_be32(&ip, CTA_IP_V4_DST, &ends.destination);
	return ends;
}

static bool is_any(const struct ends *original, const struct ends *reply, ipv4 address)
{
	return original->source == address || original->destination == address ||
	       reply->source == address || reply->destination == address;
}

static bool is_outgoing(const struct ends *original, const struct ends *reply, ipv4 address)
{
	(void)reply;
	return original->source == address;
}

/* It came to an address of the host, and was sent on. */
static bool is_exposed(const struct ends *original, const struct ends *reply, ipv4 address)
{
	return reply->source == address && original->destination != address;
}

static void note_flow(struct search *search, const struct netlink_attrs *attrs)
{
	struct span tuple = attrs->of[CTA_TUPLE_ORIG], zone = attrs->of[CTA_ZONE];
	struct flow flow = { .tuple_len = tuple.len };

	if (tuple.len == 0 || tuple.len > sizeof(flow.tuple)) {
		search->has_strange = true;
		return;
	}
	if (search->flows.n == FLOWS_AT_ONCE) {
		search->has_more = true;
		return;
	}
	memcpy(flow.tuple, tuple.ptr, tuple.len);
	(void)netlink_u32(attrs, CTA_ID, &flow.id);
	flow.has_zone = zone.len == sizeof(flow.zone);
	if (flow.has_zone)
		memcpy(&flow.zone, zone.ptr, sizeof(flow.zone));
	*vec_push(&search->flows) = flow;
}

static void take_flow(void *ctx, const struct netlink_message *message)
{
	struct search *search = ctx;
	struct ends original, reply;
	struct netlink_attrs attrs;

	if (!message) {
		search->flows.n = 0;
		search->has_more = search->has_strange = false;
		return;
	}
	if (message->type != CTNETLINK(IPCTNL_MSG_CT_NEW) ||
	    message->payload.len < sizeof(struct nfgenmsg))
		return;
	netlink_parse(span_from(message->payload, sizeof(struct nfgenmsg)), &attrs);
	original = ends_of(attrs.of[CTA_TUPLE_ORIG]);
	reply = ends_of(attrs.of[CTA_TUPLE_REPLY]);
	if (search->is_wanted(&original, &reply, search->address))
		note_flow(search, &attrs);
}

static void put_filter(struct netlink_request *request, uint16_t tuple, ipv4 source)
{
	bool is_original = tuple == CTA_TUPLE_ORIG;
	size_t outer = netlink_nest(request, tuple);
	size_t inner = netlink_nest(request, CTA_TUPLE_IP);

	netlink_put_be32(request, CTA_IP_V4_SRC, source);
	netlink_end(request, inner);
	netlink_end(request, outer);
	outer = netlink_nest(request, CTA_FILTER);
	netlink_put_u32(request, CTA_FILTER_ORIG_FLAGS, is_original ? WANT_SOURCE : 0);
	netlink_put_u32(request, CTA_FILTER_REPLY_FLAGS, is_original ? 0 : WANT_SOURCE);
	netlink_end(request, outer);
}

/* All connections one of whose tuples, CTA_TUPLE_ORIG or _REPLY, has the address as its source; with 0, of all there are. */
static bool find_flows(struct netlink *netlink, uint16_t tuple, struct search *search,
		       struct err *err)
{
	const struct nfgenmsg head = { .nfgen_family = AF_INET, .version = NFNETLINK_V0 };
	struct netlink_request request;

	netlink_begin(&request, CTNETLINK(IPCTNL_MSG_CT_GET), NLM_F_DUMP, NETLINK_HEAD(head));
	if (tuple != 0)
		put_filter(&request, tuple, search->address);
	return netlink_ask(netlink, &request, take_flow, search, err);
}

static bool delete_flow(struct netlink *netlink, const struct flow *flow, struct err *err)
{
	const struct nfgenmsg head = { .nfgen_family = AF_INET, .version = NFNETLINK_V0 };
	struct netlink_request request;
	struct err why = { 0 };

	netlink_begin(&request, CTNETLINK(IPCTNL_MSG_CT_DELETE), 0, NETLINK_HEAD(head));
	netlink_put(&request, CTA_TUPLE_ORIG | NLA_F_NESTED,
		    span_make(flow->tuple, flow->tuple_len));
	if (flow->id)
		netlink_put_u32(&request, CTA_ID, flow->id);
	if (flow->has_zone)
		netlink_put(&request, CTA_ZONE, NETLINK_HEAD(flow->zone));
	/* It may have ended by itself meanwhile. */
	if (netlink_ask(netlink, &request, NULL, NULL, &why) || why.sys == ENOENT)
		return true;
	*err = why;
	return false;
}

static bool forget_by(struct netlink *netlink, uint16_t tuple, struct search *search,
		      struct err *err)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		if (!find_flows(netlink, tuple, search, err))
			return false;
		vec_each(&search->flows, flow) {
			if (!delete_flow(netlink, flow, err))
				return false;
		}
		if (search->has_strange)
			return err_set(err, ERR_GENERAL, "one has no name");
		if (!search->has_more)
			return true;
	}
	return err_set(err, ERR_GENERAL, "there are too many");
}

static bool name_address(ipv4 address, struct err *err)
{
	char text[IPV4_TEXT_SIZE];

	ipv4_print(address, text);
	return err_context(err, "cannot end the connections of %s", text);
}

/* How many there are in this network namespace, or as many as can be. */
static uint64_t count_flows(void)
{
	struct err ignored = { 0 };
	char text[24];
	uint64_t n;

	if (sysctl_read("/proc/sys/net/netfilter/nf_conntrack_count", text, sizeof(text),
			&ignored) &&
	    number_parse_u64(span_of(text), UINT64_MAX, &n))
		return n;
	return UINT64_MAX;
}

/*
 * A look at the table takes milliseconds, also when it is empty: a quarter of a million buckets is usual. So none when there is
 * nothing to be found, and one in place of two while telling us of all does not take longer than that.
 */
static bool forget_all(struct netlink *netlink, struct search *search, struct err *err)
{
	uint64_t n = count_flows();

	if (n == 0)
		return true;
	if (n <= FEW_FLOWS)
		return forget_by(netlink, 0, search, err);
	return forget_by(netlink, CTA_TUPLE_ORIG, search, err) &&
	       forget_by(netlink, CTA_TUPLE_REPLY, search, err);
}

bool flows_forget(struct netlink *netlink, ipv4 address, struct err *err)
{
	struct search search = { .address = address, .is_wanted = is_any };
	bool done = forget_all(netlink, &search, err);

	vec_done(&search.flows);
	return done || name_address(address, err);
}

bool links_end_flows(struct links *links, const struct nic *nic, bool outgoing, bool exposed,
		     struct err *err)
{
	struct search search = { .address = nic->address, .is_wanted = is_outgoing };
	bool done = !outgoing || forget_by(links->flows, CTA_TUPLE_ORIG, &search, err);

	search.is_wanted = is_exposed;
	done = done && (!exposed || forget_by(links->flows, CTA_TUPLE_REPLY, &search, err));
	vec_done(&search.flows);
	return done || name_address(nic->address, err);
}
