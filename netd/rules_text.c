/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed ruleset.
 *
 * VMs are elements of sets, never rules. Each reason to drop has a set of its own, keyed by the TAP's name (or, for
 * packets that do not come from the VM, by its address), whose elements count: matching one counts for that VM, and the
 * rule behind it drops what no element was there for.
 */
#include "netd/rules_text.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

/* The order of rules in a chain is theirs here; sets and chains come before what names them. */
static const char text_arp[] =
	"add set arp tart vm_arp { type ifname . ether_addr . ether_addr . ipv4_addr; }\n"
	"add set arp tart peers { type ifname; }\n"
	"add set arp tart spoofed { type ifname; counter; }\n"
	"add chain arp tart drop_arp\n"
	"add rule arp tart drop_arp iifname @spoofed drop\n"
	"add rule arp tart drop_arp drop\n"
	"add chain arp tart guard\n"
	"add rule arp tart guard"
	" iifname . ether saddr . arp saddr ether . arp saddr ip != @vm_arp goto drop_arp\n"
	"add rule arp tart guard arp daddr ip $gateway accept\n"
	/* Asking whether somebody has its address, and telling that it has: nobody has to know. */
	"add rule arp tart guard"
	" iifname . ether saddr . arp saddr ether . arp daddr ip @vm_arp drop\n"
	"add rule arp tart guard iifname @peers accept\n"
	"add rule arp tart guard goto drop_arp\n"
	"add chain arp tart input { type filter hook input priority filter; policy accept; }\n"
	"add rule arp tart input iifname \"tart-*\" jump guard\n";

static const char text_sets[] =
	"add set inet tart vm_id { type ifname . ether_addr . ipv4_addr; }\n"
	"add set inet tart peers { type ifname; }\n"
	"add set inet tart pings { type ifname; limit rate 20/second; }\n"
	"add map inet tart fwd_policy { type ifname : verdict; }\n"
	"add map inet tart in_policy { type ifname : verdict; }\n"
	"add map inet tart expose { type inet_service : ipv4_addr . inet_service; }\n"
	"add set inet tart spoofed { type ifname; counter; }\n"
	"add set inet tart server { type ifname; counter; }\n"
	/* Answers to what is refused are limited for each VM, so that none can use up another's. */
	"add set inet tart refused { type ifname; limit rate 50/second burst 50 packets counter; }\n"
	"add set inet tart dropped { type ifname; counter; }\n"
	"add set inet tart peer { type ifname; counter; }\n"
	"add set inet tart inbound { type ifname; counter; }\n"
	"add set inet tart forged { type ipv4_addr; counter; }\n"
	"add set inet tart dns { type ipv4_addr; elements = $dns; }\n"
	"add set inet tart nonglobal { type ipv4_addr; flags interval; elements = {"
	" 0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12,"
	" 192.0.0.0-192.0.0.8, 192.0.0.11-192.0.0.255, 192.0.2.0/24, 192.168.0.0/16, 198.18.0.0/15,"
	" 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/3 }; }\n";

/* Before connection tracking, without state; also stops IPv6 and every TAP that is not registered. */
static const char text_guard[] =
	"add chain inet tart guard_vm\n"
	/* Asking for an address, which the DHCP child has seen already: dropped as what nobody has to know of. */
	"add rule inet tart guard_vm ip saddr 0.0.0.0 udp sport 68 udp dport 67 drop\n"
	"add rule inet tart guard_vm udp sport 67 iifname @server drop\n"
	"add rule inet tart guard_vm udp sport 67 drop\n"
	"add rule inet tart guard_vm iifname . ether saddr . ip saddr @vm_id return\n"
	"add rule inet tart guard_vm iifname @spoofed drop\n"
	"add rule inet tart guard_vm drop\n"
	/*
	 * Nobody but VMs has addresses of the subnet: what comes in with one elsewhere would open connections in a VM's name
	 * where the kernel does not look at the way back (rp_filter). The host itself has one, and hears its own broadcasts
	 * as coming from tart0.
	 */
	"add chain inet tart guard_net\n"
	"add rule inet tart guard_net iifname \"lo\" accept\n"
	"add rule inet tart guard_net iifname \"tart0\" accept\n"
	"add rule inet tart guard_net ip saddr @forged drop\n"
	"add rule inet tart guard_net drop\n"
	"add chain inet tart guard { type filter hook prerouting priority -350; policy accept; }\n"
	"add rule inet tart guard iifname \"tart-*\" goto guard_vm\n"
	"add rule inet tart guard ip saddr $net goto guard_net\n";

