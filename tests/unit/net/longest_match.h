/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of network.md 2.1 taken literally, entry by entry: what policy_flatten() is compared with, by test and fuzzer. */
#ifndef TART_TESTS_LONGEST_MATCH_H
#define TART_TESTS_LONGEST_MATCH_H

#include "net/policy.h"

struct longest_match {
	int prefix; /* -1 = none */
	enum policy_verdict verdict;
};

static inline void longest_match_in(const policy_list *list, enum policy_verdict verdict,
				    ipv4 gateway, ipv4 address, struct longest_match *best)
{
	vec_each(list, entry) {
		int prefix = entry->host ? 32 : entry->net.prefix;
		ipv4 network = entry->host ? gateway : entry->net.network;
		uint64_t size = 1ULL << (32 - prefix);

		if (address < network || address >= network + size || prefix < best->prefix)
			continue;
		if (prefix > best->prefix || verdict == POLICY_BLOCK)
			*best = (struct longest_match){ prefix, verdict };
	}
}

static inline enum policy_verdict longest_match(const struct policy *policy, ipv4 gateway,
						ipv4 address)
{
	struct longest_match best = { -1, POLICY_DEFAULT };

	longest_match_in(&policy->allow, POLICY_ALLOW, gateway, address, &best);
	longest_match_in(&policy->block, POLICY_BLOCK, gateway, address, &best);
	return best.verdict;
}

static inline enum policy_verdict ranges_look_up(const policy_ranges *ranges, ipv4 address)
{
	vec_each(ranges, range) {
		if (address >= range->first && address <= range->last)
			return range->verdict;
	}
	return POLICY_DEFAULT;
}

/* Not empty, ascending, disjoint, and as few as can be. */
static inline bool ranges_are_tidy(const policy_ranges *ranges)
{
	const struct policy_range *previous = NULL;

	vec_each(ranges, range) {
		if (range->first > range->last || range->verdict == POLICY_DEFAULT)
			return false;
		if (previous && previous->last >= range->first)
			return false;
		if (previous && previous->verdict == range->verdict &&
		    previous->last + 1 == range->first)
			return false;
		previous = range;
	}
	return true;
}

#endif
