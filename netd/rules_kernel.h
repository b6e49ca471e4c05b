/* SPDX-License-Identifier: Apache-2.0 */
/* What libnftables does for us: making rules of text, and listing everybody's. */
#ifndef TART_NETD_RULES_KERNEL_H
#define TART_NETD_RULES_KERNEL_H

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"

struct rules_kernel;

struct rules_kernel *rules_kernel_new(void); /* NULL when there is no netlink to be had */
void rules_kernel_free(struct rules_kernel *kernel);

/*
 * Runs nft(8) commands as one transaction. The error is nft's first, with the number of the line that it is about
 * (from 1; 0 = none) in *ret_line, which may be NULL.
 */
bool rules_kernel_run(struct rules_kernel *kernel, const char *commands, size_t *ret_line,
		      struct err *err);

/* `nft --terse --stateless list ruleset`: what sets hold and counters count is left out. */
bool rules_kernel_list(struct rules_kernel *kernel, struct str *ret, struct err *err);

#endif
