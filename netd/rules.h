/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's packet filter: tables `inet tart` and `arp tart`, one fixed ruleset, VMs as set elements keyed by interface
 * name. Source: network.md 5. The rules themselves are in rules_text.c.
 *
 * A TAP named tart-* that is not registered here is cut off: register before the link comes up, unregister after it is gone.
 *
 * Tables survive `nft flush ruleset` and the keeper's death where the kernel can (6.9: owner|persist). Elsewhere the
 * caller learns of a foreign deletion by rules_watch_fd() and calls rules_restore() after it has taken the links down.
 */
#ifndef TART_NETD_RULES_H
#define TART_NETD_RULES_H

#include "netd/nic.h"

struct rules;

struct rules_options {
	struct subnet subnet;
	ipv4 dns[3]; /* handed out instead of the gateway: Softnet VMs may ask them, port 53; 0 ends */
	bool never_persist; /* as on a kernel before 6.9, for tests */
};

enum rules_found {
	RULES_NEW, /* there were no tables of ours, or those of another version or subnet, which have been replaced */
	RULES_ADOPTED, /* they are as we would make them: VMs may be registered in them */
};

/* Makes or adopts the tables. Errors name what the kernel lacks. */
bool rules_open(const struct rules_options *options, struct rules **ret,
		enum rules_found *ret_found, struct err *err);

/* Deletes the tables unless `keep`; accepts NULL. */
void rules_close(struct rules *rules, bool keep);
bool rules_are_persistent(const struct rules *rules);

/*
 * One VM, in one transaction. Registering one that is registered already replaces it. Not for bridged NICs. Who reaches
 * others is for nic->peer alone to say. An exposed port that another VM has is an error that names it.
 */
bool rules_add(struct rules *rules, const struct nic *nic, struct err *err);
bool rules_remove(struct rules *rules, const struct nic *nic, struct err *err); /* absent: true */

/*
 * Another policy, exposed ports, peer state for a registered VM, in one transaction: `now` differs from `was` in these.
 * Connections that there are go on: links_end_flows() ends them.
 */
bool rules_change(struct rules *rules, const struct nic *was, const struct nic *now,
		  struct err *err);

bool rules_count(struct rules *rules, const struct nic *nic, struct netd_count ret[NETD_COUNTERS],
		 struct err *err);

/* Names of TAPs that have elements in adopted tables, so that the keeper can drop those that are gone: each is owned. */
typedef VEC(char *) tap_names;
void tap_names_done(tap_names *names);
bool rules_registered(struct rules *rules, tap_names *ret, struct err *err);
bool rules_forget(struct rules *rules, const char *tap,
		  struct err *err); /* all that bears its name */

/* Readable when tables were changed by somebody; -1 when persistent. rules_check() says whether ours are gone, or a part. */
int rules_watch_fd(const struct rules *rules);
bool rules_check(struct rules *rules, bool *ret_gone, struct err *err);
bool rules_restore(struct rules *rules, const struct nic *const *nics, size_t n, struct err *err);

/*
 * Firewalls of others that will stop our guests whatever our tables say: base chains of hooks forward and input with
 * policy drop or a final reject. Appends one line for each with the exact commands that help. network.md 7.
 */
bool rules_foreign(struct rules *rules, struct str *out, struct err *err);
/* The same without tables of ours, for who only wants to know. */
bool rules_foreign_here(const struct subnet *subnet, struct str *out, struct err *err);

#endif
