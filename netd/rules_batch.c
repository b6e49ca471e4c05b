/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions of nf_tables as netlink messages. */
#include "netd/rules_batch.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>

/* nft's numbers for types of keys and values: for listings only. */
#define TYPE_IPV4_ADDR 7
#define TYPE_VERDICT   0xffffff00u

#define TRIED_TABLE "tart_try"

/* Ranges in one message: the length of a nested attribute has 16 bits. */
#define RANGES_PER_MESSAGE 256

static size_t put_open(struct str *out, uint16_t type)
{
	struct nlattr attr = { .nla_type = type };
	size_t start = out->len;

	str_add_span(out, span_make((const char *)&attr, sizeof(attr)));
	return start;
}

static void put_padding(struct str *out)
{
	static const char zeroes[NLA_ALIGNTO];

	str_add_span(out, span_make(zeroes, (NLA_ALIGNTO - out->len % NLA_ALIGNTO) % NLA_ALIGNTO));
}

static void put_close(struct str *out, size_t start)
{
	size_t len = out->len - start;
	struct nlattr attr;

	assert(len <= UINT16_MAX);
	memcpy(&attr, out->ptr + start, sizeof(attr));
	attr.nla_len = (uint16_t)len;
	memcpy(out->ptr + start, &attr, sizeof(attr));
	put_padding(out);
}

static size_t put_nest(struct str *out, uint16_t type)
{
	return put_open(out, type | NLA_F_NESTED);
}

static void put_span(struct str *out, uint16_t type, struct span value)
{
	size_t start = put_open(out, type);

	str_add_span(out, value);
	put_close(out, start);
}

static void put_text(struct str *out, uint16_t type, const char *text)
{
	put_span(out, type, span_make(text, strlen(text) + 1));
}

/* In network order, as all of nf_tables' numbers. */
static void put_u32(struct str *out, uint16_t type, uint32_t value)
{
	uint32_t be = htonl(value);

	put_span(out, type, span_make((const char *)&be, sizeof(be)));
}

static size_t message_open(struct str *out, uint16_t type, uint16_t flags, uint32_t seq,
			   struct nfgenmsg family)
{
	struct nlmsghdr head = { .nlmsg_type = type,
				 .nlmsg_flags = NLM_F_REQUEST | flags,
				 .nlmsg_seq = seq };
	size_t start = out->len;

	str_add_span(out, span_make((const char *)&head, sizeof(head)));
	str_add_span(out, span_make((const char *)&family, sizeof(family)));
	return start;
}

static void message_close(struct str *out, size_t start)
{
	struct nlmsghdr head;

	memcpy(&head, out->ptr + start, sizeof(head));
	head.nlmsg_len = (uint32_t)(out->len - start);
	memcpy(out->ptr + start, &head, sizeof(head));
}

static struct nfgenmsg family_of(bool arp)
{
	return (struct nfgenmsg){ .nfgen_family = arp ? NFPROTO_ARP : NFPROTO_INET,
				  .version = NFNETLINK_V0 };
}

static uint16_t nft_type(uint16_t message)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

static void put_bracket(struct rules_batch *batch, uint16_t type, uint32_t seq)
{
	struct nfgenmsg family = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	message_close(&batch->bytes, message_open(&batch->bytes, type, 0, seq, family));
}

void rules_batch_begin(struct rules_batch *batch)
{
	*batch = (struct rules_batch){ 0 };
	put_bracket(batch, NFNL_MSG_BATCH_BEGIN, 0);
}

/* The answer to the last message tells that all has been done: nothing else is answered but what is refused. */
void rules_batch_end(struct rules_batch *batch)
{
	struct nlmsghdr head;

	assert(batch->steps.n > 0);
	memcpy(&head, batch->bytes.ptr + batch->last, sizeof(head));
	head.nlmsg_flags |= NLM_F_ACK;
	memcpy(batch->bytes.ptr + batch->last, &head, sizeof(head));
	put_bracket(batch, NFNL_MSG_BATCH_END, (uint32_t)batch->steps.n + 1);
}

void rules_batch_done(struct rules_batch *batch)
{
	str_done(&batch->bytes);
	vec_done(&batch->steps);
}

