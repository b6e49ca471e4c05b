/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other people's firewalls in a listing of the ruleset (`nft list ruleset`): what will stop our guests, and the commands
 * that help. Pure. Source: network.md 7.
 *
 * An accept in our tables does not override a drop in another's. What counts are base chains of hooks forward and input
 * with policy drop or with a drop or reject of everything at their end. One that has been told about us, by our interfaces'
 * names or our subnet in an accepting or branching rule that it leads to, is left alone.
 */
#ifndef TART_NETD_RULES_FOREIGN_H
#define TART_NETD_RULES_FOREIGN_H

#include "base/span.h"
#include "base/str.h"
#include "netd/nic.h"

/* Appends one line for each. */
void rules_foreign_find(struct span listing, const struct subnet *subnet, struct str *out);

#endif
