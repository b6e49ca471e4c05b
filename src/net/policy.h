/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM may reach under Softnet: lists of networks to allow and to block, as users write them, and the disjoint
 * ranges that the kernel's rules are made of. Pure. Source: network.md 2.1; the error texts name the option's item.
 *
 * Longest prefix wins, block wins a tie, no match leaves it to the default policy.
 */
#ifndef TART_NET_POLICY_H
#define TART_NET_POLICY_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "net/expose.h"
#include "net/ipv4.h"

#define POLICY_LIST_MAX 1024 /* entries of one list: what fits a request to the keeper */

struct policy_entry {
	struct cidr net;
	bool host; /* "@host": the gateway's address, which only the keeper knows; `net` does not count */
};
typedef VEC(struct policy_entry) policy_list;

struct policy {
	policy_list allow;
	policy_list block;
};

void policy_done(struct policy *policy);

/*
 * Appends what a comma-separated list says. `option` is for the message: "--net-softnet-allow". ERR_USAGE for an
 * empty item, IPv6, a prefix above 32, anything else, more than POLICY_LIST_MAX.
 */
bool policy_list_parse(struct span text, const char *option, policy_list *list, struct err *err);

/* What the user would have typed. */
void policy_list_print(const policy_list *list, struct str *out);

enum policy_verdict { POLICY_DEFAULT, POLICY_ALLOW, POLICY_BLOCK };

struct policy_range {
	ipv4 first, last;            /* both included */
	enum policy_verdict verdict; /* never POLICY_DEFAULT */
};
typedef VEC(struct policy_range) policy_ranges;

/* Disjoint, ascending, neighbours of equal verdict merged. `gateway` stands for "@host". *ret is the caller's: vec_done(). */
void policy_flatten(const struct policy *policy, ipv4 gateway, policy_ranges *ret);

/* 0.0.0.0/0 is in the allow list, whatever is blocked: this VM and others like it reach each other. */
bool policy_makes_peer(const struct policy *policy);

#endif