/* The next message of a transaction; its first attribute names the table, whose number is 1 in all of them. */
static size_t step_open_in(struct rules_batch *batch, const char *table, uint16_t type,
			   uint16_t flags, bool arp, struct rules_step step)
{
	size_t start;

	*vec_push(&batch->steps) = step;
	start = message_open(&batch->bytes, nft_type(type), flags, (uint32_t)batch->steps.n,
			     family_of(arp));
	batch->last = start;
	put_text(&batch->bytes, NFTA_TABLE_NAME, table);
	return start;
}

static size_t step_open(struct rules_batch *batch, uint16_t type, uint16_t flags, bool arp,
			struct rules_step step)
{
	return step_open_in(batch, RULES_TABLE, type, flags, arp, step);
}

void rules_batch_try_flags(struct rules_batch *batch, uint32_t flags)
{
	struct rules_step step = { .what = "the table" };
	size_t start = step_open_in(batch, TRIED_TABLE, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL,
				    false, step);

	put_u32(&batch->bytes, NFTA_TABLE_FLAGS, flags);
	message_close(&batch->bytes, start);
	start = step_open_in(batch, TRIED_TABLE, NFT_MSG_DELTABLE, 0, false, step);
	message_close(&batch->bytes, start);
}

static void put_tables(struct rules_batch *batch, uint16_t message_flags, uint32_t flags)
{
	for (int arp = 0; arp <= 1; arp++) {
		size_t start = step_open(batch, NFT_MSG_NEWTABLE, message_flags, arp != 0,
					 (struct rules_step){ .what = "the table" });

		put_u32(&batch->bytes, NFTA_TABLE_FLAGS, flags);
		message_close(&batch->bytes, start);
	}
}

void rules_batch_create_tables(struct rules_batch *batch, uint32_t flags)
{
	put_tables(batch, NLM_F_CREATE | NLM_F_EXCL, flags);
}

void rules_batch_claim_tables(struct rules_batch *batch, uint32_t flags)
{
	put_tables(batch, 0, flags);
}

void rules_batch_delete_table(struct rules_batch *batch, bool arp)
{
	message_close(&batch->bytes, step_open(batch, NFT_MSG_DELTABLE, 0, arp,
					       (struct rules_step){ .what = "the table" }));
}

static void put_chain(struct rules_batch *batch, uint16_t type, bool arp, const char *name)
{
	uint16_t flags = type == NFT_MSG_NEWCHAIN ? NLM_F_CREATE : 0;
	size_t start = step_open(batch, type, flags, arp, (struct rules_step){ .what = "a chain" });

	put_text(&batch->bytes, NFTA_CHAIN_NAME, name);
	message_close(&batch->bytes, start);
}

static void key_add(struct rules_key *key, const void *part, size_t len)
{
	size_t room = (len + 3) & ~(size_t)3;

	assert(key->len + room <= sizeof(key->bytes));
	memcpy(key->bytes + key->len, part, len);
	key->len += room;
}

static void key_add_mac(struct rules_key *key, const struct mac *mac)
{
	key_add(key, mac->octets, sizeof(mac->octets));
}

static void key_add_address(struct rules_key *key, ipv4 address)
{
	uint32_t be = htonl(address);

	key_add(key, &be, sizeof(be));
}

static struct span key_span(const struct rules_key *key)
{
	return span_make(key->bytes, key->len);
}

struct rules_key rules_key_of_tap(const char *tap)
{
	struct rules_key key = { 0 };
	char name[RULES_IFNAME_SIZE] = { 0 };

	assert(netd_is_tap_name(tap));
	memcpy(name, tap, strlen(tap));
	key_add(&key, name, sizeof(name));
	return key;
}

static struct rules_key id_key(const struct nic *nic)
{
	struct rules_key key = rules_key_of_tap(nic->tap);

	key_add_mac(&key, &nic->mac);
	key_add_address(&key, nic->address);
	return key;
}

static struct rules_key arp_key(const struct nic *nic, ipv4 address)
{
	struct rules_key key = rules_key_of_tap(nic->tap);

	key_add_mac(&key, &nic->mac);
	key_add_mac(&key, &nic->mac);
	key_add_address(&key, address);
	return key;
}

void rules_own_name(char kind, const char *tap, char ret[RULES_OWN_SIZE])
{
	assert(netd_is_tap_name(tap));
	(void)snprintf(ret, RULES_OWN_SIZE, "%c_%s", kind, tap + strlen(NETD_TAP_PREFIX));
}

