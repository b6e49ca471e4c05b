/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other people's firewalls, as the kernel tells of their chains and rules: what will stop our guests, and the commands that
 * help. Pure. Source: network.md 7.
 *
 * An accept in our tables does not override a drop in another's. What counts are base chains of hooks forward and input
 * with policy drop, or with a drop or reject of everything at their end. One that has been told about us, by our
 * interfaces' names or our subnet in an accepting or branching rule that it leads to, is left alone.
 */
#ifndef TART_NETD_RULES_FOREIGN_H
#define TART_NETD_RULES_FOREIGN_H

#include <stdint.h>

#include "base/span.h"
#include "base/str.h"
#include "base/vec.h"
#include "netd/nic.h"

enum rules_hook { RULES_HOOK_OTHER, RULES_HOOK_FORWARD, RULES_HOOK_INPUT };

struct rules_chain {
	uint8_t family; /* NFPROTO_IPV4, NFPROTO_INET */
	char *table, *name;
	enum rules_hook hook;
	bool drops;    /* by policy */
	bool stops;    /* its last rule does, everything */
	bool knows_us; /* one of its rules does */
	VEC(char *) leads_to;
	bool seen; /* by a search that is under way */
};

struct rules_foreign {
	VEC(struct rules_chain) chains;
};
void rules_foreign_done(struct rules_foreign *foreign); /* accepts a zeroed one */

/* The attributes of messages of NFT_MSG_GETCHAIN and, afterwards, of NFT_MSG_GETRULE, in the kernel's order. */
void rules_foreign_add_chain(struct rules_foreign *foreign, uint8_t family, struct span attrs);
void rules_foreign_add_rule(struct rules_foreign *foreign, const struct subnet *subnet,
			    uint8_t family, struct span attrs);

/* Whether rules of this chain's table have to be read. */
bool rules_foreign_matters(const struct rules_chain *chain);

/* Appends one line for each that stops guests. */
void rules_foreign_print(struct rules_foreign *foreign, const struct subnet *subnet,
			 struct str *out);

#endif
