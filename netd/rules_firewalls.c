/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the kernel for other people's firewalls: all chains, then the rules of tables that matter. */
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include "netd/rules_foreign.h"
#include "netd/rules_private.h"

struct asking {
	struct rules_foreign foreign;
	const struct subnet *subnet;
};

static void asking_done(struct asking *asking)
{
	rules_foreign_done(&asking->foreign);
}

static void on_chain(void *ctx, const struct rules_answer *answer)
{
	struct asking *asking = ctx;

	rules_foreign_add_chain(&asking->foreign, answer->family, answer->attrs);
}

static void on_rule(void *ctx, const struct rules_answer *answer)
{
	struct asking *asking = ctx;

	rules_foreign_add_rule(&asking->foreign, asking->subnet, answer->family, answer->attrs);
}

static bool read_chains(const struct rules_socket *socket, struct asking *asking, struct err *err)
{
	CLEANUP_STR struct str question = { 0 };

	rules_ask_close(&question, rules_ask_open(&question, NFT_MSG_GETCHAIN, NLM_F_DUMP, 1, 0));
	return rules_socket_ask(socket, &question, 1, on_chain, asking, err);
}

static bool read_rules(const struct rules_socket *socket, struct asking *asking, uint8_t family,
		       const char *table, struct err *err)
{
	CLEANUP_STR struct str question = { 0 };
	size_t start = rules_ask_open(&question, NFT_MSG_GETRULE, NLM_F_DUMP, 1, family);

	rules_put_text(&question, NFTA_RULE_TABLE, table);
	rules_ask_close(&question, start);
	return rules_socket_ask(socket, &question, 1, on_rule, asking, err);
}

/* A table is read with the first of its chains that matters. */
static bool is_read(const struct rules_foreign *foreign, const struct rules_chain *chain)
{
	for (const struct rules_chain *other = foreign->chains.v; other < chain; other++)
		if (rules_foreign_matters(other) && other->family == chain->family &&
		    strcmp(other->table, chain->table) == 0)
			return true;
	return false;
}

static bool find(const struct rules_socket *socket, const struct subnet *subnet, struct str *out,
		 struct err *err)
{
	CLEANUP(asking_done) struct asking asking = { .subnet = subnet };

	if (!read_chains(socket, &asking, err))
		return false;
	vec_each(&asking.foreign.chains, chain)
		if (rules_foreign_matters(chain) && !is_read(&asking.foreign, chain) &&
		    !read_rules(socket, &asking, chain->family, chain->table, err))
			return false;
	rules_foreign_print(&asking.foreign, subnet, out);
	return true;
}

bool rules_foreign(struct rules *rules, struct str *out, struct err *err)
{
	return find(&rules->socket, &rules->options.subnet, out, err);
}

bool rules_foreign_here(const struct subnet *subnet, struct str *out, struct err *err)
{
	CLEANUP(rules_socket_close) struct rules_socket socket = { .fd = -1 };

	return rules_socket_open(&socket, err) && find(&socket, subnet, out, err);
}
