/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions of nf_tables as netlink messages: what VMs come to in the tables of rules_text.h. Pure.
 * Source: <linux/netfilter/nf_tables.h>, nfnetlink.h; the bytes are those that nft(8) sends (nft --debug=mnl).
 *
 * Not by libnftables: it reads all tables, chains, sets and objects before each command, which takes 30 ms where a
 * thousand VMs have lists of their own.
 */
#ifndef TART_NETD_RULES_BATCH_H
#define TART_NETD_RULES_BATCH_H

#include "base/str.h"
#include "netd/rules_text.h"

/* What one message is about, for the error when the kernel refuses it: its place is its sequence number less one. */
struct rules_step {
	const char *what; /* "set vm_id" */
	uint16_t port;    /* exposing it; 0 = something else */
};

/* All or nothing: begin, messages, end. */
struct rules_batch {
	struct str bytes;
	VEC(struct rules_step) steps;
	size_t last; /* offset of the last message */
	uint32_t n_sets;
};

void rules_batch_begin(struct rules_batch *batch);
void rules_batch_end(struct rules_batch *batch);
void rules_batch_done(struct rules_batch *batch); /* accepts a zeroed one */

#define RULES_OWNER \
	0x2u /* flags of a table: only the socket that made it may change it; kernel 5.12 */
#define RULES_PERSIST \
	0x4u /* it stays when its owner goes, and somebody else can own it then; kernel 6.9 */

/* Makes a table and deletes it again: whether the kernel knows these flags. */
void rules_batch_try_flags(struct rules_batch *batch, uint32_t flags);

/* Makes both tables, which must not be there, or changes their flags. */
void rules_batch_create_tables(struct rules_batch *batch, uint32_t flags);
void rules_batch_claim_tables(struct rules_batch *batch, uint32_t flags);
void rules_batch_delete_table(struct rules_batch *batch, bool arp);

/* `gateway` is what "@host" means. */
void rules_batch_add_vm(struct rules_batch *batch, const struct nic *nic, ipv4 gateway);
void rules_batch_remove_vm(struct rules_batch *batch, const struct nic *nic);
void rules_batch_change_vm(struct rules_batch *batch, const struct nic *was, const struct nic *now,
			   ipv4 gateway);

/* Pieces of what is there without a NIC that describes it. */
void rules_batch_delete_element(struct rules_batch *batch, enum rules_set set, struct span key);
void rules_batch_delete_own(struct rules_batch *batch, const char *tap);

/* Questions outside a transaction; answers bear the sequence number. */
void rules_ask_table(struct str *out, uint32_t seq, bool arp);
void rules_ask_chain(struct str *out, uint32_t seq, bool arp, const char *chain);
void rules_ask_all_rules(struct str *out, uint32_t seq, bool arp);
void rules_ask_element(struct str *out, uint32_t seq, enum rules_set set, struct span key);
void rules_ask_all_elements(struct str *out, uint32_t seq, enum rules_set set);

/* Keys as the kernel has them: each part is padded to four bytes. */
#define RULES_IFNAME_SIZE 16
#define RULES_KEY_MAX     (RULES_IFNAME_SIZE + 8 + 8 + 4)
struct rules_key {
	char bytes[RULES_KEY_MAX];
	size_t len;
};
struct rules_key rules_key_of_tap(const char *tap);

/* Names of what only a VM with lists has. */
#define RULES_OWN_SIZE 16
void rules_own_name(char kind, const char *tap, char ret[RULES_OWN_SIZE]); /* kind: f, i, m */
bool rules_is_own_name(struct span name); /* with its NUL, as the kernel has it */

#endif
