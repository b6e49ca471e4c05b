/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/rules_foreign.h: chains and rules as the kernel tells them, and the lines that come of them. */
#include "netd/rules_foreign.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include "netd/rules_expression.h"
#include "netd/rules_message.h"
#include "unit.h"

static const struct subnet subnet = {
	.cidr = { 0xc0a84000, 24 }, /* 192.168.64.0 */
	.gateway = 0xc0a84001,
};

#define FORWARDING(name) \
	"the firewall chain '" name "' stops what VMs send to other networks; as root, type: "
#define TO_HOST(name) \
	"the firewall chain '" name "' stops what VMs send to this host; as root, type: "
#define ANSWERS "-m conntrack --ctstate ESTABLISHED,RELATED,DNAT -j ACCEPT\n"
#define DOCKER \
	"iptables -I DOCKER-USER -i tart-+ ! -o docker0 -j ACCEPT && iptables -I DOCKER-USER -o tart-+ " ANSWERS
#define FIREWALLD \
	"firewall-cmd --permanent --zone=trusted --add-source=192.168.64.0/24 && firewall-cmd --reload\n"
#define NFT(names, hook) "nft insert rule " names " iifname '\"tart-*\"' accept" hook
#define NFT_FORWARD(names)                                                                        \
	NFT(names,                                                                                \
	    " && nft insert rule " names                                                          \
	    " oifname '\"tart-*\"' ct state established,related accept && nft insert rule " names \
	    " oifname '\"tart-*\"' ct status dnat accept\n")

/* Words of a rule: i o (our interfaces), s (our subnet, as three bytes), S (with a mask), p (a port), c (counter),
 * l (log), m (a match of iptables), M (its comment); then what it says: a d r (accept, drop, reject), R (iptables' own
 * REJECT), j NAME, g NAME. */
struct rule {
	const char *chain, *words;
};

struct chain {
	const char *name, *hook; /* "input", "forward", "output"; NULL */
	bool drops;
};

#define CHAINS 6

struct row {
	const char *name;
	int family;
	const char *table;
	struct chain chains[CHAINS];
	struct rule rules[CHAINS];
	const char *lines;
};

static void put_name(struct str *out, const char *name, const void *data, size_t len, uint16_t type)
{
	size_t element = rules_put_nest(out, NFTA_LIST_ELEM);
	size_t nest;

	rules_put_text(out, NFTA_EXPR_NAME, name);
	nest = rules_put_nest(out, NFTA_EXPR_DATA);
	if (data)
		rules_put_span(out, type, span_make(data, len));
	rules_put_nest_end(out, nest);
	rules_put_nest_end(out, element);
}

static void put_word(struct str *out, char word, const char *chain)
{
	switch (word) {
	case 'i':
	case 'o':
		rules_put_meta(out, word == 'i' ? NFT_META_IIFNAME : NFT_META_OIFNAME, NFT_REG_1);
		rules_put_compare(out, true, span_of("tart-"));
		break;
	case 's':
	case 'S':
		rules_put_payload(out, NFT_PAYLOAD_NETWORK_HEADER, 12, 4, NFT_REG_1);
		if (word == 'S')
			rules_put_mask(out, span_make("\xff\xff\xff\0", 4));
		rules_put_compare(out, true, span_make("\xc0\xa8\x40\0", word == 'S' ? 4 : 3));
		break;
	case 'p':
		rules_put_payload(out, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 4, NFT_REG_1);
		rules_put_compare(out, true, span_make("\xc0\xa8\x40\0", 4));
		break;
	case 'c':
		rules_put_counter(out, NFTA_LIST_ELEM);
		break;
	case 'l':
		put_name(out, "log", NULL, 0, 0);
		break;
	case 'm':
		put_name(out, "match", "tcp", sizeof("tcp"), NFTA_MATCH_NAME);
		break;
	case 'M':
		put_name(out, "match", "comment", sizeof("comment"), NFTA_MATCH_NAME);
		break;
	case 'R':
		put_name(out, "target", "REJECT", sizeof("REJECT"), NFTA_TARGET_NAME);
		break;
	case 'a':
		rules_put_immediate(out, NF_ACCEPT, NULL);
		break;
	case 'd':
		rules_put_immediate(out, NF_DROP, NULL);
		break;
	case 'r':
		rules_put_reject(out);
		break;
	default:
		rules_put_immediate(out, word == 'j' ? NFT_JUMP : NFT_GOTO, chain);
		break;
	}
}

