/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/host_pattern.h. */
#include "registry/host_pattern.h"

#include <string.h>

#include "base/str.h"
#include "unit.h"

#define ECR "(.*).dkr.ecr.(.*).amazonaws.com"

static const struct {
	const char *name; /* the pattern */
	const char *host;
	bool matches;
} rows[] = {
	/* cli.md 3.7 */
	{ ECR, "123.dkr.ecr.eu-west-1.amazonaws.com", true },
	{ ECR, "456.dkr.ecr.us-east-1.amazonaws.com", true },
	{ ECR, "ghcr.io", false },
	{ "gcr.io", "gcr.io", true },
	{ "gcr.io", "x.gcr.io", false },
	/* all of it */
	{ "gcr.io", "gcr.io:5000", false },
	{ "a|ab", "ab", true },
	{ "ab|a", "a", true },
	{ "a)|(.*", "anything", false },
	{ "^gcr\\.io$", "gcr.io", true },
	{ ".*", "h:5000", true },
	{ "", "h", false },
	{ "[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]{1,20}\\.amazonaws\\.com",
	  "123456789012.dkr.ecr.eu-west-1.amazonaws.com", true },
	{ "(a{2}){3}", "aaaaaa", true },
	{ "a{2,}", "aaaa", true },
	{ "[]x]+", "]x", true },
	{ "[^]x]+", "ab", true },
	/* what is none */
	{ "*.gcr.io", "x.gcr.io", false },
	{ "(", "(", false },
	{ "[a", "a", false },
	{ "a{", "a", false },
	{ "a{2", "aa", false },
	{ "a\\", "a", false },
	/* what costs too much */
	{ "(a)\\1", "aa", false },
	{ "a{2048}", "a", false },
	{ "a{2049}", "a", false },
	{ "a{99999999999999999999}", "a", false },
	{ "((a{1,200}){1,200}){1,200}", "a", false },
	{ "a{1,50}{1,50}", "a", false },
	{ "a+++++++++++", "a", true },
	{ "a++++++++++++", "a", false },
	{ "((((((((((((((((a))))))))))))))))", "a", false },
};

static void matches_whole_hosts(void **state)
{
	(void)state;
	each_row(rows, row)
		check(host_pattern_matches(row->name, row->host) == row->matches, "%s, %s: %s",
		      row->name, row->host, row->matches ? "does not match" : "matches");
}

static const struct {
	const char *name; /* the pattern */
	bool ok;
	uint64_t cost;
} costs[] = {
	{ "", true, 0 },
	{ "abc", true, 3 },
	{ "a[b-z]c", true, 3 },
	{ "\\.\\(", true, 2 },
	{ "(ab)", true, 3 },
	{ "a|b", true, 3 },
	{ "(a|b)c", true, 5 },
	{ "a*", true, 2 },
	{ "a?", true, 2 },
	{ "a+", true, 2 },
	{ "a++++", true, 16 },
	{ "a{10}", true, 10 },
	{ "a{2,10}", true, 10 },
	{ "a{,10}", true, 11 },
	{ "a{0,10}", true, 11 },
	{ "a{10,}", true, 11 },
	{ "a{0}", true, 2 },
	{ "a{1}", true, 1 },
	{ "a{2}{3}", true, 6 },
	{ "a+{3}", true, 6 },
	{ "a+*", true, 3 },
	{ "(ab){10}", true, 30 },
	{ "((a{3}){3}){3}", true, 39 },
	{ "(a*b)*", true, 5 },
	{ "(a*)b*", true, 5 },
	{ "a{2047}", true, 2047 },
	{ "xa{2047}", true, 2048 },
	/* too much */
	{ "xxa{2047}", false, 0 },
	{ "(a{2000}){2}", false, 0 },
	/* repetitions of what may be empty */
	{ "a**", false, 0 },
	{ "a*?", false, 0 },
	{ "a?+", false, 0 },
	{ "a*{2}", false, 0 },
	{ "a{0,1}*", false, 0 },
	{ "a{,1}*", false, 0 },
	{ "a{0}*", false, 0 },
	{ "(a*)*", false, 0 },
	{ "(a*b?){2}", false, 0 },
	{ "(a|b*)+", false, 0 },
	{ "(b*|a)+", false, 0 },
	{ "(a|)*", false, 0 },
	{ "(|a)*", false, 0 },
	{ "()*", false, 0 },
	{ "((a*)(b|c?))*", false, 0 },
	{ "^*", false, 0 },
	{ "(^$)*", false, 0 },
	{ "(\\b)*", false, 0 },
	{ "*a", false, 0 },
	{ "a|*", false, 0 },
	{ "a(*", false, 0 },
	/* what is none */
	{ "a)", false, 0 },
	{ "(a", false, 0 },
	{ "a{-1}", false, 0 },
	{ "a{}", false, 0 },
	{ "a{,}", false, 0 },
	{ "a{1,2,3}", false, 0 },
	{ "a\\", false, 0 },
};

static void counts_what_they_cost(void **state)
{
	(void)state;
	each_row(costs, row) {
		uint64_t cost = 0;
		bool ok = host_pattern_cost(span_of(row->name), &cost);

		check(ok == row->ok, "%s: %s", row->name, ok ? "accepted" : "refused");
		check(cost == row->cost, "%s: %llu", row->name, (unsigned long long)cost);
	}
}

/* The most that is let through still ends: most of it is optional. */
static void the_costliest_ends(void **state)
{
	CLEANUP_STR struct str pattern = { 0 };
	CLEANUP_STR struct str host = { 0 };

	(void)state;
	str_add(&pattern, "((aa?a?a?a?){50}){4}b");
	while (host.len < HOST_PATTERN_MAX)
		str_add_char(&host, 'a');
	assert_false(host_pattern_matches(str_text(&pattern), str_text(&host)));
	str_truncate(&host, HOST_PATTERN_MAX - 1);
	str_add_char(&host, 'b');
	assert_true(host_pattern_matches(str_text(&pattern), str_text(&host)));
}

static void long_ones_match_nothing(void **state)
{
	CLEANUP_STR struct str text = { 0 };

	(void)state;
	while (text.len < HOST_PATTERN_MAX)
		str_add_char(&text, 'a');
	assert_true(host_pattern_matches(".*", str_text(&text)));
	assert_true(host_pattern_matches(str_text(&text), str_text(&text)));
	str_add_char(&text, 'a');
	assert_false(host_pattern_matches(".*", str_text(&text)));
	assert_false(host_pattern_matches(str_text(&text), "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_whole_hosts),
		cmocka_unit_test(counts_what_they_cost),
		cmocka_unit_test(the_costliest_ends),
		cmocka_unit_test(long_ones_match_nothing),
	};

	return unit_main(tests);
}
