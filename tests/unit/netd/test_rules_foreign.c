/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/rules_foreign.h: listings as nft prints them, and the lines that come of them. */
#include "netd/rules_foreign.h"

#include "unit.h"

static const struct subnet subnet = {
	.cidr = { 0xc0a84000, 24 }, /* 192.168.64.0 */
	.gateway = 0xc0a84001,
};

#define FORWARDING(name) \
	"the firewall chain '" name "' stops what VMs send to other networks; as root, type: "
#define TO_HOST(name) \
	"the firewall chain '" name "' stops what VMs send to this host; as root, type: "
#define ANSWERS "-m conntrack --ctstate ESTABLISHED,RELATED,DNAT -j ACCEPT"

#define CHAIN(name, hook, policy, rules)                                                    \
	"\tchain " name " {\n\t\ttype filter hook " hook " priority filter; policy " policy \
	";\n" rules "\t}\n\n"
#define EMPTY(name) "\tchain " name " {\n\t}\n\n"

/* As Docker's iptables makes them, in part. */
#define DOCKER(user)                                                                                              \
	"table ip nat {\n\tchain DOCKER {\n\t\tiifname \"docker0\" counter return\n\t}\n}\n"                      \
	"table ip filter {\n" EMPTY("DOCKER") "\tchain DOCKER-USER {\n" user "\t\tcounter return\n\t}\n\n" CHAIN( \
		"FORWARD", "forward", "drop",                                                                     \
		"\t\tcounter jump DOCKER-USER\n\t\toifname \"docker0\" ct state related,established "             \
		"counter accept\n\t\tiifname \"docker0\" oifname != \"docker0\" counter accept\n") "}\n"

/* As firewalld makes them, in part. */
#define FIREWALLD(zones)                                                                                \
	"table inet firewalld { # progname firewalld\n\tflags owner\n\n"                                \
	"\tchain filter_INPUT {\n\t\ttype filter hook input priority filter + 10; policy accept;\n"     \
	"\t\tct state { established, related } accept\n\t\tiifname \"lo\" accept\n"                     \
	"\t\tjump filter_INPUT_ZONES\n\t\treject with icmpx admin-prohibited\n\t}\n\n"                  \
	"\tchain filter_FORWARD {\n\t\ttype filter hook forward priority filter + 10; policy accept;\n" \
	"\t\tct status dnat accept\n\t\tjump filter_FORWARD_ZONES\n"                                    \
	"\t\treject with icmpx admin-prohibited\n\t}\n\n"                                               \
	"\tchain filter_INPUT_ZONES {\n" zones "\t\tgoto filter_IN_public\n\t}\n\n"                     \
	"\tchain filter_FORWARD_ZONES {\n" zones "\t\tgoto filter_FWD_public\n\t}\n}\n"

#define UFW(forward, input)                                                                          \
	"table ip filter {\n" CHAIN("INPUT", "input", "drop", "\t\tjump ufw-user-input\n") CHAIN(    \
		"FORWARD", "forward", "drop",                                                        \
		"\t\tcounter jump ufw-user-forward\n") "\tchain ufw-user-input {\n" input            \
						       "\t}\n\n\tchain ufw-user-forward {\n" forward \
						       "\t}\n}\n"

