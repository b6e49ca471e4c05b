/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nft(8) commands as messages of a transaction: as much of its language as our own rules are written in. Pure. The text is
 * ours: a word that is not known here is a programming error.
 *
 *	add set FAMILY tart NAME { type TYPE [. TYPE]...; [flags interval;] [limit rate N/second [burst N packets]] [counter]; [elements = { ADDRESSES };] }
 *	add map FAMILY tart NAME { type TYPE : TYPE [. TYPE]...; [flags interval;] }
 *	add chain FAMILY tart NAME [{ type TYPE hook HOOK priority PRIORITY; policy accept; }]
 *	add rule FAMILY tart CHAIN [FIELD [. FIELD]... [!=] VALUE | @SET | vmap @MAP]... [STATEMENT]...
 */
#ifndef TART_NETD_RULES_COMPILE_H
#define TART_NETD_RULES_COMPILE_H

#include "base/span.h"
#include "netd/rules_message.h"

/* One command a line. */
void rules_compile(struct rules_batch *batch, struct span commands);

#endif
