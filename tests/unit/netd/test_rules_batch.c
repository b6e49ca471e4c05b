/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/rules_batch.h: transactions read back as netlink messages. What the kernel makes of them: rules.bats. */
#include "netd/rules_batch.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "netd/rules_attr.h"
#include "unit.h"

#define GATEWAY 0xc0a84001u /* 192.168.64.1 */

static const struct nic plain = {
	.tap = "tart-0000000a",
	.mac = { { 0x52, 0x54, 0, 1, 2, 3 } },
	.mode = NETD_SOFTNET,
	.address = GATEWAY + 10,
};

static struct nic with_lists(const char *allow, const char *block, const char *expose)
{
	struct nic nic = plain;
	struct err err;

	if (*allow)
		assert_true(policy_list_parse(span_of(allow), "", &nic.policy.allow, &err));
	if (*block)
		assert_true(policy_list_parse(span_of(block), "", &nic.policy.block, &err));
	if (*expose)
		assert_true(expose_list_parse(span_of(expose), "", &nic.expose, &err));
	return nic;
}

struct message {
	struct nlmsghdr head;
	struct nfgenmsg family;
	struct span attrs;
};

/* Checks each length on the way. */
static bool next(struct span *rest, struct message *ret)
{
	size_t heads = sizeof(ret->head) + sizeof(ret->family);

	if (rest->len == 0)
		return false;
	assert_true(rest->len >= heads);
	memcpy(&ret->head, rest->ptr, sizeof(ret->head));
	memcpy(&ret->family, rest->ptr + sizeof(ret->head), sizeof(ret->family));
	assert_true(ret->head.nlmsg_len >= heads && ret->head.nlmsg_len <= rest->len);
	assert_int_equal(ret->head.nlmsg_len % 4, 0);
	ret->attrs = span_make(rest->ptr + heads, ret->head.nlmsg_len - heads);
	*rest = span_from(*rest, ret->head.nlmsg_len);
	return true;
}

static const char *text_in(struct span attrs, uint16_t type)
{
	struct span value = rules_attr(attrs, type);

	return value.len > 0 && value.ptr[value.len - 1] == '\0' ? value.ptr : "?";
}

static void count_element(void *ctx, struct span key, struct span data, struct span attrs)
{
	size_t *n = ctx;

	(void)data;
	(void)attrs;
	assert_true(key.len > 0);
	++*n;
}

/* "+elem inet vm_id 1", "-chain inet f_0000000a" */
static void print(const struct message *m, struct str *out)
{
	static const struct {
		uint16_t type, name;
		const char *text;
	} kinds[] = {
		{ NFT_MSG_NEWTABLE, NFTA_TABLE_NAME, "+table" },
		{ NFT_MSG_DELTABLE, NFTA_TABLE_NAME, "-table" },
		{ NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME, "+chain" },
		{ NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "-chain" },
		{ NFT_MSG_NEWRULE, NFTA_RULE_CHAIN, "+rule" },
		{ NFT_MSG_NEWSET, NFTA_SET_NAME, "+map" },
		{ NFT_MSG_DELSET, NFTA_SET_NAME, "-map" },
		{ NFT_MSG_NEWSETELEM, NFTA_SET_ELEM_LIST_SET, "+elem" },
		{ NFT_MSG_DELSETELEM, NFTA_SET_ELEM_LIST_SET, "-elem" },
	};

	each_row(kinds, kind) {
		size_t n = 0;

		if (m->head.nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | kind->type))
			continue;
		str_addf(out, "%s %s %s", kind->text,
			 m->family.nfgen_family == NFPROTO_ARP ? "arp" : "inet",
			 text_in(m->attrs, kind->name));
		rules_each_element(m->attrs, count_element, &n);
		str_addf(out, n > 1 ? " %zu\n" : "\n", n);
		return;
	}
	fail_msg("message of type %x", m->head.nlmsg_type);
}

/* The messages between begin and end, and that these are as the kernel wants them. */
static void read_back(struct rules_batch *batch, struct str *out)
{
	struct span rest;
	struct message m = { 0 };
	uint32_t seq = 0;
	uint16_t flags = NLM_F_ACK;

	rules_batch_end(batch);
	rest = str_span(&batch->bytes);
	assert_true(next(&rest, &m));
	assert_int_equal(m.head.nlmsg_type, NFNL_MSG_BATCH_BEGIN);
	while (next(&rest, &m) && m.head.nlmsg_type != NFNL_MSG_BATCH_END) {
		flags = m.head.nlmsg_flags;
		assert_int_equal(m.head.nlmsg_seq, ++seq);
		assert_string_equal(text_in(m.attrs, NFTA_TABLE_NAME), "tart");
		if (seq < batch->steps.n)
			assert_int_equal(flags & NLM_F_ACK, 0);
		print(&m, out);
	}
	assert_true(flags & NLM_F_ACK);
	assert_int_equal(m.head.nlmsg_type, NFNL_MSG_BATCH_END);
	assert_int_equal(rest.len, 0);
	assert_int_equal(seq, batch->steps.n);
	rules_batch_done(batch);
}

