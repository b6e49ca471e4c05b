/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other people's firewalls. The listing is read once, line by line, as nft prints it:
 *
 *	table ip filter {
 *		chain FORWARD {
 *			type filter hook forward priority filter; policy drop;
 *			jump DOCKER-USER
 *		}
 *	}
 */
#include "netd/rules_foreign.h"

#include "base/vec.h"

enum hook { HOOK_OTHER, HOOK_FORWARD, HOOK_INPUT };

struct chain {
	struct span family, table, name;
	enum hook hook;
	bool drops;        /* by policy */
	struct span rules; /* lines */
	bool seen;         /* by a search that is under way */
};
typedef VEC(struct chain) chain_list;

static struct span trim(struct span s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = span_from(s, 1);
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static bool contains(struct span text, struct span word)
{
	return text.len > 0 && memmem(text.ptr, text.len, word.ptr, word.len) != NULL;
}

static bool has(struct span text, const char *word)
{
	return contains(text, span_of(word));
}

static bool next_word(struct span *rest, struct span *ret)
{
	do {
		if (!span_next(rest, ' ', ret))
			return false;
	} while (ret->len == 0);
	return true;
}

/* "chain NAME {" */
static bool is_block(struct span line, const char *kind, struct span *ret_rest)
{
	struct span rest = line;
	struct span word;

	if (!span_ends_with(line, "{") || !next_word(&rest, &word) || !span_is(word, kind))
		return false;
	*ret_rest = rest;
	return true;
}

static void read_type(struct chain *chain, struct span line)
{
	if (has(line, " hook forward "))
		chain->hook = HOOK_FORWARD;
	else if (has(line, " hook input "))
		chain->hook = HOOK_INPUT;
	chain->drops = has(line, "; policy drop;");
}

/* Up to the line that closes it. */
static void read_chain(struct span *listing, struct chain *chain)
{
	struct span line;

	chain->rules = span_make(listing->ptr, 0);
	while (span_next(listing, '\n', &line)) {
		struct span text = trim(line);

		if (span_is(text, "}"))
			break;
		if (span_starts_with(text, "type "))
			read_type(chain, text);
		chain->rules.len = (size_t)(line.ptr + line.len - chain->rules.ptr);
	}
}

/* Sets, maps and whatever else is in a table go up to a line that closes them, as chains do. */
static void read_table(struct span *listing, struct span family, struct span table,
		       chain_list *chains)
{
	struct span line;
	struct span rest;

	while (span_next(listing, '\n', &line)) {
		struct chain chain = { .family = family, .table = table };

		line = trim(line);
		if (span_is(line, "}"))
			return;
		if (!span_ends_with(line, "{"))
			continue;
		if (is_block(line, "chain", &rest) && next_word(&rest, &chain.name)) {
			read_chain(listing, &chain);
			*vec_push(chains) = chain;
		} else {
			read_chain(listing, &chain);
		}
	}
}

static void read_listing(struct span listing, chain_list *chains)
{
	struct span line;
	struct span rest;
	struct span family;
	struct span table;

	while (span_next(&listing, '\n', &line)) {
		/* Behind the brace of a table that has an owner is a remark. */
		line = trim(span_first(line, span_find(line, '#')));
		if (is_block(line, "table", &rest) && next_word(&rest, &family) &&
		    next_word(&rest, &table))
			read_table(&listing, family, table, chains);
	}
}

/* The statement that ends a rule for every packet: nothing in front of it looks at one. */
static bool stops_everything(struct span rule)
{
	struct span word;

	while (next_word(&rule, &word)) {
		if (span_is(word, "drop") || span_is(word, "reject"))
			return true;
		if (span_is(word, "log") && next_word(&rule, &word) && span_is(word, "prefix")) {
			size_t open = span_find(rule, '"');
			size_t shut = open < rule.len ? span_find(span_from(rule, open + 1), '"') :
							rule.len;

			if (open + 1 + shut >= rule.len)
				return false;
			rule = span_from(rule, open + 1 + shut + 1);
			continue;
		}
		if (span_is(word, "counter"))
			continue;
		if (span_is(word, "packets") || span_is(word, "bytes")) {
			(void)next_word(&rule, &word);
			continue;
		}
		return false;
	}
	return false;
}

static bool ends_with_stop(const struct chain *chain)
{
	size_t start = span_rfind(chain->rules, '\n');
	struct span last = start < chain->rules.len ? span_from(chain->rules, start + 1) :
						      chain->rules;

	return stops_everything(trim(last));
}

static struct chain *find_chain(const chain_list *chains, const struct chain *beside,
				struct span name)
{
	vec_each(chains, chain)
		if (span_equal(chain->name, name) && span_equal(chain->table, beside->table) &&
		    span_equal(chain->family, beside->family))
			return chain;
	return NULL;
}

static bool names_us(struct span rule, struct span net)
{
	return (has(rule, "\"tart-") || contains(rule, net)) &&
	       (has(rule, " accept") || has(rule, "goto ") || has(rule, "jump "));
}

/* Chains still to be looked at are those that are `seen` and not yet taken from the list. */
typedef VEC(struct chain *) chain_refs;

static void follow(const chain_list *chains, const struct chain *from, struct span rule,
		   chain_refs *ret)
{
	struct span word;
	bool is_target = false;

	while (next_word(&rule, &word)) {
		struct chain *to = is_target ? find_chain(chains, from, word) : NULL;

		if (to && !to->seen) {
			to->seen = true;
			*vec_push(ret) = to;
		}
		is_target = span_is(word, "jump") || span_is(word, "goto");
	}
}

static bool rules_name_us(const chain_list *chains, const struct chain *chain, struct span net,
			  chain_refs *found)
{
	struct span rules = chain->rules;
	struct span line;

	while (span_next(&rules, '\n', &line)) {
		line = trim(line);
		if (names_us(line, net))
			return true;
		follow(chains, chain, line, found);
	}
	return false;
}

/* Whether a base chain, or one that it leads to, has a rule for us. */
static bool knows_us(chain_list *chains, struct chain *base, struct span net)
{
	chain_refs found = { 0 };
	bool knows = false;

	vec_each(chains, chain)
		chain->seen = false;
	base->seen = true;
	*vec_push(&found) = base;
	for (size_t i = 0; i < found.n && !knows; i++)
		knows = rules_name_us(chains, found.v[i], net, &found);
	vec_done(&found);
	return knows;
}

static bool is_foreign_ip(const struct chain *chain)
{
	return (span_is(chain->family, "ip") || span_is(chain->family, "inet")) &&
	       !span_is(chain->table, "tart") && !span_is(chain->table, "tart_hold");
}

static void put_names(const struct chain *chain, struct str *out)
{
	str_add_escaped(out, chain->family);
	str_add_char(out, ' ');
	str_add_escaped(out, chain->table);
	str_add_char(out, ' ');
	str_add_escaped(out, chain->name);
}

static bool is_beside(const chain_list *chains, const struct chain *chain, const char *name)
{
	return find_chain(chains, chain, span_of(name)) != NULL;
}

/* The table that iptables makes by nft. */
static bool is_iptables(const struct chain *chain)
{
	return span_is(chain->family, "ip") && span_is(chain->table, "filter") &&
	       (span_is(chain->name, "FORWARD") || span_is(chain->name, "INPUT"));
}

#define ANSWERS "-m conntrack --ctstate ESTABLISHED,RELATED,DNAT -j ACCEPT"

static void put_docker(struct str *out)
{
	str_add(out, "iptables -I DOCKER-USER -i tart-+ ! -o docker0 -j ACCEPT"
		     " && iptables -I DOCKER-USER -o tart-+ " ANSWERS);
}

static void put_ufw(const struct chain *chain, const struct subnet *subnet, const char *net,
		    struct str *out)
{
	char gateway[IPV4_TEXT_SIZE];

	ipv4_print(subnet->gateway, gateway);
	if (chain->hook == HOOK_FORWARD)
		str_addf(out, "ufw route allow from %s", net);
	else
		str_addf(out, "ufw allow from %s to %s port 53", net, gateway);
}

static void put_firewalld(const char *net, struct str *out)
{
	str_addf(out,
		 "firewall-cmd --permanent --zone=trusted --add-source=%s && firewall-cmd --reload",
		 net);
}

static void put_iptables(const struct chain *chain, struct str *out)
{
	if (chain->hook == HOOK_FORWARD)
		str_add(out, "iptables -I FORWARD -i tart-+ -j ACCEPT"
			     " && iptables -I FORWARD -o tart-+ " ANSWERS);
	else
		str_add(out, "iptables -I INPUT -i tart-+ -j ACCEPT");
}

static void put_nft(const struct chain *chain, struct str *out)
{
	str_add(out, "nft insert rule ");
	put_names(chain, out);
	str_add(out, " iifname '\"tart-*\"' accept");
	if (chain->hook != HOOK_FORWARD)
		return;
	str_add(out, " && nft insert rule ");
	put_names(chain, out);
	str_add(out, " oifname '\"tart-*\"' ct state established,related accept"
		     " && nft insert rule ");
	put_names(chain, out);
	str_add(out, " oifname '\"tart-*\"' ct status dnat accept");
}

static void put_remedy(const chain_list *chains, const struct chain *chain,
		       const struct subnet *subnet, struct str *out)
{
	char net[CIDR_TEXT_SIZE];

	cidr_print(&subnet->cidr, net);
	if (span_is(chain->table, "firewalld"))
		put_firewalld(net, out);
	else if (is_beside(chains, chain, "ufw-user-forward") ||
		 is_beside(chains, chain, "ufw-user-input"))
		put_ufw(chain, subnet, net, out);
	else if (chain->hook == HOOK_FORWARD && is_beside(chains, chain, "DOCKER-USER"))
		put_docker(out);
	else if (is_iptables(chain))
		put_iptables(chain, out);
	else
		put_nft(chain, out);
}

static void put_line(const chain_list *chains, const struct chain *chain,
		     const struct subnet *subnet, struct str *out)
{
	str_add(out, "the firewall chain '");
	put_names(chain, out);
	str_addf(out, "' stops what VMs send %s; as root, type: ",
		 chain->hook == HOOK_FORWARD ? "to other networks" : "to this host");
	put_remedy(chains, chain, subnet, out);
	str_add_char(out, '\n');
}

void rules_foreign_find(struct span listing, const struct subnet *subnet, struct str *out)
{
	char net[CIDR_TEXT_SIZE];
	chain_list chains = { 0 };

	cidr_print(&subnet->cidr, net);
	read_listing(listing, &chains);
	vec_each(&chains, chain) {
		if (chain->hook == HOOK_OTHER || !is_foreign_ip(chain) ||
		    !(chain->drops || ends_with_stop(chain)))
			continue;
		if (!knows_us(&chains, chain, span_of(net)))
			put_line(&chains, chain, subnet, out);
	}
	vec_done(&chains);
}
