/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/rules_text.h. What the kernel makes of it: tests/net/rules.bats, and the packet matrix. */
#include "netd/rules_text.h"

#include "unit.h"

static struct rules_options options_of(const char *net)
{
	struct rules_options options = { 0 };

	assert_true(cidr_parse(span_of(net), &options.subnet.cidr));
	options.subnet.gateway = options.subnet.cidr.network + 1;
	return options;
}

static void names_the_options(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	struct rules_options options = options_of("10.7.0.0/20");

	(void)state;
	rules_text(&options, &text);
	assert_non_null(strstr(text.ptr, "add rule arp tart guard arp daddr ip 10.7.0.1 accept\n"));
	assert_non_null(strstr(text.ptr, "masq ip saddr 10.7.0.0/20 oifname"));
	assert_non_null(
		strstr(text.ptr, "set inet tart dns { type ipv4_addr; elements = { 10.7.0.1 }; }"));
	assert_null(strchr(text.ptr, '$'));
}

static void servers_of_names_are_let_through(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	struct rules_options options = options_of("10.7.0.0/20");

	(void)state;
	options.dns[0] = 0x09090909;
	options.dns[1] = options.subnet.gateway;
	options.dns[2] = 0x01010101;
	rules_text(&options, &text);
	assert_non_null(strstr(text.ptr, "elements = { 10.7.0.1, 9.9.9.9, 1.1.1.1 }; }\n"));
}

/* What jumps or looks somewhere comes after that. */
static void what_is_named_comes_before(void **state)
{
	static const char *const words[] = { "jump ", "goto ", "@" };
	CLEANUP_STR struct str text = { 0 };
	struct rules_options options = options_of("10.7.0.0/20");
	struct span rest;
	struct span line;

	(void)state;
	rules_text(&options, &text);
	rest = str_span(&text);
	while (span_next(&rest, '\n', &line)) {
		const char *family = span_starts_with(line, "add rule arp") ? "arp" : "inet";

		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			const char *at = memmem(line.ptr, line.len, words[i], strlen(words[i]));
			CLEANUP_FREE char *made = NULL;
			const char *found;
			size_t len;

			if (!at)
				continue;
			at += strlen(words[i]);
			len = strcspn(at, " \n");
			made = xasprintf("%s tart %.*s", family, (int)len, at);
			found = memmem(text.ptr, (size_t)(line.ptr - text.ptr), made, strlen(made));
			check(found, "'%.*s' before '%s'", SPAN_ARG(line), made);
		}
	}
}

static void counts_rules(void **state)
{
	struct span text = span_of("add chain arp tart a\nadd rule arp tart a drop\n"
				   "add rule inet tart b drop\nadd rule inet tart b accept\n");

	(void)state;
	assert_int_equal(rules_text_count(text, true), 1);
	assert_int_equal(rules_text_count(text, false), 2);
}

static void markers_differ_with_the_text(void **state)
{
	char a[RULES_MARKER_SIZE];
	char b[RULES_MARKER_SIZE];

	(void)state;
	rules_text_marker(span_of("rules"), a);
	rules_text_marker(span_of("rulet"), b);
	assert_string_not_equal(a, b);
	/* The vectors of FNV-1a. */
	rules_text_marker(span_of(""), a);
	assert_string_equal(a, "is_cbf29ce484222325");
	rules_text_marker(span_of("a"), a);
	assert_string_equal(a, "is_af63dc4c8601ec8c");
}

/* Each command that the kernel may refuse for want of a part of it. */
static void knows_what_commands_need(void **state)
{
	static const struct {
		const char *name, *command, *need;
	} rows[] = {
		{ "masquerade", "add rule inet tart masq ip saddr 10.0.0.0/8 masquerade",
		  "NFT_MASQ" },
		{ "dnat", "add rule inet tart x dnat ip to tcp dport map @expose", "NFT_NAT" },
		{ "a nat chain",
		  "add chain inet tart x { type nat hook output priority -100; policy accept; }",
		  "NFT_NAT" },
		{ "fib", "add rule inet tart x fib daddr type { broadcast } goto discard",
		  "NFT_FIB_INET" },
		{ "reject", "add rule inet tart deny reject with icmpx admin-prohibited",
		  "NFT_REJECT_INET" },
		{ "connections", "add rule inet tart x ct state established,related accept",
		  "NFT_CT" },
		{ "a limit", "add set inet tart pings { type ifname; limit rate 20/second; }",
		  "NFT_LIMIT" },
		{ "ARP", "add set arp tart peers { type ifname; }", "NF_TABLES_ARP" },
		{ "nothing special", "add rule inet tart x accept", NULL },
		{ "nothing", "", NULL },
	};

	(void)state;
	each_row(rows, row) {
		const char *need = rules_text_need(span_of(row->command));

		check(need == row->need || (need && row->need && strcmp(need, row->need) == 0),
		      "%s: %s", row->name, need ? need : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_options),
		cmocka_unit_test(servers_of_names_are_let_through),
		cmocka_unit_test(what_is_named_comes_before),
		cmocka_unit_test(counts_rules),
		cmocka_unit_test(markers_differ_with_the_text),
		cmocka_unit_test(knows_what_commands_need),
	};

	return unit_main(tests);
}
