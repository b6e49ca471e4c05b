/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/rules_compile.h. That nft lists what it makes as it does the text itself: tests/net/rules.bats. */
#include "netd/rules_compile.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "netd/rules_attr.h"
#include "netd/rules_text.h"
#include "unit.h"

/* The attributes of the only message in a transaction. */
static struct span only_message(const struct rules_batch *batch)
{
	struct nlmsghdr begin;

	memcpy(&begin, batch->bytes.ptr, sizeof(begin));
	assert_int_equal(batch->steps.n, 1);
	return span_from(str_span(&batch->bytes),
			 begin.nlmsg_len + sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg));
}

/* The bytes of all values, nests gone into. */
static void put_values(struct span attrs, struct str *out)
{
	struct span value;
	struct nlattr head;

	while (attrs.len >= sizeof(head)) {
		uint16_t type;

		memcpy(&head, attrs.ptr, sizeof(head));
		assert_true(rules_next_attr(&attrs, &type, &value));
		if (head.nla_type & NLA_F_NESTED) {
			put_values(value, out);
			continue;
		}
		str_add(out, out->len > 0 && out->ptr[out->len - 1] != '(' ? " " : "");
		for (size_t i = 0; i < value.len; i++)
			str_addf(out, "%02x", (unsigned char)value.ptr[i]);
	}
}

/* "meta(0000000f 00000001) cmp(...)" */
static void print_rule(const char *text, struct str *out)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	struct span expressions;
	struct span expression;
	uint16_t type;

	rules_batch_begin(&batch);
	rules_compile(&batch, span_of(text));
	expressions = rules_attr(only_message(&batch), NFTA_RULE_EXPRESSIONS);
	while (rules_next_attr(&expressions, &type, &expression)) {
		CLEANUP_STR struct str values = { 0 };

		put_values(rules_attr(expression, NFTA_EXPR_DATA), &values);
		str_addf(out, "%s%s(%s)", out->len > 0 ? " " : "",
			 rules_attr(expression, NFTA_EXPR_NAME).ptr, str_text(&values));
	}
}

#define IS_IPV4     "meta(0000000f 00000001) cmp(00000001 00000000 02) "
#define IS_UDP      "meta(00000010 00000001) cmp(00000001 00000000 11) "
#define IS_TCP      "meta(00000010 00000001) cmp(00000001 00000000 06) "
#define IIFNAME     "meta(00000006 00000008) "
#define TO(a, b, c) "payload(00000008 0000000" a " " b " " c ") "

