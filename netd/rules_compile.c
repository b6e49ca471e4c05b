/* SPDX-License-Identifier: Apache-2.0 */
/* nft(8) commands as messages of a transaction. */
#include "netd/rules_compile.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include "base/attrs.h"
#include "base/number.h"
#include "netd/rules_expression.h"
#include "netd/rules_phrase.h"
#include "netd/rules_text.h"

#define NAME_MAX_SIZE 32

/* What all commands begin with. */
struct command {
	struct span whole;
	bool arp;
	char name[NAME_MAX_SIZE]; /* of the set or chain */
	struct span rest;
};

static struct span take_word(struct span *words)
{
	struct span word = span_make(NULL, 0);

	(void)span_next(words, ' ', &word);
	return word;
}

static void expect(struct span *words, const char *wanted)
{
	struct span word = take_word(words);

	assert(span_is(word, wanted));
	(void)word;
	(void)wanted;
}

static void expect_word(struct span text, bool known)
{
	assert(known);
	(void)text;
	(void)known;
}

static uint32_t take_number(struct span text)
{
	uint64_t n = 0;
	bool ok = number_parse_u64(text, UINT32_MAX, &n);

	expect_word(text, ok);
	return (uint32_t)n;
}

static void copy_word(struct span word, char ret[NAME_MAX_SIZE])
{
	assert(word.ptr && word.len > 0 && word.len < NAME_MAX_SIZE);
	memcpy(ret, word.ptr, word.len);
	ret[word.len] = '\0';
}

static struct rules_step step_of(const struct command *command, const char *what)
{
	return (struct rules_step){ .what = what, .need = rules_text_need(command->whole) };
}

/* nft's numbers for types and byte orders are for listings; lengths are for the kernel. */
struct type {
	const char *name;
	uint32_t id, len, order;
};

#define HOST_ORDER    1
#define NETWORK_ORDER 2
#define BITS_OF_TYPE  6

static const struct type types[] = {
	{ "ifname", 41, 16, HOST_ORDER },     { "ether_addr", 9, 6, NETWORK_ORDER },
	{ "ipv4_addr", 7, 4, NETWORK_ORDER }, { "inet_service", 13, 2, NETWORK_ORDER },
	{ "verdict", 0xffffff00u, 0, 0 },
};

static const struct type *find_type(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (span_is(name, types[i].name))
			return &types[i];
	assert(!"a type that sets have");
	return &types[0];
}

/* Parts of more than one are padded to four bytes each, as registers are. */
static struct type take_type(struct span text)
{
	struct type type = { 0 };
	struct span word;

	while (span_next(&text, ' ', &word)) {
		const struct type *part;

		if (span_is(word, "."))
			continue;
		part = find_type(word);
		if (type.id == 0) {
			type = *part;
			continue;
		}
		type.id = type.id << BITS_OF_TYPE | part->id;
		type.len = ((type.len + 3) & ~3u) + ((part->len + 3) & ~3u);
		type.order = 0;
	}
	return type;
}

struct set {
	struct type key, data; /* data.id 0: not a map */
	bool is_interval, counts;
	uint32_t per_second, burst; /* 0 = without limit */
	struct span elements;
};

#define DEFAULT_BURST 5

/* "limit rate 50/second burst 50 packets counter", or the end of it alone. */
static void read_expressions(struct span text, struct set *set)
{
	struct span word;

	while (span_next(&text, ' ', &word)) {
		if (span_is(word, "counter")) {
			set->counts = true;
		} else if (span_is(word, "limit")) {
			expect(&text, "rate");
			word = take_word(&text);
			set->per_second = take_number(span_first(word, span_find(word, '/')));
			set->burst = DEFAULT_BURST;
		} else {
			expect_word(word, span_is(word, "burst"));
			set->burst = take_number(take_word(&text));
			expect(&text, "packets");
		}
	}
}

static void read_type(struct span text, struct set *set)
{
	size_t colon = span_find(text, ':');

	if (colon < text.len) {
		set->data = take_type(span_from(text, colon + 2));
		text = span_first(text, colon - 1);
	}
	set->key = take_type(text);
}

