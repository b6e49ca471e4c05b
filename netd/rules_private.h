/* SPDX-License-Identifier: Apache-2.0 */
/* What rules.c (the tables) and rules_vm.c (the VMs in them) share. */
#ifndef TART_NETD_RULES_PRIVATE_H
#define TART_NETD_RULES_PRIVATE_H

#include "netd/rules_batch.h"
#include "netd/rules_socket.h"
#include "netd/rules_text.h"

struct rules {
	struct rules_options options;
	struct rules_socket socket;
	struct str text; /* of the fixed rules */
	char marker[RULES_MARKER_SIZE];
	bool persistent;
	int watch_fd; /* -1 = none */
};

/* Ends the batch and has it done; what the kernel refuses becomes an error. */
bool rules_commit(const struct rules *rules, struct rules_batch *batch, struct err *err);
bool rules_refused(const struct rules_refusal *why, struct err *err);

#endif