static void add_chain(struct rules_foreign *foreign, const struct row *row,
		      const struct chain *chain)
{
	CLEANUP_STR struct str attrs = { 0 };

	rules_put_text(&attrs, NFTA_CHAIN_TABLE, row->table);
	rules_put_text(&attrs, NFTA_CHAIN_NAME, chain->name);
	if (chain->hook) {
		size_t hook = rules_put_nest(&attrs, NFTA_CHAIN_HOOK);

		rules_put_u32(&attrs, NFTA_HOOK_HOOKNUM,
			      chain->hook[0] == 'i' ? NF_INET_LOCAL_IN :
			      chain->hook[0] == 'f' ? NF_INET_FORWARD :
						      NF_INET_LOCAL_OUT);
		rules_put_nest_end(&attrs, hook);
		rules_put_text(&attrs, NFTA_CHAIN_TYPE, "filter");
		rules_put_u32(&attrs, NFTA_CHAIN_POLICY, chain->drops ? NF_DROP : NF_ACCEPT);
	}
	rules_foreign_add_chain(foreign, (uint8_t)row->family, str_span(&attrs));
}

static void put_rule(struct str *out, const struct row *row, const struct rule *rule)
{
	size_t expressions;

	rules_put_text(out, NFTA_RULE_TABLE, row->table);
	rules_put_text(out, NFTA_RULE_CHAIN, rule->chain);
	expressions = rules_put_nest(out, NFTA_RULE_EXPRESSIONS);
	for (const char *word = rule->words; *word && *word != ' '; word++)
		put_word(out, *word,
			 strchr(rule->words, ' ') ? strchr(rule->words, ' ') + 1 : NULL);
	rules_put_nest_end(out, expressions);
}

static const struct row rows[] = {
	{ "nothing", NFPROTO_INET, "x", { { 0 } }, { { 0 } }, "" },
	{ "one that lets everything through",
	  NFPROTO_INET,
	  "filter",
	  { { "forward", "forward", false }, { "input", "input", false } },
	  { { "forward", "pd" } },
	  "" },
	{ "policy drop",
	  NFPROTO_INET,
	  "filter",
	  { { "forward", "forward", true } },
	  { { 0 } },
	  FORWARDING("inet filter forward") NFT_FORWARD("inet filter forward") },
	{ "policy drop for what comes in",
	  NFPROTO_IPV4,
	  "my",
	  { { "in", "input", true } },
	  { { "in", "pa" } },
	  TO_HOST("ip my in") NFT("ip my in", "\n") },
	{ "a drop of all at the end",
	  NFPROTO_INET,
	  "my",
	  { { "in", "input", false } },
	  { { "in", "pa" }, { "in", "lcd" } },
	  TO_HOST("inet my in") NFT("inet my in", "\n") },
	{ "a reject of all at the end, by iptables",
	  NFPROTO_IPV4,
	  "filter",
	  { { "INPUT", "input", false } },
	  { { "INPUT", "MclR" } },
	  TO_HOST("ip filter INPUT") "iptables -I INPUT -i tart-+ -j ACCEPT\n" },
	{ "a drop of some at the end",
	  NFPROTO_INET,
	  "my",
	  { { "in", "input", false } },
	  { { "in", "pd" }, { "in", "mr" } },
	  "" },
	{ "a drop of all that something follows",
	  NFPROTO_INET,
	  "my",
	  { { "in", "input", false } },
	  { { "in", "d" }, { "in", "pc" } },
	  "" },
	{ "another hook", NFPROTO_INET, "x", { { "out", "output", true } }, { { 0 } }, "" },
	{ "another family", NFPROTO_IPV6, "x", { { "in", "input", true } }, { { 0 } }, "" },
	{ "our own", NFPROTO_INET, "tart", { { "forward", "forward", true } }, { { 0 } }, "" },
	{ "iptables",
	  NFPROTO_IPV4,
	  "filter",
	  { { "INPUT", "input", true }, { "FORWARD", "forward", true } },
	  { { 0 } },
	  TO_HOST("ip filter INPUT") "iptables -I INPUT -i tart-+ -j ACCEPT\n" FORWARDING(
		  "ip filter FORWARD") "iptables -I FORWARD -i tart-+ -j ACCEPT && "
				       "iptables -I FORWARD -o tart-+ " ANSWERS },
	{ "Docker",
	  NFPROTO_IPV4,
	  "filter",
	  { { "FORWARD", "forward", true }, { "DOCKER-USER", NULL, false } },
	  { { "FORWARD", "cj DOCKER-USER" }, { "DOCKER-USER", "c" } },
	  FORWARDING("ip filter FORWARD") DOCKER },
	{ "Docker that was told",
	  NFPROTO_IPV4,
	  "filter",
	  { { "FORWARD", "forward", true }, { "DOCKER-USER", NULL, false } },
	  { { "FORWARD", "cj DOCKER-USER" }, { "DOCKER-USER", "ica" } },
	  "" },
	{ "Docker that was told to drop ours",
	  NFPROTO_IPV4,
	  "filter",
	  { { "FORWARD", "forward", true }, { "DOCKER-USER", NULL, false } },
	  { { "FORWARD", "cj DOCKER-USER" }, { "DOCKER-USER", "icd" } },
	  FORWARDING("ip filter FORWARD") DOCKER },
	{ "a chain that nothing leads to knows us",
	  NFPROTO_IPV4,
	  "filter",
	  { { "FORWARD", "forward", true }, { "DOCKER-USER", NULL, false } },
	  { { "DOCKER-USER", "ica" } },
	  FORWARDING("ip filter FORWARD") DOCKER },
	{ "firewalld",
	  NFPROTO_INET,
	  "firewalld",
	  { { "filter_INPUT", "input", false },
	    { "filter_FORWARD", "forward", false },
	    { "zones", NULL, false } },
	  { { "filter_INPUT", "j zones" },
	    { "filter_INPUT", "r" },
	    { "filter_FORWARD", "j zones" },
	    { "filter_FORWARD", "r" },
	    { "zones", "g public" } },
	  TO_HOST("inet firewalld filter_INPUT")
		  FIREWALLD FORWARDING("inet firewalld filter_FORWARD") FIREWALLD },
	{ "firewalld that was told",
	  NFPROTO_INET,
	  "firewalld",
	  { { "filter_INPUT", "input", false },
	    { "filter_FORWARD", "forward", false },
	    { "zones", NULL, false } },
	  { { "filter_INPUT", "j zones" },
	    { "filter_INPUT", "r" },
	    { "filter_FORWARD", "j zones" },
	    { "filter_FORWARD", "r" },
	    { "zones", "sg trusted" } },
	  "" },
	{ "ufw",
	  NFPROTO_IPV4,
	  "filter",
	  { { "INPUT", "input", true },
	    { "FORWARD", "forward", true },
	    { "ufw-user-input", NULL, false },
	    { "ufw-user-forward", NULL, false } },
	  { { "INPUT", "j ufw-user-input" }, { "FORWARD", "j ufw-user-forward" } },
	  TO_HOST("ip filter INPUT") "ufw allow from 192.168.64.0/24 to 192.168.64.1 port 53\n" FORWARDING(
		  "ip filter FORWARD") "ufw route allow from 192.168.64.0/24\n" },
	{ "ufw that was told",
	  NFPROTO_IPV4,
	  "filter",
	  { { "INPUT", "input", true },
	    { "FORWARD", "forward", true },
	    { "ufw-user-input", NULL, false },
	    { "ufw-user-forward", NULL, false } },
	  { { "INPUT", "j ufw-user-input" },
	    { "FORWARD", "j ufw-user-forward" },
	    { "ufw-user-input", "Sma" },
	    { "ufw-user-forward", "Sca" } },
	  "" },
	{ "a port of the subnet's bytes",
	  NFPROTO_INET,
	  "my",
	  { { "in", "input", true } },
	  { { "in", "pa" } },
	  TO_HOST("inet my in") NFT("inet my in", "\n") },
	{ "chains in a circle, which the kernel does not let be",
	  NFPROTO_INET,
	  "my",
	  { { "in", "input", true }, { "a", NULL, false }, { "b", NULL, false } },
	  { { "in", "j a" }, { "a", "j b" }, { "b", "j a" }, { "b", "j nowhere" } },
	  TO_HOST("inet my in") NFT("inet my in", "\n") },
	{ "names from hell",
	  NFPROTO_INET,
	  "\x1b[2J",
	  { { "in", "input", true } },
	  { { 0 } },
	  TO_HOST("inet \\x1b[2J in") NFT("inet \\x1b[2J in", "\n") },
};