/* "{ type ...; ...; }": each clause ends with a semicolon. */
static void read_set(struct span text, struct set *ret)
{
	struct span clause;

	*ret = (struct set){ 0 };
	expect(&text, "{");
	while (span_next(&text, ';', &clause)) {
		if (span_starts_with(clause, " "))
			clause = span_from(clause, 1);
		if (span_is(clause, "}"))
			break;
		if (span_starts_with(clause, "type "))
			read_type(span_from(clause, strlen("type ")), ret);
		else if (span_is(clause, "flags interval"))
			ret->is_interval = true;
		else if (span_starts_with(clause, "elements = "))
			ret->elements = span_from(clause, strlen("elements = "));
		else
			read_expressions(clause, ret);
	}
}

static void put_set_expressions(struct str *out, const struct set *set)
{
	bool several = set->per_second > 0 && set->counts;
	uint16_t type = several ? NFTA_LIST_ELEM : NFTA_SET_EXPR;
	size_t list = several ? rules_put_nest(out, NFTA_SET_EXPRESSIONS) : 0;

	if (set->per_second > 0)
		rules_put_limit(out, type, set->per_second, set->burst);
	if (set->counts)
		rules_put_counter(out, type);
	if (several)
		rules_put_nest_end(out, list);
}

/* For nft alone: how to print keys and data. Triples of type, length, and value in the host's order. */
static void put_orders(struct str *out, const struct set *set)
{
	CLEANUP_STR struct str orders = { 0 };

	str_add_span(&orders, span_make("\0\4", 2));
	str_add_span(&orders, span_make((const char *)&set->key.order, sizeof(set->key.order)));
	if (set->data.id != 0) {
		str_add_span(&orders, span_make("\1\4", 2));
		str_add_span(&orders,
			     span_make((const char *)&set->data.order, sizeof(set->data.order)));
	}
	rules_put_span(out, NFTA_SET_USERDATA, str_span(&orders));
}

static uint32_t flags_of(const struct set *set)
{
	return (set->is_interval ? NFT_SET_INTERVAL : 0u) | (set->data.id != 0 ? NFT_SET_MAP : 0u) |
	       (set->per_second > 0 && set->counts ? NFT_SET_EXPR : 0u);
}

static void put_set(struct rules_batch *batch, const struct command *command, const struct set *set)
{
	struct str *out = &batch->bytes;
	size_t start = rules_step_open(batch, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL,
				       command->arp, step_of(command, "a set"));

	rules_put_text(out, NFTA_SET_NAME, command->name);
	rules_put_u32(out, NFTA_SET_FLAGS, flags_of(set));
	rules_put_u32(out, NFTA_SET_KEY_TYPE, set->key.id);
	rules_put_u32(out, NFTA_SET_KEY_LEN, set->key.len);
	if (set->data.id != 0) {
		rules_put_u32(out, NFTA_SET_DATA_TYPE, set->data.id);
		rules_put_u32(out, NFTA_SET_DATA_LEN, set->data.len);
	}
	rules_put_u32(out, NFTA_SET_ID, ++batch->n_sets);
	put_orders(out, set);
	put_set_expressions(out, set);
	rules_step_close(batch, start);
}

static void put_addresses(struct str *out, struct span text, bool is_interval, bool is_first)
{
	uint32_t first = 0;
	uint32_t last = 0;
	bool ok = rules_parse_addresses(text, &first, &last);
	uint32_t be = htonl(first);

	expect_word(text, ok && (is_interval || first == last));
	/* As nft does it: what begins later than at 0 is preceded by an end there. */
	if (is_interval && is_first && first != 0)
		rules_put_interval_end(out, 0);
	rules_put_nest_end(out, rules_element_open(out, span_make((const char *)&be, sizeof(be))));
	if (is_interval && last != UINT32_MAX)
		rules_put_interval_end(out, last + 1);
}

/* "{ ADDRESSES, ADDRESSES }" */
static void put_elements(struct rules_batch *batch, const struct command *command,
			 const struct set *set)
{
	struct rules_elements at = rules_elements_open(batch, NFT_MSG_NEWSETELEM, command->arp,
						       command->name, step_of(command, "a set"));
	struct span text = set->elements;
	struct span word;
	bool is_first = true;

	expect(&text, "{");
	while (span_next(&text, ' ', &word) && !span_is(word, "}")) {
		if (span_ends_with(word, ","))
			word.len--;
		put_addresses(&batch->bytes, word, set->is_interval, is_first);
		is_first = false;
	}
	rules_elements_close(batch, at);
}

