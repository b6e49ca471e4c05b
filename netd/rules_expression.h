/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions of rules, as the kernel has them. Pure. Registers are NFT_REG32_00 + n, of four bytes each; what is compared
 * or masked is in the first ones.
 */
#ifndef TART_NETD_RULES_EXPRESSION_H
#define TART_NETD_RULES_EXPRESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/str.h"

/* Loading something of a packet. */
void rules_put_meta(struct str *out, uint32_t key, uint32_t reg);
void rules_put_payload(struct str *out, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg);
void rules_put_ct(struct str *out, uint32_t key, uint32_t reg);
void rules_put_fib(struct str *out, uint32_t result, uint32_t reg); /* of the destination */

void rules_put_compare(struct str *out, bool equal, struct span value);
void rules_put_mask(struct str *out, struct span mask); /* at most four bytes */

/* In a set (reg -1), or in a map, which puts what it says into a register; NFT_REG_VERDICT does it. */
void rules_put_lookup(struct str *out, const char *set, bool inverted, int reg);

void rules_put_immediate(struct str *out, int code, const char *chain); /* as rules_put_verdict() */
void rules_put_reject(struct str *out);                                 /* admin-prohibited */
void rules_put_clamp(struct str *out); /* TCP's MSS to what the route allows */
void rules_put_dnat(struct str *out, uint32_t address_reg, uint32_t port_reg);
void rules_put_masquerade(struct str *out);

/* For elements of sets: `type` is NFTA_SET_EXPR, or NFTA_LIST_ELEM where there are several. */
void rules_put_limit(struct str *out, uint16_t type, uint32_t per_second, uint32_t burst);
void rules_put_counter(struct str *out, uint16_t type);

#endif