#define COUNTERS(sign)                                                                       \
	sign "elem inet pings\n" sign "elem inet spoofed\n" sign "elem arp spoofed\n" sign   \
	     "elem inet server\n" sign "elem inet refused\n" sign "elem inet dropped\n" sign \
	     "elem inet peer\n" sign "elem inet inbound\n" sign "elem inet forged\n"
#define IDENTITY(sign) sign "elem inet vm_id\n" sign "elem arp vm_arp\n" sign "elem arp vm_arp\n"
#define POLICY(sign)   sign "elem inet fwd_policy\n" sign "elem inet in_policy\n"
#define PEER(sign)     sign "elem inet peers\n" sign "elem arp peers\n"
#define OWN_ADDED(elements)                                                                  \
	"+map inet m_0000000a\n+elem inet m_0000000a " elements "\n+chain inet f_0000000a\n" \
	"+rule inet f_0000000a\n+rule inet f_0000000a\n+chain inet i_0000000a\n"             \
	"+rule inet i_0000000a\n+rule inet i_0000000a\n"
#define OWN_REMOVED "-chain inet f_0000000a\n-chain inet i_0000000a\n-map inet m_0000000a\n"

static void a_plain_vm(void **state)
{
	CLEANUP_STR struct str out = { 0 };
	struct rules_batch batch;

	(void)state;
	rules_batch_begin(&batch);
	rules_batch_add_vm(&batch, &plain, GATEWAY);
	read_back(&batch, &out);
	assert_string_equal(out.ptr, IDENTITY("+") COUNTERS("+") POLICY("+"));
	str_clear(&out);
	rules_batch_begin(&batch);
	rules_batch_remove_vm(&batch, &plain);
	read_back(&batch, &out);
	assert_string_equal(out.ptr, POLICY("-") COUNTERS("-") IDENTITY("-"));
}

static void a_vm_with_everything(void **state)
{
	CLEANUP_STR struct str out = { 0 };
	struct nic nic = with_lists("10.99.0.0/24,0.0.0.0/0", "8.8.8.8", "80:8080,81:81");
	struct rules_batch batch;

	(void)state;
	nic.peer = true;
	rules_batch_begin(&batch);
	rules_batch_add_vm(&batch, &nic, GATEWAY);
	read_back(&batch, &out);
	/* 0.0.0.0 to 8.8.8.7, 8.8.8.8, 8.8.8.9 to the end, which needs none. */
	assert_string_equal(out.ptr, IDENTITY("+") COUNTERS("+") PEER("+") OWN_ADDED("5")
					     POLICY("+") "+elem inet expose\n+elem inet expose\n");
	str_clear(&out);
	rules_batch_begin(&batch);
	rules_batch_remove_vm(&batch, &nic);
	read_back(&batch, &out);
	assert_string_equal(out.ptr, "-elem inet expose\n-elem inet expose\n" POLICY("-")
					     OWN_REMOVED PEER("-") COUNTERS("-") IDENTITY("-"));
	nic_done(&nic);
}

/* What counts is left alone. */
static void a_changed_vm(void **state)
{
	CLEANUP_STR struct str out = { 0 };
	struct nic was = with_lists("", "8.8.8.8", "80:8080");
	struct nic now = with_lists("1.0.0.0/8", "", "81:81");
	struct rules_batch batch;

	(void)state;
	now.peer = true;
	rules_batch_begin(&batch);
	rules_batch_change_vm(&batch, &was, &now, GATEWAY);
	read_back(&batch, &out);
	/* An end at 0, then one interval. */
	assert_string_equal(out.ptr, "-elem inet expose\n" POLICY("-") OWN_REMOVED PEER("+")
					     OWN_ADDED("3") POLICY("+") "+elem inet expose\n");
	str_clear(&out);
	rules_batch_begin(&batch);
	rules_batch_change_vm(&batch, &now, &plain, GATEWAY);
	read_back(&batch, &out);
	assert_string_equal(out.ptr,
			    "-elem inet expose\n" POLICY("-") OWN_REMOVED PEER("-") POLICY("+"));
	nic_done(&was);
	nic_done(&now);
}

struct seen {
	struct rules_key keys[8];
	size_t n;
};

static void see(void *ctx, struct span key, struct span data, struct span attrs)
{
	struct seen *seen = ctx;

	(void)data;
	(void)attrs;
	assert_true(key.len <= RULES_KEY_MAX && seen->n < ARRAY_LEN(seen->keys));
	memcpy(seen->keys[seen->n].bytes, key.ptr, key.len);
	seen->keys[seen->n++].len = key.len;
}

static void assert_key(const struct seen *seen, size_t i, const char *bytes, size_t len)
{
	assert_int_equal(seen->keys[i].len, len);
	assert_memory_equal(seen->keys[i].bytes, bytes, len);
}

