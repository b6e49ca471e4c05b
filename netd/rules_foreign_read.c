/* SPDX-License-Identifier: Apache-2.0 */
/* Chains and rules of others as the kernel tells them: as much of them as rules_foreign.c wants to know. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include "base/mem.h"
#include "netd/rules_attr.h"
#include "netd/rules_foreign.h"
#include "netd/rules_message.h"

static void chain_done(struct rules_chain *chain)
{
	free(chain->table);
	free(chain->name);
	vec_each(&chain->leads_to, name)
		free(*name);
	vec_done(&chain->leads_to);
}

void rules_foreign_done(struct rules_foreign *foreign)
{
	vec_each(&foreign->chains, chain)
		chain_done(chain);
	vec_done(&foreign->chains);
}

/* Texts end with a NUL in the kernel's messages. */
static struct span text_in(struct span attrs, uint16_t type)
{
	struct span text = rules_attr(attrs, type);

	return span_first(text, text.len > 0 ? strnlen(text.ptr, text.len) : 0);
}

static enum rules_hook hook_in(struct span attrs)
{
	struct span hook = rules_attr(attrs, NFTA_CHAIN_HOOK);

	if (!hook.ptr || !span_is(text_in(attrs, NFTA_CHAIN_TYPE), "filter"))
		return RULES_HOOK_OTHER;
	switch (rules_attr_u32(hook, NFTA_HOOK_HOOKNUM)) {
	case NF_INET_FORWARD:
		return RULES_HOOK_FORWARD;
	case NF_INET_LOCAL_IN:
		return RULES_HOOK_INPUT;
	default:
		return RULES_HOOK_OTHER;
	}
}

void rules_foreign_add_chain(struct rules_foreign *foreign, uint8_t family, struct span attrs)
{
	struct span table = text_in(attrs, NFTA_CHAIN_TABLE);
	struct span name = text_in(attrs, NFTA_CHAIN_NAME);
	struct span policy = rules_attr(attrs, NFTA_CHAIN_POLICY);

	if (family != NFPROTO_IPV4 && family != NFPROTO_INET)
		return;
	if (table.len == 0 || name.len == 0 || span_is(table, RULES_TABLE))
		return;
	*vec_push(&foreign->chains) = (struct rules_chain){
		.family = family,
		.table = xstrndup(table.ptr, table.len),
		.name = xstrndup(name.ptr, name.len),
		.hook = hook_in(attrs),
		.drops = policy.len > 0 && rules_attr_u32(attrs, NFTA_CHAIN_POLICY) == NF_DROP,
	};
}

/* What there is to know of one rule, and of its packets so far. */
struct reading {
	const struct subnet *subnet;
	bool is_for_some;  /* it looks at packets before it says something */
	bool loads_header; /* the last that was loaded is from the network header */
	bool is_ours;      /* it looks for our interfaces or addresses */
	bool accepts, stops;
	struct span target; /* of jump or goto */
};

/* Names are compared by their beginning or whole; networks by their bytes, or all four with a mask. */
static bool is_about_us(const struct reading *reading, struct span value)
{
	const struct cidr *net = &reading->subnet->cidr;
	char bytes[4];

	if (span_starts_with(value, NETD_TAP_PREFIX))
		return true;
	for (int i = 0; i < 4; i++)
		bytes[i] = (char)(net->network >> (24 - 8 * i));
	return reading->loads_header && value.len <= 4 && value.len * 8 >= net->prefix &&
	       value.len > 0 && memcmp(value.ptr, bytes, value.len) == 0;
}

static void read_verdict(struct reading *reading, struct span data)
{
	struct span verdict = rules_attr(rules_attr(data, NFTA_IMMEDIATE_DATA), NFTA_DATA_VERDICT);

	if (!verdict.ptr)
		return;
	switch ((int)rules_attr_u32(verdict, NFTA_VERDICT_CODE)) {
	case NF_ACCEPT:
		reading->accepts = true;
		break;
	case NF_DROP:
		reading->stops = true;
		break;
	case NFT_JUMP:
	case NFT_GOTO:
		reading->target = text_in(verdict, NFTA_VERDICT_CHAIN);
		break;
	default:
		break;
	}
}

/* Expressions of iptables that nf_tables has no own ones for. */
static void read_compat(struct reading *reading, struct span name, struct span data)
{
	if (span_is(name, "target")) {
		struct span target = text_in(data, NFTA_TARGET_NAME);

		reading->stops = span_is(target, "REJECT") || span_is(target, "DROP");
	} else if (!span_is(text_in(data, NFTA_MATCH_NAME), "comment")) {
		reading->is_for_some = true;
	}
}

static void read_expression(struct reading *reading, struct span expression)
{
	struct span name = text_in(expression, NFTA_EXPR_NAME);
	struct span data = rules_attr(expression, NFTA_EXPR_DATA);

	if (span_is(name, "immediate")) {
		read_verdict(reading, data);
	} else if (span_is(name, "reject")) {
		reading->stops = true;
	} else if (span_is(name, "target") || span_is(name, "match")) {
		read_compat(reading, name, data);
	} else if (!span_is(name, "counter") && !span_is(name, "log")) {
		reading->is_for_some = true;
	}
	if (span_is(name, "payload"))
		reading->loads_header = rules_attr_u32(data, NFTA_PAYLOAD_BASE) ==
					NFT_PAYLOAD_NETWORK_HEADER;
	if (span_is(name, "cmp") &&
	    is_about_us(reading, rules_attr(rules_attr(data, NFTA_CMP_DATA), NFTA_DATA_VALUE)))
		reading->is_ours = true;
}

static struct rules_chain *chain_of(struct rules_foreign *foreign, uint8_t family,
				    struct span attrs)
{
	struct span table = text_in(attrs, NFTA_RULE_TABLE);
	struct span name = text_in(attrs, NFTA_RULE_CHAIN);

	vec_each(&foreign->chains, chain)
		if (chain->family == family && span_is(name, chain->name) &&
		    span_is(table, chain->table))
			return chain;
	return NULL;
}

void rules_foreign_add_rule(struct rules_foreign *foreign, const struct subnet *subnet,
			    uint8_t family, struct span attrs)
{
	struct rules_chain *chain = chain_of(foreign, family, attrs);
	struct span expressions = rules_attr(attrs, NFTA_RULE_EXPRESSIONS);
	struct reading reading = { .subnet = subnet };
	struct span expression;
	uint16_t type;

	if (!chain)
		return;
	while (rules_next_attr(&expressions, &type, &expression))
		read_expression(&reading, expression);
	chain->stops = reading.stops && !reading.is_for_some;
	if (reading.target.len > 0)
		*vec_push(&chain->leads_to) = xstrndup(reading.target.ptr, reading.target.len);
	if (reading.is_ours && (reading.accepts || reading.target.len > 0))
		chain->knows_us = true;
}
