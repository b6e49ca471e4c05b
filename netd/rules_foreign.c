/* SPDX-License-Identifier: Apache-2.0 */
/* Other people's firewalls: which of them stop our guests, and the commands that help. */
#include "netd/rules_foreign.h"

#include <linux/netfilter.h>

static struct rules_chain *find_chain(const struct rules_foreign *foreign,
				      const struct rules_chain *beside, const char *name)
{
	vec_each(&foreign->chains, chain)
		if (chain->family == beside->family && strcmp(chain->name, name) == 0 &&
		    strcmp(chain->table, beside->table) == 0)
			return chain;
	return NULL;
}

typedef VEC(struct rules_chain *) chain_refs;

static void follow(const struct rules_foreign *foreign, const struct rules_chain *from,
		   chain_refs *found)
{
	vec_each(&from->leads_to, name) {
		struct rules_chain *to = find_chain(foreign, from, *name);

		if (!to || to->seen)
			continue;
		to->seen = true;
		*vec_push(found) = to;
	}
}

/* Whether a base chain, or one that it leads to, has a rule for us. */
static bool knows_us(struct rules_foreign *foreign, struct rules_chain *base)
{
	chain_refs found = { 0 };
	bool knows = false;

	vec_each(&foreign->chains, chain)
		chain->seen = false;
	base->seen = true;
	*vec_push(&found) = base;
	for (size_t i = 0; i < found.n && !knows; i++) {
		knows = found.v[i]->knows_us;
		follow(foreign, found.v[i], &found);
	}
	vec_done(&found);
	return knows;
}

static void put_names(const struct rules_chain *chain, struct str *out)
{
	str_add(out, chain->family == NFPROTO_INET ? "inet " : "ip ");
	str_add_escaped(out, span_of(chain->table));
	str_add_char(out, ' ');
	str_add_escaped(out, span_of(chain->name));
}

static bool is_beside(const struct rules_foreign *foreign, const struct rules_chain *chain,
		      const char *name)
{
	return find_chain(foreign, chain, name) != NULL;
}

/* The table that iptables makes by nft. */
static bool is_iptables(const struct rules_chain *chain)
{
	return chain->family == NFPROTO_IPV4 && strcmp(chain->table, "filter") == 0 &&
	       (strcmp(chain->name, "FORWARD") == 0 || strcmp(chain->name, "INPUT") == 0);
}

#define ANSWERS "-m conntrack --ctstate ESTABLISHED,RELATED,DNAT -j ACCEPT"

static void put_docker(struct str *out)
{
	str_add(out, "iptables -I DOCKER-USER -i tart-+ ! -o docker0 -j ACCEPT"
		     " && iptables -I DOCKER-USER -o tart-+ " ANSWERS);
}

static void put_ufw(const struct rules_chain *chain, const struct subnet *subnet, const char *net,
		    struct str *out)
{
	char gateway[IPV4_TEXT_SIZE];

	ipv4_print(subnet->gateway, gateway);
	if (chain->hook == RULES_HOOK_FORWARD)
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

static void put_iptables(const struct rules_chain *chain, struct str *out)
{
	if (chain->hook == RULES_HOOK_FORWARD)
		str_add(out, "iptables -I FORWARD -i tart-+ -j ACCEPT"
			     " && iptables -I FORWARD -o tart-+ " ANSWERS);
	else
		str_add(out, "iptables -I INPUT -i tart-+ -j ACCEPT");
}

static void put_nft(const struct rules_chain *chain, struct str *out)
{
	str_add(out, "nft insert rule ");
	put_names(chain, out);
	str_add(out, " iifname '\"tart-*\"' accept");
	if (chain->hook != RULES_HOOK_FORWARD)
		return;
	str_add(out, " && nft insert rule ");
	put_names(chain, out);
	str_add(out, " oifname '\"tart-*\"' ct state established,related accept"
		     " && nft insert rule ");
	put_names(chain, out);
	str_add(out, " oifname '\"tart-*\"' ct status dnat accept");
}

static void put_remedy(const struct rules_foreign *foreign, const struct rules_chain *chain,
		       const struct subnet *subnet, struct str *out)
{
	char net[CIDR_TEXT_SIZE];

	cidr_print(&subnet->cidr, net);
	if (strcmp(chain->table, "firewalld") == 0)
		put_firewalld(net, out);
	else if (is_beside(foreign, chain, "ufw-user-forward") ||
		 is_beside(foreign, chain, "ufw-user-input"))
		put_ufw(chain, subnet, net, out);
	else if (chain->hook == RULES_HOOK_FORWARD && is_beside(foreign, chain, "DOCKER-USER"))
		put_docker(out);
	else if (is_iptables(chain))
		put_iptables(chain, out);
	else
		put_nft(chain, out);
}

static void put_line(const struct rules_foreign *foreign, const struct rules_chain *chain,
		     const struct subnet *subnet, struct str *out)
{
	str_add(out, "the firewall chain '");
	put_names(chain, out);
	str_addf(out, "' stops what VMs send %s; as root, type: ",
		 chain->hook == RULES_HOOK_FORWARD ? "to other networks" : "to this host");
	put_remedy(foreign, chain, subnet, out);
	str_add_char(out, '\n');
}

bool rules_foreign_matters(const struct rules_chain *chain)
{
	return chain->hook != RULES_HOOK_OTHER;
}

void rules_foreign_print(struct rules_foreign *foreign, const struct subnet *subnet,
			 struct str *out)
{
	vec_each(&foreign->chains, chain)
		if (rules_foreign_matters(chain) && (chain->drops || chain->stops) &&
		    !knows_us(foreign, chain))
			put_line(foreign, chain, subnet, out);
}