/* What `nft --debug=mnl` shows of the same, where that does not join two fields into one. */
static const struct {
	const char *name, *text, *expressions;
} rows[] = {
	{ "a verdict", "drop", "immediate(00000000 00000000)" },
	{ "nothing more", "return", "immediate(00000000 fffffffb)" },
	{ "a jump", "jump ab", "immediate(00000000 fffffffd 616200)" },
	{ "names that begin so", "iifname \"tart-*\" accept",
	  IIFNAME "cmp(00000001 00000000 746172742d) immediate(00000000 00000001)" },
	{ "another name", "oifname != \"lo\"",
	  "meta(00000007 00000008) cmp(00000001 00000001 6c6f0000000000000000000000000000)" },
	{ "a set", "iifname @ab", IIFNAME "lookup(616200 00000001)" },
	{ "a map", "iifname vmap @ab goto c",
	  IIFNAME "lookup(616200 00000001 00000000) immediate(00000000 fffffffc 6300)" },
	{ "several fields", "iifname . ether saddr . ip saddr @ab",
	  "meta(00000008 00000001) cmp(00000001 00000000 0100) "
	  "payload(00000001 00000000 0000000c 00000002) cmp(00000001 00000000 0800) " IIFNAME
	  "payload(0000000c 00000000 00000006 00000006) "
	  "payload(0000000e 00000001 0000000c 00000004) lookup(616200 00000001)" },
	{ "not in a set", "iifname . ether saddr . arp saddr ether . arp saddr ip != @ab",
	  "meta(00000008 00000001) cmp(00000001 00000000 0100) " IIFNAME
	  "payload(0000000c 00000000 00000006 00000006) "
	  "payload(0000000e 00000001 00000008 00000006) "
	  "payload(00000010 00000001 0000000e 00000004) lookup(616200 00000001 00000001)" },
	{ "an address", "ip daddr 10.0.0.1",
	  IS_IPV4 TO("1", "00000010", "00000004") "cmp(00000001 00000000 0a000001)" },
	{ "a network, not", "ip saddr != 10.0.0.0/9",
	  IS_IPV4 TO(
		  "1", "0000000c",
		  "00000004") "bitwise(00000001 00000001 00000004 ff800000 00000000) cmp(00000001 00000001 "
			      "0a000000)" },
	{ "two ports of one protocol", "udp sport 68 udp dport 67",
	  IS_UDP TO("2", "00000000", "00000002") "cmp(00000001 00000000 0044) " TO(
		  "2", "00000002", "00000002") "cmp(00000001 00000000 0043)" },
	{ "IPv4 once", "ip saddr 1.1.1.1 ip daddr 2.2.2.2",
	  IS_IPV4 TO("1", "0000000c", "00000004") "cmp(00000001 00000000 01010101) " TO(
		  "1", "00000010", "00000004") "cmp(00000001 00000000 02020202)" },
	{ "a kind of ICMP", "icmp type echo-request",
	  "meta(00000010 00000001) cmp(00000001 00000000 01) payload(00000008 00000002 00000000 "
	  "00000001) cmp(00000001 00000000 08)" },
	{ "limits of segments", "tcp flags syn tcp option maxseg size set rt mtu",
	  IS_TCP TO(
		  "2", "0000000d",
		  "00000001") "bitwise(00000001 00000001 00000001 02 00) cmp(00000001 00000001 00) "
			      "rt(00000003 00000001) byteorder(00000001 00000001 00000001 00000002 00000002) "
			      "exthdr(00000001 02 00000002 00000002 00000001)" },
	{ "an answer", "reject with icmpx admin-prohibited", "reject(00000002 03)" },
	{ "another source", "masquerade", "masq()" },
	{ "another destination", "dnat ip to tcp dport map @ab",
	  IS_TCP TO(
		  "2", "00000002",
		  "00000002") "lookup(616200 00000001 00000001) nat(00000001 00000002 00000008 00000009)" },
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	{ "states", "ct state established,related",
	  "ct(00000000 00000008) bitwise(00000001 00000001 00000004 06000000 00000000) "
	  "cmp(00000001 00000001 00000000)" },
	{ "a status", "ct status dnat",
	  "ct(00000002 00000008) bitwise(00000001 00000001 00000004 20000000 00000000) "
	  "cmp(00000001 00000001 00000000)" },
	{ "a kind of address", "fib daddr type local",
	  "fib(00000002 00000003 00000008) cmp(00000001 00000000 02000000)" },
#endif
};

static void compiles_phrases(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP_FREE char *text = xasprintf("add rule inet tart chain %s\n", row->text);
		CLEANUP_STR struct str out = { 0 };

		print_rule(text, &out);
		check(strcmp(str_text(&out), row->expressions) == 0, "%s: got\n%s\nnot\n%s",
		      row->name, str_text(&out), row->expressions);
	}
}

static void print_values(const char *text, struct str *out)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	rules_batch_begin(&batch);
	rules_compile(&batch, span_of(text));
	put_values(only_message(&batch), out);
}

#define TART "7461727400 "

/* Each attribute of a set, a map and a chain with a hook, as nft has them. */
static void compiles_sets_and_chains(void **state)
{
	static const struct {
		const char *name, *text, *values;
	} messages[] = {
		{ "a chain", "add chain inet tart a", TART "6100" },
		{ "a hook",
		  "add chain inet tart a { type filter hook prerouting priority -350; policy accept; }",
		  TART "6100 66696c74657200 00000001 00000000 fffffea2" },
		{ "a hook of nat",
		  "add chain inet tart a { type nat hook postrouting priority srcnat; policy accept; }",
		  TART "6100 6e617400 00000001 00000004 00000064" },
		{ "a hook of arp",
		  "add chain arp tart a { type filter hook input priority filter; policy accept; }",
		  TART "6100 66696c74657200 00000001 00000000 00000000" },
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		{ "a set of names", "add set inet tart a { type ifname; }",
		  TART "6100 00000000 00000029 00000010 00000001 000401000000" },
		{ "a set of more", "add set inet tart a { type ifname . ether_addr . ipv4_addr; }",
		  TART "6100 00000000 00029247 0000001c 00000001 000400000000" },
		{ "a map", "add map inet tart a { type inet_service : ipv4_addr . inet_service; }",
		  TART "6100 00000008 0000000d 00000002 000001cd 00000008 00000001 "
		       "000402000000010400000000" },
		{ "a map of verdicts and intervals",
		  "add map inet tart a { type ipv4_addr : verdict; flags interval; }",
		  TART "6100 0000000c 00000007 00000004 ffffff00 00000000 00000001 "
		       "000402000000010400000000" },
		{ "a set that counts", "add set inet tart a { type ifname; counter; }",
		  TART "6100 00000000 00000029 00000010 00000001 000401000000 636f756e74657200" },
		{ "a set that limits", "add set inet tart a { type ifname; limit rate 20/second; }",
		  TART "6100 00000000 00000029 00000010 00000001 000401000000 6c696d697400 "
		       "0000000000000014 0000000000000001 00000005 00000000 00000000" },
		{ "a set that does both",
		  "add set inet tart a { type ifname; limit rate 50/second burst 60 packets counter; }",
		  TART "6100 00000100 00000029 00000010 00000001 000401000000 6c696d697400 "
		       "0000000000000032 0000000000000001 0000003c 00000000 00000000 "
		       "636f756e74657200" },
#endif
	};

	(void)state;
	each_row(messages, row) {
		CLEANUP_STR struct str out = { 0 };

		print_values(row->text, &out);
		check(strcmp(str_text(&out), row->values) == 0, "%s: got\n%s\nnot\n%s", row->name,
		      str_text(&out), row->values);
	}
}