static void compile_set(struct rules_batch *batch, const struct command *command)
{
	struct set set;

	read_set(command->rest, &set);
	put_set(batch, command, &set);
	if (set.elements.len > 0)
		put_elements(batch, command, &set);
}

struct number_of {
	const char *name;
	uint32_t value;
};

static uint32_t number_in(const struct number_of *numbers, size_t n, struct span name)
{
	for (size_t i = 0; i < n; i++)
		if (span_is(name, numbers[i].name))
			return numbers[i].value;
	assert(!"a name that chains have");
	return 0;
}

static uint32_t hook_of(const struct command *command, struct span name)
{
	static const struct number_of hooks[] = {
		{ "prerouting", NF_INET_PRE_ROUTING },   { "input", NF_INET_LOCAL_IN },
		{ "forward", NF_INET_FORWARD },          { "output", NF_INET_LOCAL_OUT },
		{ "postrouting", NF_INET_POST_ROUTING },
	};

	/* ARP's only one here, NF_ARP_IN. */
	return command->arp ? 0 : number_in(hooks, ARRAY_LEN(hooks), name);
}

static uint32_t priority_of(struct span word)
{
	static const struct number_of priorities[] = {
		{ "filter", 0 },
		{ "dstnat", (uint32_t)-100 },
		{ "srcnat", 100 },
	};

	if (span_starts_with(word, "-"))
		return (uint32_t) - (int32_t)take_number(span_from(word, 1));
	return number_in(priorities, ARRAY_LEN(priorities), word);
}

/* "{ type filter hook input priority filter; policy accept; }" */
static void put_hook(struct str *out, const struct command *command)
{
	struct span words = command->rest;
	char type[NAME_MAX_SIZE] = { 0 };
	struct span word;
	size_t hook;

	expect(&words, "{");
	expect(&words, "type");
	copy_word(take_word(&words), type);
	rules_put_text(out, NFTA_CHAIN_TYPE, type);
	rules_put_u32(out, NFTA_CHAIN_POLICY, NF_ACCEPT);
	hook = rules_put_nest(out, NFTA_CHAIN_HOOK);
	expect(&words, "hook");
	rules_put_u32(out, NFTA_HOOK_HOOKNUM, hook_of(command, take_word(&words)));
	expect(&words, "priority");
	word = take_word(&words);
	rules_put_u32(out, NFTA_HOOK_PRIORITY, priority_of(span_first(word, word.len - 1)));
	rules_put_nest_end(out, hook);
	expect_word(words, span_is(words, "policy accept; }"));
}

static void compile_chain(struct rules_batch *batch, const struct command *command)
{
	size_t start = rules_step_open(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE, command->arp,
				       step_of(command, "a chain"));

	rules_put_text(&batch->bytes, NFTA_CHAIN_NAME, command->name);
	if (command->rest.len > 0)
		put_hook(&batch->bytes, command);
	rules_step_close(batch, start);
}

static void compile_rule(struct rules_batch *batch, const struct command *command)
{
	struct rules_rule rule = { .out = &batch->bytes };
	struct span words = command->rest;
	size_t start = rules_step_open(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
				       command->arp, step_of(command, "a rule"));
	size_t expressions;

	rules_put_text(&batch->bytes, NFTA_RULE_CHAIN, command->name);
	expressions = rules_put_nest(&batch->bytes, NFTA_RULE_EXPRESSIONS);
	while (words.len > 0) {
		bool known = rules_put_phrase(&rule, &words);

		expect_word(words, known);
		if (!known)
			break;
	}
	rules_put_nest_end(&batch->bytes, expressions);
	rules_step_close(batch, start);
}

static void compile_line(struct rules_batch *batch, struct span line)
{
	struct command command = { .whole = line, .rest = line };
	struct span kind;

	expect(&command.rest, "add");
	kind = take_word(&command.rest);
	command.arp = span_is(take_word(&command.rest), "arp");
	expect(&command.rest, RULES_TABLE);
	copy_word(take_word(&command.rest), command.name);
	if (span_is(kind, "rule"))
		compile_rule(batch, &command);
	else if (span_is(kind, "chain"))
		compile_chain(batch, &command);
	else
		compile_set(batch, &command);
}

void rules_compile(struct rules_batch *batch, struct span commands)
{
	struct span line;

	while (span_next(&commands, '\n', &line))
		if (line.len > 0)
			compile_line(batch, line);
}
