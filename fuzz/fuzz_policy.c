/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of allowed networks, a newline, the list of blocked ones: they print and parse as the same, and what becomes of
 * them agrees with a plain longest-prefix match at every edge.
 */
#include "net/policy.h"

#include "../tests/unit/net/longest_match.h"
#include "fuzz.h"

#define GATEWAY 0xc0a84001u

static bool same_lists(const policy_list *a, const policy_list *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++) {
		if (a->v[i].host != b->v[i].host || a->v[i].net.network != b->v[i].net.network ||
		    a->v[i].net.prefix != b->v[i].net.prefix)
			return false;
	}
	return a->n == b->n;
}

static bool parse(struct span text, policy_list *list)
{
	policy_list again = { 0 };
	CLEANUP_STR struct str printed = { 0 };
	struct err err = { 0 };

	if (!policy_list_parse(text, "list", list, &err)) {
		fuzz_check(err.kind == ERR_USAGE && err.text[0] && list->n == 0);
		return false;
	}
	fuzz_check(list->n >= 1 && list->n <= POLICY_LIST_MAX);
	policy_list_print(list, &printed);
	fuzz_check(policy_list_parse(str_span(&printed), "list", &again, &err));
	fuzz_check(same_lists(list, &again));
	vec_done(&again);
	return true;
}

static void probe_edge(const struct policy *policy, const policy_ranges *ranges, ipv4 edge)
{
	for (ipv4 address = edge - 1; address != edge + 2; address++)
		fuzz_check(longest_match(policy, GATEWAY, address) ==
			   ranges_look_up(ranges, address));
}

static void probe_list(const struct policy *policy, const policy_list *list,
		       const policy_ranges *ranges)
{
	vec_each(list, entry) {
		probe_edge(policy, ranges, entry->host ? GATEWAY : entry->net.network);
		probe_edge(policy, ranges, cidr_last(&entry->net));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_make((const char *)data, size);
	size_t newline = span_find(input, '\n');
	struct policy policy = { 0 };
	policy_ranges ranges = { 0 };

	(void)parse(span_first(input, newline), &policy.allow);
	if (newline < input.len)
		(void)parse(span_from(input, newline + 1), &policy.block);
	policy_flatten(&policy, GATEWAY, &ranges);
	fuzz_check(ranges_are_tidy(&ranges));
	/* Each probe looks at all of both: long lists would be slow and say nothing new. */
	if (policy.allow.n + policy.block.n <= 64) {
		probe_list(&policy, &policy.allow, &ranges);
		probe_list(&policy, &policy.block, &ranges);
	}
	vec_done(&ranges);
	policy_done(&policy);
	return 0;
}