static const char text_forward[] =
	"add chain inet tart discard\n"
	"add rule inet tart discard iifname @dropped drop\n"
	"add rule inet tart discard drop\n"
	"add chain inet tart deny\n"
	"add rule inet tart deny iifname @refused reject with icmpx admin-prohibited\n"
	"add rule inet tart deny goto discard\n"

	"add chain inet tart nat_fwd\n"
	"add rule inet tart nat_fwd accept\n"
	"add chain inet tart softnet_fwd\n"
	"add rule inet tart softnet_fwd ip daddr @dns udp dport 53 accept\n"
	"add rule inet tart softnet_fwd ip daddr @dns tcp dport 53 accept\n"
	"add rule inet tart softnet_fwd ip daddr @nonglobal goto deny\n"
	"add rule inet tart softnet_fwd accept\n"
	"add chain inet tart host_fwd\n"
	"add rule inet tart host_fwd goto deny\n"

	/* Between peers, too, each one's lists decide where it may go; answers pass. */
	"add chain inet tart peer_to_peer\n"
	"add rule inet tart peer_to_peer ct state established,related accept\n"
	"add rule inet tart peer_to_peer iifname vmap @fwd_policy\n"
	"add rule inet tart peer_to_peer drop\n"
	"add chain inet tart vm_to_vm\n"
	"add rule inet tart vm_to_vm iifname @peers oifname @peers goto peer_to_peer\n"
	"add rule inet tart vm_to_vm iifname @peer drop\n"
	"add rule inet tart vm_to_vm drop\n"
	"add chain inet tart from_vm\n"
	"add rule inet tart from_vm oifname \"tart-*\" goto vm_to_vm\n"
	"add rule inet tart from_vm ct state established,related accept\n"
	"add rule inet tart from_vm tcp flags syn tcp option maxseg size set rt mtu\n"
	"add rule inet tart from_vm iifname vmap @fwd_policy\n"
	"add rule inet tart from_vm drop\n"
	"add chain inet tart to_vm\n"
	"add rule inet tart to_vm ct state established,related accept\n"
	"add rule inet tart to_vm ct status dnat accept\n"
	"add rule inet tart to_vm oifname @inbound drop\n"
	"add rule inet tart to_vm drop\n"
	"add chain inet tart forward { type filter hook forward priority filter; policy accept; }\n"
	"add rule inet tart forward iifname \"tart-*\" jump from_vm\n"
	"add rule inet tart forward oifname \"tart-*\" jump to_vm\n";

static const char text_input[] =
	"add chain inet tart nat_in\n"
	"add rule inet tart nat_in accept\n"
	"add chain inet tart softnet_in\n"
	"add rule inet tart softnet_in ip daddr @dns udp dport 53 accept\n"
	"add rule inet tart softnet_in ip daddr @dns tcp dport 53 accept\n"
	"add rule inet tart softnet_in ip daddr $gateway icmp type echo-request iifname @pings accept\n"
	"add rule inet tart softnet_in fib daddr type broadcast goto discard\n"
	"add rule inet tart softnet_in fib daddr type multicast goto discard\n"
	"add rule inet tart softnet_in goto deny\n"
	"add chain inet tart host_in\n"
	"add rule inet tart host_in ip daddr $gateway accept\n"
	"add rule inet tart host_in fib daddr type broadcast goto discard\n"
	"add rule inet tart host_in fib daddr type multicast goto discard\n"
	"add rule inet tart host_in goto deny\n"
	"add chain inet tart in_vm\n"
	/* The DHCP child has seen it already, on its packet socket. */
	"add rule inet tart in_vm udp dport 67 drop\n"
	"add rule inet tart in_vm ct state established,related accept\n"
	"add rule inet tart in_vm iifname vmap @in_policy\n"
	"add rule inet tart in_vm drop\n"
	"add chain inet tart input { type filter hook input priority filter; policy accept; }\n"
	"add rule inet tart input iifname \"tart-*\" jump in_vm\n";

static const char text_nat[] =
	"add chain inet tart dnat_in"
	" { type nat hook prerouting priority dstnat; policy accept; }\n"
	"add rule inet tart dnat_in iifname != \"tart-*\" iifname != \"lo\" fib daddr type local"
	" dnat ip to tcp dport map @expose\n"
	"add chain inet tart dnat_out { type nat hook output priority -100; policy accept; }\n"
	"add rule inet tart dnat_out ip daddr != 127.0.0.0/8 fib daddr type local"
	" dnat ip to tcp dport map @expose\n"
	"add chain inet tart masq { type nat hook postrouting priority srcnat; policy accept; }\n"
	/* What the host says to itself stays as it is. */
	"add rule inet tart masq ip saddr $net oifname != \"tart-*\" oifname != \"tart0\""
	" oifname != \"lo\" masquerade\n";