static const struct {
	const char *name;
	const char *listing;
	const char *lines;
} rows[] = {
	{ "nothing", "", "" },
	{ "a firewall that lets everything through",
	  "table inet filter {\n" CHAIN("forward", "forward", "accept",
					"\t\tct state invalid drop\n")
		  CHAIN("input", "input", "accept", "") "}\n",
	  "" },
	{ "policy drop", "table inet filter {\n" CHAIN("forward", "forward", "drop", "") "}\n",
	  FORWARDING(
		  "inet filter forward") "nft insert rule inet filter forward iifname '\"tart-*\"' accept && nft insert rule"
					 " inet filter forward oifname '\"tart-*\"' ct state established,related accept &&"
					 " nft insert rule inet filter forward oifname '\"tart-*\"' ct status dnat accept\n" },
	{ "policy drop for what comes in",
	  "table inet my {\n" CHAIN("in", "input", "drop", "\t\ttcp dport 22 accept\n") "}\n",
	  TO_HOST("inet my in") "nft insert rule inet my in iifname '\"tart-*\"' accept\n" },
	{ "a drop of all at the end",
	  "table inet my {\n" CHAIN("in", "input", "accept",
				    "\t\ttcp dport 22 accept\n\t\tlog prefix \"no drop: \" counter "
				    "packets 17 bytes 900 drop\n") "}\n",
	  TO_HOST("inet my in") "nft insert rule inet my in iifname '\"tart-*\"' accept\n" },
	{ "a drop of some at the end",
	  "table inet my {\n" CHAIN("in", "input", "accept", "\t\ttcp dport 22 drop\n") "}\n", "" },
	{ "a drop of all that something follows",
	  "table inet my {\n" CHAIN("in", "input", "accept",
				    "\t\tcounter\n\t\ttcp dport 1 drop\n") "}\n",
	  "" },
	{ "hooks and families that do not matter",
	  "table ip6 filter {\n" CHAIN(
		  "FORWARD", "forward", "drop",
		  "") "}\n"
		      "table inet x {\n" CHAIN("out", "output", "drop", "") CHAIN(
			      "post", "postrouting", "drop",
			      "") "}\ntable bridge y {\n" CHAIN("f", "forward", "drop",
								"") "}\n"
								    "table arp tart {\n" CHAIN(
									    "input", "input",
									    "drop", "") "}\n",
	  "" },
	{ "our own",
	  "table inet tart { # progname tart-netd\n\tflags owner\n\n\tset a {\n\t\ttype ifname\n\t}\n" CHAIN(
		  "forward", "forward", "drop",
		  "") "}\ntable inet tart_hold {\n" CHAIN("to", "forward", "drop", "") "}\n",
	  "" },
	{ "a table behind sets and maps",
	  "table inet my {\n\tset a {\n\t\ttype ipv4_addr\n\t\telements = { 1.1.1.1,\n\t\t\t     2.2.2.2 }\n"
	  "\t}\n\n\tmap b {\n\t\ttype ifname : verdict\n\t}\n\n" CHAIN("in", "input", "drop",
								       "") "}\n",
	  TO_HOST("inet my in") "nft insert rule inet my in iifname '\"tart-*\"' accept\n" },
	{ "iptables",
	  "table ip filter {\n" CHAIN("INPUT", "input", "drop", "")
		  CHAIN("FORWARD", "forward", "drop", "") "}\n",
	  TO_HOST("ip filter INPUT") "iptables -I INPUT -i tart-+ -j ACCEPT\n" FORWARDING(
		  "ip filter FORWARD") "iptables -I FORWARD -i tart-+ -j ACCEPT && "
				       "iptables -I FORWARD -o tart-+ " ANSWERS "\n" },
	{ "Docker", DOCKER(""),
	  FORWARDING(
		  "ip filter FORWARD") "iptables -I DOCKER-USER -i tart-+ ! -o docker0 -j ACCEPT && "
				       "iptables -I DOCKER-USER -o tart-+ " ANSWERS "\n" },
	{ "Docker that was told",
	  DOCKER("\t\toifname \"tart-*\" ct state related,established counter accept\n"
		 "\t\tiifname \"tart-*\" oifname != \"docker0\" counter packets 0 bytes 0 accept\n"),
	  "" },
	{ "Docker that was told to drop ours", DOCKER("\t\tiifname \"tart-*\" counter drop\n"),
	  FORWARDING(
		  "ip filter FORWARD") "iptables -I DOCKER-USER -i tart-+ ! -o docker0 -j ACCEPT && "
				       "iptables -I DOCKER-USER -o tart-+ " ANSWERS "\n" },
	{ "a chain that nothing leads to knows us",
	  "table ip filter {\n" CHAIN(
		  "FORWARD", "forward", "drop",
		  "") "\tchain other {\n\t\tiifname \"tart-*\" accept\n\t}\n}\n",
	  FORWARDING("ip filter FORWARD") "iptables -I FORWARD -i tart-+ -j ACCEPT && "
					  "iptables -I FORWARD -o tart-+ " ANSWERS "\n" },
	{ "firewalld", FIREWALLD(""),
	  TO_HOST("inet firewalld filter_INPUT") "firewall-cmd --permanent --zone=trusted --add-source=192.168.64.0/24 && "
						 "firewall-cmd --reload\n" FORWARDING(
							 "inet firewalld filter_FORWARD") "firewall-cmd --permanent --zone=trusted --add-source=192.168.64.0/24 && "
											  "firewall-cmd --reload\n" },
	{ "firewalld that was told",
	  FIREWALLD("\t\tip saddr 192.168.64.0/24 goto filter_X_trusted\n"), "" },
	{ "ufw", UFW("", ""),
	  TO_HOST("ip filter INPUT") "ufw allow from 192.168.64.0/24 to 192.168.64.1 port 53\n" FORWARDING(
		  "ip filter FORWARD") "ufw route allow from 192.168.64.0/24\n" },
	{ "ufw that was told",
	  UFW("\t\tip saddr 192.168.64.0/24 counter accept\n",
	      "\t\tip saddr 192.168.64.0/24 ip daddr 192.168.64.1 udp dport 53 counter accept\n"),
	  "" },
	{ "chains in a circle, which a listing cannot have",
	  "table ip filter {\n" CHAIN(
		  "FORWARD", "forward", "drop",
		  "\t\tjump a\n") "\tchain a {\n\t\tjump b\n\t}\n\tchain b {\n\t\tjump a\n\t\tjump\n\t\tjump nowhere\n\t}\n}\n",
	  FORWARDING("ip filter FORWARD") "iptables -I FORWARD -i tart-+ -j ACCEPT && "
					  "iptables -I FORWARD -o tart-+ " ANSWERS "\n" },
	{ "a listing that ends in the middle",
	  "table inet my {\n\tchain in {\n\t\ttype filter hook input "
	  "priority 0; policy drop;",
	  TO_HOST("inet my in") "nft insert rule inet my in iifname '\"tart-*\"' accept\n" },
	{ "names from hell", "table inet \x1b[2J {\n" CHAIN("in", "input", "drop", "") "}\n",
	  TO_HOST("inet \\x1b[2J in") "nft insert rule inet \\x1b[2J in iifname '\"tart-*\"' accept\n" },
};

static void finds_what_stops_guests(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str out = { 0 };

		rules_foreign_find(span_of(row->listing), &subnet, &out);
		check(strcmp(str_text(&out), row->lines) == 0, "%s: got\n%s\nnot\n%s", row->name,
		      str_text(&out), row->lines);
	}
}

/* Wherever a listing is cut off, or a line of it is lost. */
static void reads_no_further_than_the_end(void **state)
{
	static const char listing[] = DOCKER("\t\tjump x\n") FIREWALLD("\t\tlog prefix \"x");

	(void)state;
	for (size_t len = 1; len < sizeof(listing); len++) {
		CLEANUP_STR struct str out = { 0 };
		CLEANUP_FREE char *exact = xrealloc(NULL, len, 1);

		memcpy(exact, listing, len);
		rules_foreign_find(span_make(exact, len), &subnet, &out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_stops_guests),
		cmocka_unit_test(reads_no_further_than_the_end),
	};

	return unit_main(tests);
}