static void see(void *ctx, struct span key, struct span data, struct span attrs)
{
	(void)data;
	str_addf(ctx, "%02x%02x%02x%02x%s ", (unsigned char)key.ptr[0], (unsigned char)key.ptr[1],
		 (unsigned char)key.ptr[2], (unsigned char)key.ptr[3],
		 rules_attr_u32(attrs, NFTA_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END ? "]" : "");
}

static void compiles_elements(void **state)
{
	static const struct {
		const char *name, *spec, *elements;
	} sets[] = {
		{ "addresses", "type ipv4_addr; elements = { 1.1.1.1, 2.2.2.2 };",
		  "01010101 02020202 " },
		{ "intervals from 0",
		  "type ipv4_addr; flags interval; elements = { 0.0.0.0/8, 9.0.0.1-9.0.0.3 };",
		  "00000000 01000000] 09000001 09000004] " },
		{ "intervals to the end",
		  "type ipv4_addr; flags interval; elements = { 224.0.0.0/3 };",
		  "00000000] e0000000 " },
	};

	(void)state;
	each_row(sets, row) {
		CLEANUP_FREE char *text = xasprintf("add set inet tart a { %s }\n", row->spec);
		CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
		CLEANUP_STR struct str out = { 0 };
		struct nlmsghdr head;

		rules_batch_begin(&batch);
		rules_compile(&batch, span_of(text));
		assert_int_equal(batch.steps.n, 2);
		memcpy(&head, batch.bytes.ptr + batch.last, sizeof(head));
		rules_each_element(
			span_make(batch.bytes.ptr + batch.last + sizeof(head) +
					  sizeof(struct nfgenmsg),
				  head.nlmsg_len - sizeof(head) - sizeof(struct nfgenmsg)),
			see, &out);
		check(strcmp(str_text(&out), row->elements) == 0, "%s: %s", row->name,
		      str_text(&out));
	}
}

/* All that is in it is known, and each command is one step, or two where it has elements. */
static void compiles_our_rules(void **state)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };
	CLEANUP_STR struct str text = { 0 };
	const struct rules_options options = {
		.subnet = { .cidr = { 0xc0a84000, 24 }, .gateway = 0xc0a84001 },
	};
	struct span rest;
	struct span line;
	size_t n = 0;

	(void)state;
	rules_text(&options, &text);
	rest = str_span(&text);
	while (span_next(&rest, '\n', &line))
		n += line.len == 0                                              ? 0 :
		     memmem(line.ptr, line.len, "elements", strlen("elements")) ? 2 :
										  1;
	rules_batch_begin(&batch);
	rules_compile(&batch, str_span(&text));
	assert_int_equal(batch.steps.n, n);
	assert_true(n > 90);
}

static void steps_know_what_they_need(void **state)
{
	CLEANUP(rules_batch_done) struct rules_batch batch = { 0 };

	(void)state;
	rules_batch_begin(&batch);
	rules_compile(&batch,
		      span_of("add rule inet tart a masquerade\nadd rule inet tart a accept"));
	assert_string_equal(batch.steps.v[0].need, "NFT_MASQ");
	assert_null(batch.steps.v[1].need);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compiles_phrases),
		cmocka_unit_test(compiles_sets_and_chains),
		cmocka_unit_test(compiles_elements),
		cmocka_unit_test(compiles_our_rules),
		cmocka_unit_test(steps_know_what_they_need),
	};

	return unit_main(tests);
}
