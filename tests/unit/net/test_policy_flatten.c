/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/policy_flatten.c: known lists, and the property of network.md 10.2 against a plain longest-prefix match. */
#include <inttypes.h>

#include "longest_match.h"
#include "net/policy.h"
#include "unit.h"

#define GATEWAY 0xc0a84001u /* 192.168.64.1 */
#define ROUNDS  2000

static void parse_into(const char *text, policy_list *list)
{
	struct err err = { 0 };

	if (text)
		check(policy_list_parse(span_of(text), "list", list, &err), "%s", err.text);
}

static void print_ranges(const policy_ranges *ranges, struct str *out)
{
	vec_each(ranges, range) {
		char first[IPV4_TEXT_SIZE];
		char last[IPV4_TEXT_SIZE];

		ipv4_print(range->first, first);
		ipv4_print(range->last, last);
		str_addf(out, "%s%s-%s %s", range == ranges->v ? "" : "; ", first, last,
			 range->verdict == POLICY_ALLOW ? "+" : "-");
	}
}

static void flattens(void **state)
{
	static const struct {
		const char *name;
		const char *allow;
		const char *block;
		const char *ranges;
	} rows[] = {
		{ "nothing", NULL, NULL, "" },
		{ "one", "10.0.0.0/8", NULL, "10.0.0.0-10.255.255.255 +" },
		{ "the host", "@host", NULL, "192.168.64.1-192.168.64.1 +" },
		{ "everything", "0.0.0.0/0", NULL, "0.0.0.0-255.255.255.255 +" },
		{ "a tie is blocked", "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0-10.255.255.255 -" },
		{ "the host both ways", "192.168.64.1", "@host", "192.168.64.1-192.168.64.1 -" },
		{ "a hole", "0.0.0.0/0", "10.0.0.0/8",
		  "0.0.0.0-9.255.255.255 +; 10.0.0.0-10.255.255.255 -; 11.0.0.0-255.255.255.255 +" },
		{ "a hole in a hole", "0.0.0.0/0,10.1.0.0/16", "10.0.0.0/8",
		  "0.0.0.0-9.255.255.255 +; 10.0.0.0-10.0.255.255 -; 10.1.0.0-10.1.255.255 +; "
		  "10.2.0.0-10.255.255.255 -; 11.0.0.0-255.255.255.255 +" },
		{ "neighbours are merged", "10.0.0.0/9,10.128.0.0/9", NULL,
		  "10.0.0.0-10.255.255.255 +" },
		{ "also within another", "10.0.0.0/8,10.0.0.0/16", NULL,
		  "10.0.0.0-10.255.255.255 +" },
		{ "but not over a gap", "10.0.0.0/32,10.0.0.2/32", NULL,
		  "10.0.0.0-10.0.0.0 +; 10.0.0.2-10.0.0.2 +" },
		{ "the ends of the world", "0.0.0.0,255.255.255.255", NULL,
		  "0.0.0.0-0.0.0.0 +; 255.255.255.255-255.255.255.255 +" },
		{ "both ends blocked in all", "0.0.0.0/0", "0.0.0.0/32,255.255.255.255/32",
		  "0.0.0.0-0.0.0.0 -; 0.0.0.1-255.255.255.254 +; "
		  "255.255.255.255-255.255.255.255 -" },
	};

	(void)state;
	each_row(rows, row) {
		struct policy policy = { 0 };
		policy_ranges ranges = { 0 };
		CLEANUP_STR struct str text = { 0 };

		parse_into(row->allow, &policy.allow);
		parse_into(row->block, &policy.block);
		policy_flatten(&policy, GATEWAY, &ranges);
		print_ranges(&ranges, &text);
		check(strcmp(str_text(&text), row->ranges) == 0, "%s: %s", row->name,
		      str_text(&text));
		vec_done(&ranges);
		policy_done(&policy);
	}
}

