/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy as disjoint ranges of addresses.
 *
 * Networks nest or are apart, they never overlap half. So one pass over them, sorted by where they begin and then from wide
 * to narrow, with a stack of those that contain the current address, sees at every address the narrowest one on top: the
 * longest prefix. The stack holds one network of each prefix at most.
 */
#include "net/policy.h"

#include <stdlib.h>

struct rule {
	struct cidr net;
	enum policy_verdict verdict;
};
typedef VEC(struct rule) rule_list;

struct sweep {
	struct rule stack[33]; /* prefixes 0 to 32 */
	size_t depth;
	uint64_t
		next; /* first address that is not yet in a range; one more than an ipv4 can hold at the end */
	policy_ranges ranges;
};

static void add_list(const policy_list *list, enum policy_verdict verdict, ipv4 gateway,
		     rule_list *rules)
{
	const struct cidr host = { .network = gateway, .prefix = 32 };

	vec_each(list, entry)
		*vec_push(rules) = (struct rule){ .net = entry->host ? host : entry->net,
						  .verdict = verdict };
}

/* By address, then from wide to narrow, then what is blocked first: it wins, and the others of its network are skipped. */
static int compare(const void *left, const void *right)
{
	const struct rule *a = left;
	const struct rule *b = right;

	if (a->net.network != b->net.network)
		return a->net.network < b->net.network ? -1 : 1;
	if (a->net.prefix != b->net.prefix)
		return a->net.prefix < b->net.prefix ? -1 : 1;
	return (b->verdict == POLICY_BLOCK) - (a->verdict == POLICY_BLOCK);
}

/* Everything from `next` to `last` gets what is on top of the stack. */
static void emit(struct sweep *sweep, uint64_t last)
{
	policy_ranges *ranges = &sweep->ranges;
	struct policy_range *previous = ranges->n > 0 ? &ranges->v[ranges->n - 1] : NULL;
	enum policy_verdict verdict = sweep->stack[sweep->depth - 1].verdict;

	if (last < sweep->next)
		return;
	if (previous && previous->verdict == verdict && previous->last + 1ULL == sweep->next)
		previous->last = (ipv4)last;
	else
		*vec_push(ranges) = (struct policy_range){ .first = (ipv4)sweep->next,
							   .last = (ipv4)last,
							   .verdict = verdict };
	sweep->next = last + 1;
}

static void pop(struct sweep *sweep)
{
	emit(sweep, cidr_last(&sweep->stack[sweep->depth - 1].net));
	sweep->depth--;
}

static void enter(struct sweep *sweep, const struct rule *rule)
{
	const struct rule *top;

	while (sweep->depth > 0 &&
	       !cidr_has(&sweep->stack[sweep->depth - 1].net, rule->net.network))
		pop(sweep);
	top = sweep->depth > 0 ? &sweep->stack[sweep->depth - 1] : NULL;
	if (top && top->net.prefix == rule->net.prefix)
		return;
	if (top && rule->net.network > 0)
		emit(sweep, rule->net.network - 1ULL);
	sweep->next = rule->net.network;
	sweep->stack[sweep->depth++] = *rule;
}

void policy_flatten(const struct policy *policy, ipv4 gateway, policy_ranges *ret)
{
	struct sweep sweep = { .depth = 0 };
	rule_list rules = { 0 };

	add_list(&policy->allow, POLICY_ALLOW, gateway, &rules);
	add_list(&policy->block, POLICY_BLOCK, gateway, &rules);
	if (rules.n > 0)
		qsort(rules.v, rules.n, sizeof(*rules.v), compare);
	vec_each(&rules, rule)
		enter(&sweep, rule);
	while (sweep.depth > 0)
		pop(&sweep);
	vec_done(&rules);
	*ret = sweep.ranges;
}