static void keys_are_padded_as_the_kernel_has_them(void **state)
{
	static const char id[] = "tart-0000000a\0\0\0\x52\x54\0\1\2\3\0\0\xc0\xa8\x40\x0b";
	static const char arp[] =
		"tart-0000000a\0\0\0\x52\x54\0\1\2\3\0\0\x52\x54\0\1\2\3\0\0\xc0\xa8\x40\x0b";
	static const char probe[] =
		"tart-0000000a\0\0\0\x52\x54\0\1\2\3\0\0\x52\x54\0\1\2\3\0\0\0\0\0\0";
	struct seen seen = { 0 };
	struct rules_batch batch;
	struct span rest;
	struct message m = { 0 };

	(void)state;
	rules_batch_begin(&batch);
	rules_batch_add_vm(&batch, &plain, GATEWAY);
	rest = str_span(&batch.bytes);
	assert_true(next(&rest, &m));
	for (int i = 0; i < 4; i++) {
		assert_true(next(&rest, &m));
		rules_each_element(m.attrs, see, &seen);
	}
	assert_key(&seen, 0, id, sizeof(id) - 1);
	assert_key(&seen, 1, arp, sizeof(arp) - 1);
	assert_key(&seen, 2, probe, sizeof(probe) - 1);
	assert_key(&seen, 3, id, RULES_IFNAME_SIZE);
	rules_batch_done(&batch);
}

/* A nested attribute is at most 64 KiB: no message has more than its share, and none of the ranges is lost. */
static void long_lists_are_split(void **state)
{
	struct nic nic = plain;
	struct rules_batch batch;
	struct span rest;
	struct message m = { 0 };
	size_t n = 0;
	size_t messages = 0;

	(void)state;
	for (uint32_t i = 0; i < POLICY_LIST_MAX; i++) {
		vec_push(&nic.policy.allow)->net = (struct cidr){ 0x0a000000 + i * 256, 32 };
		vec_push(&nic.policy.block)->net = (struct cidr){ 0x0b000000 + i * 256, 32 };
	}
	rules_batch_begin(&batch);
	rules_batch_add_vm(&batch, &nic, GATEWAY);
	rest = str_span(&batch.bytes);
	while (next(&rest, &m)) {
		if (m.head.nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM) &&
		    strcmp(text_in(m.attrs, NFTA_SET_ELEM_LIST_SET), "m_0000000a") == 0) {
			rules_each_element(m.attrs, count_element, &n);
			messages++;
		}
	}
	assert_int_equal(n, 1 + 2 * 2 * POLICY_LIST_MAX);
	assert_true(messages > 1);
	rules_batch_done(&batch);
	nic_done(&nic);
}

static void refusals_name_the_port(void **state)
{
	struct nic nic = with_lists("", "", "2222:22");
	struct rules_batch batch;

	(void)state;
	rules_batch_begin(&batch);
	rules_batch_add_vm(&batch, &nic, GATEWAY);
	assert_int_equal(batch.steps.v[batch.steps.n - 1].port, 2222);
	assert_int_equal(batch.steps.v[0].port, 0);
	assert_string_equal(batch.steps.v[0].what, "vm_id");
	rules_batch_done(&batch);
	nic_done(&nic);
}

static void tells_own_names(void **state)
{
	char name[RULES_OWN_SIZE];

	(void)state;
	rules_own_name('f', "tart-0000000a", name);
	assert_string_equal(name, "f_0000000a");
	assert_true(rules_is_own_name(span_make(name, sizeof("f_0000000a"))));
	assert_false(rules_is_own_name(span_of("forward")));
	assert_false(rules_is_own_name(span_of("in_vm")));
	assert_false(rules_is_own_name(span_make(NULL, 0)));
}

/* Attributes come from the kernel, and are still not believed. */
static void broken_attributes_end_the_reading(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
	} rows[] = {
		{ "none", "", 0 },
		{ "half a head", "\x08\x00", 2 },
		{ "shorter than its head", "\x03\x00\x01\x00\x00\x00\x00\x00", 8 },
		{ "longer than the rest", "\x09\x00\x01\x00\x00\x00\x00\x00", 8 },
		{ "another", "\x08\x00\x02\x00\x00\x00\x00\x01", 8 },
		{ "of another size", "\x06\x00\x01\x00\x00\x01\x00\x00", 8 },
	};

	(void)state;
	each_row(rows, row)
		check(rules_attr_u32(span_make(row->bytes, row->len), 1) == 0, "%s", row->name);
	assert_int_equal(rules_attr_u32(span_make("\x08\x00\x01\x40\x00\x00\x00\x07", 8), 1), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_vm),
		cmocka_unit_test(a_vm_with_everything),
		cmocka_unit_test(a_changed_vm),
		cmocka_unit_test(keys_are_padded_as_the_kernel_has_them),
		cmocka_unit_test(long_lists_are_split),
		cmocka_unit_test(refusals_name_the_port),
		cmocka_unit_test(tells_own_names),
		cmocka_unit_test(broken_attributes_end_the_reading),
	};

	return unit_main(tests);
}