const struct rules_set_name rules_sets[RULES_SETS] = {
	[RULES_VM_ID] = { false, "vm_id" },
	[RULES_VM_ARP] = { true, "vm_arp" },
	[RULES_PEERS] = { false, "peers" },
	[RULES_PEERS_ARP] = { true, "peers" },
	[RULES_FWD] = { false, "fwd_policy" },
	[RULES_IN] = { false, "in_policy" },
	[RULES_PINGS] = { false, "pings" },
	[RULES_EXPOSE] = { false, "expose" },
	[RULES_COUNTERS + NETD_C_SPOOFED] = { false, "spoofed" },
	[RULES_COUNTERS + NETD_C_ARP] = { true, "spoofed" },
	[RULES_COUNTERS + NETD_C_SERVER] = { false, "server" },
	[RULES_COUNTERS + NETD_C_REFUSED] = { false, "refused" },
	[RULES_COUNTERS + NETD_C_DROPPED] = { false, "dropped" },
	[RULES_COUNTERS + NETD_C_PEER] = { false, "peer" },
	[RULES_COUNTERS + NETD_C_INBOUND] = { false, "inbound" },
	[RULES_COUNTERS + NETD_C_FORGED] = { false, "forged" },
};

static void put_dns(const struct rules_options *options, struct str *out)
{
	char text[IPV4_TEXT_SIZE];

	ipv4_print(options->subnet.gateway, text);
	str_addf(out, "{ %s", text);
	for (size_t i = 0; i < ARRAY_LEN(options->dns) && options->dns[i] != 0; i++) {
		if (options->dns[i] == options->subnet.gateway)
			continue;
		ipv4_print(options->dns[i], text);
		str_addf(out, ", %s", text);
	}
	str_add(out, " }");
}

static void put_option(const struct rules_options *options, struct span name, struct str *out)
{
	char text[CIDR_TEXT_SIZE];

	if (span_is(name, "$dns")) {
		put_dns(options, out);
		return;
	}
	if (span_is(name, "$gateway"))
		ipv4_print(options->subnet.gateway, text);
	else
		cidr_print(&options->subnet.cidr, text);
	str_add(out, text);
}

static void put_part(const struct rules_options *options, const char *part, struct str *out)
{
	struct span rest = span_of(part);

	while (rest.len > 0) {
		size_t plain = span_find(rest, '$');
		size_t name;

		str_add_span(out, span_first(rest, plain));
		rest = span_from(rest, plain);
		name = rest.len > 0 ? 1 + strspn(rest.ptr + 1, "abcdefghijklmnopqrstuvwxyz") : 0;
		if (name > 0)
			put_option(options, span_first(rest, name), out);
		rest = span_from(rest, name);
	}
}

void rules_text(const struct rules_options *options, struct str *out)
{
	static const char *const parts[] = { text_arp,     text_sets,  text_guard,
					     text_forward, text_input, text_nat };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		put_part(options, parts[i], out);
}

size_t rules_text_count(struct span text, bool arp)
{
	const char *start = arp ? "add rule arp " : "add rule inet ";
	struct span line;
	size_t n = 0;

	while (span_next(&text, '\n', &line))
		n += span_starts_with(line, start);
	return n;
}

/* FNV-1a. Nobody gains by another text of the same hash: who can make tables needs no such thing. */
void rules_text_marker(struct span messages, char ret[RULES_MARKER_SIZE])
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < messages.len; i++) {
		hash ^= (unsigned char)messages.ptr[i];
		hash *= 0x100000001b3;
	}
	(void)snprintf(ret, RULES_MARKER_SIZE, "is_%016" PRIx64, hash);
}

static bool contains(struct span text, const char *word)
{
	return memmem(text.ptr, text.len, word, strlen(word)) != NULL;
}

const char *rules_text_need(struct span command)
{
	static const struct {
		const char *word, *need;
	} needs[] = {
		{ " masquerade", "NFT_MASQ" },
		{ " fib daddr",
		  "NFT_FIB_INET" }, /* also with dnat, which the chain has told of before */
		{ "type nat hook", "NFT_NAT" },
		{ " dnat ip", "NFT_NAT" },
		{ "limit rate", "NFT_LIMIT" },
		{ " reject with", "NFT_REJECT_INET" },
		{ " ct state", "NFT_CT" },
		{ " ct status", "NFT_CT" },
		{ " arp tart", "NF_TABLES_ARP" },
		{ "hook ", "NF_TABLES_INET" },
	};

	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (contains(command, needs[i].word))
			return needs[i].need;
	return NULL;
}

const char *rules_text_forward_chain(enum netd_mode mode)
{
	return mode == NETD_NAT ? "nat_fwd" : mode == NETD_HOST ? "host_fwd" : "softnet_fwd";
}

const char *rules_text_input_chain(enum netd_mode mode)
{
	return mode == NETD_NAT ? "nat_in" : mode == NETD_HOST ? "host_in" : "softnet_in";
}