bool rules_is_own_name(struct span name)
{
	return name.len > 2 && strchr("fim", name.ptr[0]) && name.ptr[1] == '_';
}

static void put_value(struct str *out, uint16_t type, struct span value)
{
	size_t start = put_nest(out, type);

	put_span(out, NFTA_DATA_VALUE, value);
	put_close(out, start);
}

/* What a map says or a rule ends with: `goto` a chain, or accept when that is NULL. */
static void put_verdict(struct str *out, uint16_t type, const char *chain)
{
	size_t data = put_nest(out, type);
	size_t verdict = put_nest(out, NFTA_DATA_VERDICT);

	put_u32(out, NFTA_VERDICT_CODE, chain ? (uint32_t)NFT_GOTO : NF_ACCEPT);
	if (chain)
		put_text(out, NFTA_VERDICT_CHAIN, chain);
	put_close(out, verdict);
	put_close(out, data);
}

/* One message with elements of one set: put them between open and close. */
struct elements {
	size_t message, list;
};

static struct elements elements_open(struct rules_batch *batch, uint16_t type, bool arp,
				     const char *set, struct rules_step step)
{
	/* EXCL: one that is there already is an error, not the same as done. */
	uint16_t flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct elements at = { .message = step_open(batch, type, flags, arp, step) };

	put_text(&batch->bytes, NFTA_SET_ELEM_LIST_SET, set);
	at.list = put_nest(&batch->bytes, NFTA_SET_ELEM_LIST_ELEMENTS);
	return at;
}

static void elements_close(struct rules_batch *batch, struct elements at)
{
	put_close(&batch->bytes, at.list);
	message_close(&batch->bytes, at.message);
}

static size_t put_element(struct str *out, struct span key)
{
	size_t element = put_nest(out, NFTA_LIST_ELEM);

	put_value(out, NFTA_SET_ELEM_KEY, key);
	return element;
}

static struct elements set_open(struct rules_batch *batch, uint16_t type, enum rules_set set)
{
	const struct rules_set_name *name = &rules_sets[set];

	return elements_open(batch, type, name->arp, name->name,
			     (struct rules_step){ .what = name->name });
}

static void put_key(struct rules_batch *batch, uint16_t type, enum rules_set set, struct span key)
{
	struct elements at = set_open(batch, type, set);

	put_close(&batch->bytes, put_element(&batch->bytes, key));
	elements_close(batch, at);
}

void rules_batch_delete_element(struct rules_batch *batch, enum rules_set set, struct span key)
{
	put_key(batch, NFT_MSG_DELSETELEM, set, key);
}

static void put_policy(struct rules_batch *batch, enum rules_set map, struct span key,
		       const char *chain)
{
	struct elements at = set_open(batch, NFT_MSG_NEWSETELEM, map);
	size_t element = put_element(&batch->bytes, key);

	put_verdict(&batch->bytes, NFTA_SET_ELEM_DATA, chain);
	put_close(&batch->bytes, element);
	elements_close(batch, at);
}

static void put_expose(struct rules_batch *batch, uint16_t type, const struct expose *expose,
		       ipv4 address)
{
	uint16_t external = htons(expose->external);
	uint16_t internal = htons(expose->internal);
	struct rules_key target = { 0 };
	struct elements at =
		elements_open(batch, type, false, rules_sets[RULES_EXPOSE].name,
			      (struct rules_step){ .what = "expose", .port = expose->external });
	size_t element = put_element(&batch->bytes,
				     span_make((const char *)&external, sizeof(external)));

	if (type == NFT_MSG_NEWSETELEM) {
		key_add_address(&target, address);
		key_add(&target, &internal, sizeof(internal));
		put_value(&batch->bytes, NFTA_SET_ELEM_DATA, key_span(&target));
	}
	put_close(&batch->bytes, element);
	elements_close(batch, at);
}

/* Expressions of rules: each is a name and its data. */
struct expression {
	size_t element, data;
};

static struct expression expression_open(struct str *out, const char *name)
{
	struct expression at = { .element = put_nest(out, NFTA_LIST_ELEM) };

	put_text(out, NFTA_EXPR_NAME, name);
	at.data = put_nest(out, NFTA_EXPR_DATA);
	return at;
}

static void expression_close(struct str *out, struct expression at)
{
	put_close(out, at.data);
	put_close(out, at.element);
}

