/* SPDX-License-Identifier: Apache-2.0 */
/* What VMs come to in the tables of rules_text.h, as steps of a transaction, and questions about it. Pure. */
#ifndef TART_NETD_RULES_BATCH_H
#define TART_NETD_RULES_BATCH_H

#include "netd/rules_message.h"
#include "netd/rules_text.h"

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
struct rules_key rules_key_of_counter(int counter, const struct nic *nic);

/* Names of what only a VM with lists has. */
#define RULES_OWN_SIZE 16
void rules_own_name(char kind, const char *tap, char ret[RULES_OWN_SIZE]); /* kind: f, i, m */
bool rules_is_own_name(struct span name); /* with its NUL, as the kernel has it */

#endif
