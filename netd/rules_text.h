/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed ruleset as nft(8) commands, and the names in it that the rest of netd/rules*.c needs. Pure.
 * Source: network.md 5. rules_compile.h makes messages of it, and says how much of nft's language may be used; tests
 * compare what nft lists of them with what it makes of the text itself.
 */
#ifndef TART_NETD_RULES_TEXT_H
#define TART_NETD_RULES_TEXT_H

#include "base/span.h"
#include "base/str.h"
#include "netd/rules.h"

/* For two tables that are there and empty. */
void rules_text(const struct rules_options *options, struct str *out);

/* How many rules that makes in one of them. */
size_t rules_text_count(struct span text, bool arp);

/*
 * The name of an empty chain in both tables that is different for every different ruleset, given as its messages: tables
 * that have it were made by this version with these options.
 */
#define RULES_MARKER_SIZE 24
void rules_text_marker(struct span messages, char ret[RULES_MARKER_SIZE]);

/* Which part of the kernel a command of rules_text() needs that may be missing: "NFT_FIB_INET"; NULL = nothing special. */
const char *rules_text_need(struct span command);

/* Sets with a counter in each element, and those without. */
enum rules_set {
	RULES_VM_ID,  /* name, MAC, address */
	RULES_VM_ARP, /* the same as ARP has them */
	RULES_PEERS,  /* name */
	RULES_PEERS_ARP,
	RULES_FWD, /* name: verdict */
	RULES_IN,
	RULES_PINGS,  /* name, each with its rate */
	RULES_EXPOSE, /* port: address, port */
	/* The first of NETD_COUNTERS sets in the order of enum netd_counter: rules_key_of_counter(), counter. */
	RULES_COUNTERS,
	RULES_SETS = RULES_COUNTERS + NETD_COUNTERS
};

static inline enum rules_set rules_counter_set(int counter)
{
	return (enum rules_set)((int)RULES_COUNTERS + counter);
}

struct rules_set_name {
	bool arp; /* table arp tart, else inet tart */
	const char *name;
};
extern const struct rules_set_name rules_sets[RULES_SETS];

/* What the mode's VMs go through when they have no lists of their own. */
const char *rules_text_forward_chain(enum netd_mode mode);
const char *rules_text_input_chain(enum netd_mode mode);
#define RULES_DENY "deny"

#endif
