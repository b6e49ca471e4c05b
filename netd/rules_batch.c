/* SPDX-License-Identifier: Apache-2.0 */
/* What VMs come to in the tables, as steps of a transaction. */
#include "netd/rules_batch.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>

#include "netd/rules_compile.h"

/* Ranges in one message: the length of a nested attribute has 16 bits. */
#define RANGES_PER_MESSAGE 256

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

/* Packets with the VM's address that do not come from it come from no TAP. */
struct rules_key rules_key_of_counter(int counter, const struct nic *nic)
{
	struct rules_key key = { 0 };

	if (counter != NETD_C_FORGED)
		return rules_key_of_tap(nic->tap);
	key_add_address(&key, nic->address);
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

static struct rules_elements set_open(struct rules_batch *batch, uint16_t type, enum rules_set set)
{
	const struct rules_set_name *name = &rules_sets[set];

	return rules_elements_open(batch, type, name->arp, name->name,
				   (struct rules_step){ .what = name->name });
}

static void put_key(struct rules_batch *batch, uint16_t type, enum rules_set set, struct span key)
{
	struct rules_elements at = set_open(batch, type, set);

	rules_put_nest_end(&batch->bytes, rules_element_open(&batch->bytes, key));
	rules_elements_close(batch, at);
}

void rules_batch_delete_element(struct rules_batch *batch, enum rules_set set, struct span key)
{
	put_key(batch, NFT_MSG_DELSETELEM, set, key);
}

static void put_policy(struct rules_batch *batch, enum rules_set map, struct span key,
		       const char *chain)
{
	struct rules_elements at = set_open(batch, NFT_MSG_NEWSETELEM, map);
	size_t element = rules_element_open(&batch->bytes, key);

	rules_put_verdict(&batch->bytes, NFTA_SET_ELEM_DATA, NFT_GOTO, chain);
	rules_put_nest_end(&batch->bytes, element);
	rules_elements_close(batch, at);
}

static void put_expose(struct rules_batch *batch, uint16_t type, const struct expose *expose,
		       ipv4 address)
{
	uint16_t external = htons(expose->external);
	uint16_t internal = htons(expose->internal);
	struct rules_key target = { 0 };
	struct rules_elements at = rules_elements_open(
		batch, type, false, rules_sets[RULES_EXPOSE].name,
		(struct rules_step){ .what = "expose", .port = expose->external });
	size_t element = rules_element_open(&batch->bytes,
					    span_make((const char *)&external, sizeof(external)));

	if (type == NFT_MSG_NEWSETELEM) {
		key_add_address(&target, address);
		key_add(&target, &internal, sizeof(internal));
		rules_put_value(&batch->bytes, NFTA_SET_ELEM_DATA, key_span(&target));
	}
	rules_put_nest_end(&batch->bytes, element);
	rules_elements_close(batch, at);
}

/* An interval is where it begins, with its verdict, and where the next thing begins, unless it goes to the very end. */
static void put_range(struct str *out, const struct policy_range *range)
{
	struct rules_key key = { 0 };
	size_t element;

	key_add_address(&key, range->first);
	element = rules_element_open(out, key_span(&key));
	if (range->verdict == POLICY_ALLOW)
		rules_put_verdict(out, NFTA_SET_ELEM_DATA, NF_ACCEPT, NULL);
	else
		rules_put_verdict(out, NFTA_SET_ELEM_DATA, NFT_GOTO, RULES_DENY);
	rules_put_nest_end(out, element);
	if (range->last != UINT32_MAX)
		rules_put_interval_end(out, range->last + 1);
}

/* As nft does it: what begins later than at 0 is preceded by an end there. */
static void put_ranges(struct rules_batch *batch, const char *map, const policy_ranges *ranges)
{
	struct rules_step step = { .what = "a range" };

	for (size_t i = 0; i < ranges->n;) {
		struct rules_elements at = rules_elements_open(batch, NFT_MSG_NEWSETELEM, false,
							       map, step);

		if (i == 0 && ranges->v[0].first != 0)
			rules_put_interval_end(&batch->bytes, 0);
		for (size_t k = 0; k < RANGES_PER_MESSAGE && i < ranges->n; k++, i++)
			put_range(&batch->bytes, &ranges->v[i]);
		rules_elements_close(batch, at);
	}
}

static bool has_lists(const struct nic *nic)
{
	return nic->mode == NETD_SOFTNET && (nic->policy.allow.n > 0 || nic->policy.block.n > 0);
}

/* Before the elements that lead to it: the map first, as the rules name it. */
static void put_own_map(struct rules_batch *batch, const struct nic *nic, ipv4 gateway)
{
	CLEANUP_STR struct str command = { 0 };
	policy_ranges ranges = { 0 };
	char map[RULES_OWN_SIZE];

	rules_own_name('m', nic->tap, map);
	str_addf(&command, "add map inet %s %s { type ipv4_addr : verdict; flags interval; }\n",
		 RULES_TABLE, map);
	rules_compile(batch, str_span(&command));
	policy_flatten(&nic->policy, gateway, &ranges);
	put_ranges(batch, map, &ranges);
	vec_done(&ranges);
}

static void put_own_chain(struct rules_batch *batch, const struct nic *nic, char kind,
			  const char *otherwise)
{
	CLEANUP_STR struct str commands = { 0 };
	char chain[RULES_OWN_SIZE];
	char map[RULES_OWN_SIZE];

	rules_own_name(kind, nic->tap, chain);
	rules_own_name('m', nic->tap, map);
	str_addf(&commands,
		 "add chain inet %s %s\nadd rule inet %s %s ip daddr vmap @%s\n"
		 "add rule inet %s %s goto %s\n",
		 RULES_TABLE, chain, RULES_TABLE, chain, map, RULES_TABLE, chain, otherwise);
	rules_compile(batch, str_span(&commands));
}

static void put_own(struct rules_batch *batch, const struct nic *nic, ipv4 gateway)
{
	put_own_map(batch, nic, gateway);
	put_own_chain(batch, nic, 'f', rules_text_forward_chain(nic->mode));
	put_own_chain(batch, nic, 'i', rules_text_input_chain(nic->mode));
}

/* After the elements that lead to it: a chain that is gone to cannot go. Its rules go with it. */
void rules_batch_delete_own(struct rules_batch *batch, const char *tap)
{
	char name[RULES_OWN_SIZE];
	size_t start;

	rules_own_name('f', tap, name);
	rules_put_chain(batch, NFT_MSG_DELCHAIN, false, name);
	rules_own_name('i', tap, name);
	rules_put_chain(batch, NFT_MSG_DELCHAIN, false, name);
	rules_own_name('m', tap, name);
	start = rules_step_open(batch, NFT_MSG_DELSET, 0, false,
				(struct rules_step){ .what = "a map" });
	rules_put_text(&batch->bytes, NFTA_SET_NAME, name);
	rules_step_close(batch, start);
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
	for (int i = 0; i < NETD_COUNTERS; i++) {
		struct rules_key key = rules_key_of_counter(i, nic);

		put_key(batch, type, rules_counter_set(i), key_span(&key));
	}
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

/* The same first attribute as in a step. */
static size_t ask_open(struct str *out, uint16_t type, uint16_t flags, uint32_t seq, bool arp)
{
	size_t start = rules_ask_open(out, type, flags, seq, arp ? NFPROTO_ARP : NFPROTO_INET);

	rules_put_text(out, NFTA_TABLE_NAME, RULES_TABLE);
	return start;
}

void rules_ask_table(struct str *out, uint32_t seq, bool arp)
{
	rules_ask_close(out, ask_open(out, NFT_MSG_GETTABLE, 0, seq, arp));
}

void rules_ask_chain(struct str *out, uint32_t seq, bool arp, const char *chain)
{
	size_t start = ask_open(out, NFT_MSG_GETCHAIN, 0, seq, arp);

	rules_put_text(out, NFTA_CHAIN_NAME, chain);
	rules_ask_close(out, start);
}

void rules_ask_all_rules(struct str *out, uint32_t seq, bool arp)
{
	rules_ask_close(out, ask_open(out, NFT_MSG_GETRULE, NLM_F_DUMP, seq, arp));
}

void rules_ask_element(struct str *out, uint32_t seq, enum rules_set set, struct span key)
{
	const struct rules_set_name *name = &rules_sets[set];
	size_t start = ask_open(out, NFT_MSG_GETSETELEM, 0, seq, name->arp);
	size_t list;

	rules_put_text(out, NFTA_SET_ELEM_LIST_SET, name->name);
	list = rules_put_nest(out, NFTA_SET_ELEM_LIST_ELEMENTS);
	rules_put_nest_end(out, rules_element_open(out, key));
	rules_put_nest_end(out, list);
	rules_ask_close(out, start);
}

void rules_ask_all_elements(struct str *out, uint32_t seq, enum rules_set set)
{
	const struct rules_set_name *name = &rules_sets[set];
	size_t start = ask_open(out, NFT_MSG_GETSETELEM, NLM_F_DUMP, seq, name->arp);

	rules_put_text(out, NFTA_SET_ELEM_LIST_SET, name->name);
	rules_ask_close(out, start);
}