/* xorshift64*: the same lists on every machine, from a seed that a failure prints. */
static uint32_t next_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (uint32_t)(*seed * 0x2545f4914f6cdd1dULL >> 32);
}

/* Half of them lie within one that is there already, so that lists nest deeply; some at the ends of the address space. */
static struct policy_entry random_entry(uint64_t *seed, const policy_list *earlier)
{
	uint8_t prefix = (uint8_t)(next_random(seed) % 33);
	ipv4 network = next_random(seed);

	if (next_random(seed) % 16 == 0)
		return (struct policy_entry){ .host = true };
	if (next_random(seed) % 8 == 0)
		network = next_random(seed) % 2 ? 0 : UINT32_MAX;
	if (earlier->n > 0 && next_random(seed) % 2) {
		const struct cidr *outer = &earlier->v[next_random(seed) % earlier->n].net;

		network = outer->network | (network & ~netmask_of(outer->prefix));
		prefix = (uint8_t)(outer->prefix + next_random(seed) % (33U - outer->prefix));
	}
	return (struct policy_entry){ .net = { network & netmask_of(prefix), prefix } };
}

static void random_policy(uint64_t *seed, struct policy *ret)
{
	size_t n = next_random(seed) % 24;
	policy_list all = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct policy_entry entry = random_entry(seed, &all);

		*vec_push(&all) = entry;
		*vec_push(next_random(seed) % 2 ? &ret->allow : &ret->block) = entry;
		if (next_random(seed) % 8 == 0)
			*vec_push(next_random(seed) % 2 ? &ret->allow : &ret->block) = entry;
	}
	vec_done(&all);
}

static void probe(const struct policy *policy, const policy_ranges *ranges, ipv4 address,
		  uint64_t seed)
{
	enum policy_verdict want = longest_match(policy, GATEWAY, address);
	enum policy_verdict got = ranges_look_up(ranges, address);

	if (want != got) {
		CLEANUP_STR struct str text = { 0 };

		str_add(&text, "allow ");
		policy_list_print(&policy->allow, &text);
		str_add(&text, " block ");
		policy_list_print(&policy->block, &text);
		fail_msg("seed 0x%" PRIx64 ": 0x%08x: verdict %d, not %d, of %s", seed, address,
			 got, want, str_text(&text));
	}
}

/* An edge and its neighbours; below 0.0.0.0 comes 255.255.255.255, which is as good a probe. */
static void probe_edge(const struct policy *policy, const policy_ranges *ranges, ipv4 edge,
		       uint64_t seed)
{
	probe(policy, ranges, edge - 1, seed);
	probe(policy, ranges, edge, seed);
	probe(policy, ranges, edge + 1, seed);
}

static void probe_list(const struct policy *policy, const policy_list *list,
		       const policy_ranges *ranges, uint64_t seed)
{
	vec_each(list, entry) {
		struct cidr net = entry->host ? (struct cidr){ GATEWAY, 32 } : entry->net;

		probe_edge(policy, ranges, net.network, seed);
		probe_edge(policy, ranges, cidr_last(&net), seed);
	}
}

static void agrees_with_a_plain_match(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		uint64_t seed = round * 0x9e3779b97f4a7c15ULL;
		uint64_t random = seed;
		struct policy policy = { 0 };
		policy_ranges ranges = { 0 };

		random_policy(&random, &policy);
		policy_flatten(&policy, GATEWAY, &ranges);
		check(ranges_are_tidy(&ranges), "seed 0x%" PRIx64 ": not tidy", seed);
		probe_list(&policy, &policy.allow, &ranges, seed);
		probe_list(&policy, &policy.block, &ranges, seed);
		vec_each(&ranges, range) {
			probe_edge(&policy, &ranges, range->first, seed);
			probe_edge(&policy, &ranges, range->last, seed);
		}
		vec_done(&ranges);
		policy_done(&policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flattens),
		cmocka_unit_test(agrees_with_a_plain_match),
	};

	return unit_main(tests);
}