static void put_is_ipv4(struct str *out)
{
	static const char protocol = NFPROTO_IPV4;
	struct expression meta = expression_open(out, "meta");
	struct expression compare;

	put_u32(out, NFTA_META_KEY, NFT_META_NFPROTO);
	put_u32(out, NFTA_META_DREG, NFT_REG_1);
	expression_close(out, meta);
	compare = expression_open(out, "cmp");
	put_u32(out, NFTA_CMP_SREG, NFT_REG_1);
	put_u32(out, NFTA_CMP_OP, NFT_CMP_EQ);
	put_value(out, NFTA_CMP_DATA, span_make(&protocol, sizeof(protocol)));
	expression_close(out, compare);
}

/* `ip daddr`: four bytes at offset 16 of the IPv4 header. */
static void put_load_destination(struct str *out)
{
	struct expression payload = expression_open(out, "payload");

	put_u32(out, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_u32(out, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_u32(out, NFTA_PAYLOAD_OFFSET, 16);
	put_u32(out, NFTA_PAYLOAD_LEN, 4);
	expression_close(out, payload);
}

static void put_verdict_of(struct str *out, const char *map)
{
	struct expression lookup = expression_open(out, "lookup");

	put_text(out, NFTA_LOOKUP_SET, map);
	put_u32(out, NFTA_LOOKUP_SREG, NFT_REG_1);
	put_u32(out, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	expression_close(out, lookup);
}

static void put_goto(struct str *out, const char *chain)
{
	struct expression immediate = expression_open(out, "immediate");

	put_u32(out, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	put_verdict(out, NFTA_IMMEDIATE_DATA, chain);
	expression_close(out, immediate);
}

struct rule {
	size_t message, expressions;
};

static struct rule rule_open(struct rules_batch *batch, const char *chain)
{
	struct rule at = { .message = step_open(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
						false, (struct rules_step){ .what = "a rule" }) };

	put_text(&batch->bytes, NFTA_RULE_CHAIN, chain);
	at.expressions = put_nest(&batch->bytes, NFTA_RULE_EXPRESSIONS);
	return at;
}

static void rule_close(struct rules_batch *batch, struct rule at)
{
	put_close(&batch->bytes, at.expressions);
	message_close(&batch->bytes, at.message);
}

/* chain { ip daddr vmap @map; goto otherwise } */
static void put_own_chain(struct rules_batch *batch, const char *chain, const char *map,
			  const char *otherwise)
{
	struct rule rule;

	put_chain(batch, NFT_MSG_NEWCHAIN, false, chain);
	rule = rule_open(batch, chain);
	put_is_ipv4(&batch->bytes);
	put_load_destination(&batch->bytes);
	put_verdict_of(&batch->bytes, map);
	rule_close(batch, rule);
	rule = rule_open(batch, chain);
	put_goto(&batch->bytes, otherwise);
	rule_close(batch, rule);
}

/* map { type ipv4_addr : verdict; flags interval; } */
static void put_own_map(struct rules_batch *batch, const char *name)
{
	struct str *out = &batch->bytes;
	size_t start = step_open(batch, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, false,
				 (struct rules_step){ .what = "a map" });

	put_text(out, NFTA_SET_NAME, name);
	put_u32(out, NFTA_SET_FLAGS, NFT_SET_MAP | NFT_SET_INTERVAL);
	put_u32(out, NFTA_SET_KEY_TYPE, TYPE_IPV4_ADDR);
	put_u32(out, NFTA_SET_KEY_LEN, sizeof(ipv4));
	put_u32(out, NFTA_SET_DATA_TYPE, TYPE_VERDICT);
	put_u32(out, NFTA_SET_DATA_LEN, 0);
	put_u32(out, NFTA_SET_ID, ++batch->n_sets);
	message_close(out, start);
}

static void put_range_end(struct str *out, ipv4 after)
{
	struct rules_key key = { 0 };
	size_t element = put_nest(out, NFTA_LIST_ELEM);

	key_add_address(&key, after);
	put_u32(out, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	put_value(out, NFTA_SET_ELEM_KEY, key_span(&key));
	put_close(out, element);
}

/* An interval is where it begins, with its verdict, and where the next thing begins, unless it goes to the very end. */
static void put_range(struct str *out, const struct policy_range *range)
{
	struct rules_key key = { 0 };
	size_t element;

	key_add_address(&key, range->first);
	element = put_element(out, key_span(&key));
	put_verdict(out, NFTA_SET_ELEM_DATA, range->verdict == POLICY_ALLOW ? NULL : RULES_DENY);
	put_close(out, element);
	if (range->last != UINT32_MAX)
		put_range_end(out, range->last + 1);
}

/* As nft does it: what begins later than at 0 is preceded by an end there. */
static void put_ranges(struct rules_batch *batch, const char *map, const policy_ranges *ranges)
{
	struct rules_step step = { .what = "a range" };

	for (size_t i = 0; i < ranges->n;) {
		struct elements at = elements_open(batch, NFT_MSG_NEWSETELEM, false, map, step);

		if (i == 0 && ranges->v[0].first != 0)
			put_range_end(&batch->bytes, 0);
		for (size_t k = 0; k < RANGES_PER_MESSAGE && i < ranges->n; k++, i++)
			put_range(&batch->bytes, &ranges->v[i]);
		elements_close(batch, at);
	}
}

static bool has_lists(const struct nic *nic)
{
	return nic->mode == NETD_SOFTNET && (nic->policy.allow.n > 0 || nic->policy.block.n > 0);
}

/* Before the elements that lead to it. */
static void put_own(struct rules_batch *batch, const struct nic *nic, ipv4 gateway)
{
	char map[RULES_OWN_SIZE];
	char chain[RULES_OWN_SIZE];
	policy_ranges ranges = { 0 };

	rules_own_name('m', nic->tap, map);
	put_own_map(batch, map);
	policy_flatten(&nic->policy, gateway, &ranges);
	put_ranges(batch, map, &ranges);
	vec_done(&ranges);
	rules_own_name('f', nic->tap, chain);
	put_own_chain(batch, chain, map, rules_text_forward_chain(nic->mode));
	rules_own_name('i', nic->tap, chain);
	put_own_chain(batch, chain, map, rules_text_input_chain(nic->mode));
}

/* After the elements that lead to it: a chain that is gone to cannot go. Its rules go with it. */
void rules_batch_delete_own(struct rules_batch *batch, const char *tap)
{
	char name[RULES_OWN_SIZE];
	size_t start;

	rules_own_name('f', tap, name);
	put_chain(batch, NFT_MSG_DELCHAIN, false, name);
	rules_own_name('i', tap, name);
	put_chain(batch, NFT_MSG_DELCHAIN, false, name);
	rules_own_name('m', tap, name);
	start = step_open(batch, NFT_MSG_DELSET, 0, false, (struct rules_step){ .what = "a map" });
	put_text(&batch->bytes, NFTA_SET_NAME, name);
	message_close(&batch->bytes, start);
}

static void add_policy(struct rules_batch *batch, const struct nic *nic, ipv4 gateway)
{
	struct rules_key tap = rules_key_of_tap(nic->tap);
	char chain[RULES_OWN_SIZE];

	if (has_lists(nic))
		put_own(batch, nic, gateway);
	rules_own_name('f', nic->tap, chain);
	put_policy(batch, RULES_FWD, key_span(&tap),
		   has_lists(nic) ? chain : rules_text_forward_chain(nic->mode));
	rules_own_name('i', nic->tap, chain);
	put_policy(batch, RULES_IN, key_span(&tap),
		   has_lists(nic) ? chain : rules_text_input_chain(nic->mode));
}

static void remove_policy(struct rules_batch *batch, const struct nic *nic)
{
	struct rules_key tap = rules_key_of_tap(nic->tap);

	put_key(batch, NFT_MSG_DELSETELEM, RULES_FWD, key_span(&tap));
	put_key(batch, NFT_MSG_DELSETELEM, RULES_IN, key_span(&tap));
	if (has_lists(nic))
		rules_batch_delete_own(batch, nic->tap);
}

static void put_identity(struct rules_batch *batch, uint16_t type, const struct nic *nic)
{
	struct rules_key id = id_key(nic);
	struct rules_key arp = arp_key(nic, nic->address);
	struct rules_key probe = arp_key(nic, 0); /* before it uses the address: RFC 5227 */

	put_key(batch, type, RULES_VM_ID, key_span(&id));
	put_key(batch, type, RULES_VM_ARP, key_span(&arp));
	put_key(batch, type, RULES_VM_ARP, key_span(&probe));
}

static void put_peer(struct rules_batch *batch, uint16_t type, const struct nic *nic)
{
	struct rules_key tap = rules_key_of_tap(nic->tap);

	put_key(batch, type, RULES_PEERS, key_span(&tap));
	put_key(batch, type, RULES_PEERS_ARP, key_span(&tap));
}

static void put_counters(struct rules_batch *batch, uint16_t type, const struct nic *nic)
{
	struct rules_key tap = rules_key_of_tap(nic->tap);

	put_key(batch, type, RULES_PINGS, key_span(&tap));
	for (int i = 0; i < NETD_COUNTERS; i++)
		put_key(batch, type, RULES_COUNTERS + i, key_span(&tap));
}

void rules_batch_add_vm(struct rules_batch *batch, const struct nic *nic, ipv4 gateway)
{
	put_identity(batch, NFT_MSG_NEWSETELEM, nic);
	put_counters(batch, NFT_MSG_NEWSETELEM, nic);
	if (nic->peer)
		put_peer(batch, NFT_MSG_NEWSETELEM, nic);
	add_policy(batch, nic, gateway);
	vec_each(&nic->expose, expose)
		put_expose(batch, NFT_MSG_NEWSETELEM, expose, nic->address);
}

void rules_batch_remove_vm(struct rules_batch *batch, const struct nic *nic)
{
	vec_each(&nic->expose, expose)
		put_expose(batch, NFT_MSG_DELSETELEM, expose, nic->address);
	remove_policy(batch, nic);
	if (nic->peer)
		put_peer(batch, NFT_MSG_DELSETELEM, nic);
	put_counters(batch, NFT_MSG_DELSETELEM, nic);
	put_identity(batch, NFT_MSG_DELSETELEM, nic);
}

/* What it has counted so far stays. */
void rules_batch_change_vm(struct rules_batch *batch, const struct nic *was, const struct nic *now,
			   ipv4 gateway)
{
	assert(strcmp(was->tap, now->tap) == 0);
	vec_each(&was->expose, expose)
		put_expose(batch, NFT_MSG_DELSETELEM, expose, was->address);
	remove_policy(batch, was);
	if (was->peer && !now->peer)
		put_peer(batch, NFT_MSG_DELSETELEM, was);
	if (now->peer && !was->peer)
		put_peer(batch, NFT_MSG_NEWSETELEM, now);
	add_policy(batch, now, gateway);
	vec_each(&now->expose, expose)
		put_expose(batch, NFT_MSG_NEWSETELEM, expose, now->address);
}

/* The same first attribute as in step_open(). */
static size_t ask_open(struct str *out, uint16_t type, uint16_t flags, uint32_t seq, bool arp)
{
	size_t start = message_open(out, nft_type(type), flags, seq, family_of(arp));

	put_text(out, NFTA_TABLE_NAME, RULES_TABLE);
	return start;
}

void rules_ask_table(struct str *out, uint32_t seq, bool arp)
{
	message_close(out, ask_open(out, NFT_MSG_GETTABLE, 0, seq, arp));
}

void rules_ask_chain(struct str *out, uint32_t seq, bool arp, const char *chain)
{
	size_t start = ask_open(out, NFT_MSG_GETCHAIN, 0, seq, arp);

	put_text(out, NFTA_CHAIN_NAME, chain);
	message_close(out, start);
}

void rules_ask_all_rules(struct str *out, uint32_t seq, bool arp)
{
	message_close(out, ask_open(out, NFT_MSG_GETRULE, NLM_F_DUMP, seq, arp));
}

void rules_ask_element(struct str *out, uint32_t seq, enum rules_set set, struct span key)
{
	const struct rules_set_name *name = &rules_sets[set];
	size_t start = ask_open(out, NFT_MSG_GETSETELEM, 0, seq, name->arp);
	size_t list;

	put_text(out, NFTA_SET_ELEM_LIST_SET, name->name);
	list = put_nest(out, NFTA_SET_ELEM_LIST_ELEMENTS);
	put_close(out, put_element(out, key));
	put_close(out, list);
	message_close(out, start);
}

void rules_ask_all_elements(struct str *out, uint32_t seq, enum rules_set set)
{
	const struct rules_set_name *name = &rules_sets[set];
	size_t start = ask_open(out, NFT_MSG_GETSETELEM, NLM_F_DUMP, seq, name->arp);

	put_text(out, NFTA_SET_ELEM_LIST_SET, name->name);
	message_close(out, start);
}