static void read_row(const struct row *row, struct rules_foreign *foreign)
{
	for (int i = 0; i < CHAINS && row->chains[i].name; i++)
		add_chain(foreign, row, &row->chains[i]);
	for (int i = 0; i < CHAINS && row->rules[i].chain; i++) {
		CLEANUP_STR struct str attrs = { 0 };

		put_rule(&attrs, row, &row->rules[i]);
		rules_foreign_add_rule(foreign, &subnet, (uint8_t)row->family, str_span(&attrs));
	}
}

static void finds_what_stops_guests(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP(rules_foreign_done) struct rules_foreign foreign = { 0 };
		CLEANUP_STR struct str out = { 0 };

		read_row(row, &foreign);
		rules_foreign_print(&foreign, &subnet, &out);
		check(strcmp(str_text(&out), row->lines) == 0, "%s: got\n%s\nnot\n%s", row->name,
		      str_text(&out), row->lines);
	}
}

/* Of the same names in another table or family nothing is mixed up. */
static void tables_stand_apart(void **state)
{
	static const struct row here = { "",        NFPROTO_INET,
					 "my",      { { "in", "input", true } },
					 { { 0 } }, "" };
	static const struct row there = {
		"", NFPROTO_IPV4, "my", { { "in", "input", true } }, { { "in", "ia" } }, ""
	};
	CLEANUP(rules_foreign_done) struct rules_foreign foreign = { 0 };
	CLEANUP_STR struct str out = { 0 };

	(void)state;
	read_row(&here, &foreign);
	read_row(&there, &foreign);
	rules_foreign_print(&foreign, &subnet, &out);
	assert_string_equal(str_text(&out), TO_HOST("inet my in") NFT("inet my in", "\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_stops_guests),
		cmocka_unit_test(tables_stand_apart),
	};

	return unit_main(tests);
}
