/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of nf_tables, and transactions of them, as bytes for a netlink socket. Pure; knows nothing of our rules.
 * Source: <linux/netfilter/nf_tables.h>, <linux/netfilter/nfnetlink.h>; the bytes are those that nft(8) sends, which it shows
 * with --debug=mnl.
 *
 * By ourselves and not by libnftables: that is for programs under the GPL only, and reads all tables, chains, sets and
 * objects before each command: 30 ms where a thousand VMs have lists of their own.
 */
#ifndef TART_NETD_RULES_MESSAGE_H
#define TART_NETD_RULES_MESSAGE_H

#include <stdint.h>

#include "base/span.h"
#include "base/str.h"
#include "base/vec.h"

#define RULES_TABLE "tart" /* of families inet and arp */

/* What one message is about, for the error when the kernel refuses it: its place is its sequence number less one. */
struct rules_step {
	const char *what; /* "vm_id" */
	const char *
		need; /* the part of the kernel that may be missing: "NFT_FIB_INET"; NULL = nothing special */
	uint16_t port; /* exposing it; 0 = something else */
};

/* All or nothing: begin, steps, end. */
struct rules_batch {
	struct str bytes;
	VEC(struct rules_step) steps;
	size_t last; /* offset of the last message */
	uint32_t n_sets;
};

void rules_batch_begin(struct rules_batch *batch);
void rules_batch_end(struct rules_batch *batch);
void rules_batch_done(struct rules_batch *batch); /* accepts a zeroed one */

/* A step: its first attribute, of number 1, names the table. Returns what closes it. `type`: NFT_MSG_NEWRULE, ... */
size_t rules_step_open(struct rules_batch *batch, uint16_t type, uint16_t flags, bool arp,
		       struct rules_step step);
void rules_step_close(struct rules_batch *batch, size_t message);

#define RULES_OWNER \
	0x2u /* flags of a table: only the socket that made it may change it; kernel 5.12 */
#define RULES_PERSIST \
	0x4u /* it stays when its owner goes, and somebody else can own it then; kernel 6.9 */

/* Makes a table of another name and deletes it again: whether the kernel knows these flags. */
void rules_put_trial(struct rules_batch *batch, uint32_t flags);
/* Makes both tables, which must not be there; or changes their flags. */
void rules_put_tables(struct rules_batch *batch, uint32_t flags);
void rules_put_claim(struct rules_batch *batch, uint32_t flags);
void rules_put_table_end(struct rules_batch *batch, bool arp);
/* A chain without a hook comes (NFT_MSG_NEWCHAIN) or goes, with its rules. */
void rules_put_chain(struct rules_batch *batch, uint16_t type, bool arp, const char *name);

/* Attributes. A nest is closed with what opening it returned. */
size_t rules_put_nest(struct str *out, uint16_t type);
void rules_put_nest_end(struct str *out, size_t nest);
void rules_put_span(struct str *out, uint16_t type, struct span value);
void rules_put_text(struct str *out, uint16_t type, const char *text);
void rules_put_u32(struct str *out, uint16_t type,
		   uint32_t value); /* in network order, as all of nf_tables' numbers */
void rules_put_u64(struct str *out, uint16_t type, uint64_t value);

/* A value to compare with or to look up. */
void rules_put_value(struct str *out, uint16_t type, struct span value);
/* What a rule or an element of a map says: `code` is NF_ACCEPT, NFT_GOTO, ...; `chain` where that leads, else NULL. */
void rules_put_verdict(struct str *out, uint16_t type, int code, const char *chain);

/* An element of a set between elements_open and _close; `type` NFT_MSG_NEWSETELEM (not there yet) or NFT_MSG_DELSETELEM. */
struct rules_elements {
	size_t message, list;
};
struct rules_elements rules_elements_open(struct rules_batch *batch, uint16_t type, bool arp,
					  const char *set, struct rules_step step);
void rules_elements_close(struct rules_batch *batch, struct rules_elements at);
size_t rules_element_open(struct str *out, struct span key); /* closed as a nest */
/* Sets of intervals: where one begins, which is a key, and the first address behind it, unless there is none. */
void rules_put_interval_end(struct str *out, uint32_t after);

/* Questions outside a transaction; answers bear their sequence number. `type`: NFT_MSG_GETCHAIN, ... */
size_t rules_ask_open(struct str *out, uint16_t type, uint16_t flags, uint32_t seq, uint8_t family);
void rules_ask_close(struct str *out, size_t message);

#endif
