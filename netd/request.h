/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closed table of what can be asked of the keeper: who may, in which state of his connection, what it costs, and what is
 * done. Everything else is refused. docs/PROTOCOL.netd.md is the prose.
 */
#ifndef TART_NETD_REQUEST_H
#define TART_NETD_REQUEST_H

#include "netd/keeper.h"

/* Of a connection: bits, for the table's sets. */
enum request_state {
	REQUEST_FRESH = 1,     /* has no NIC */
	REQUEST_ATTACHED = 2,  /* is a VM's life */
	REQUEST_FORWARDER = 4, /* registered as it */
};

/* What a handler works with. */
struct request {
	struct keeper *keeper;
	const void *owner; /* the connection */
	struct caller caller;
	enum request_state state;
	const struct netd_message *message;
};

/* What comes of it. */
struct answer {
	struct str bytes;
	int fds[NETD_FDS_MAX];    /* owned, -1 = none, those in front first */
	enum request_state state; /* of the connection from now on */
	/* No answer yet: a connection to this address and port is wanted first, as a descriptor. */
	bool wants_connection;
	ipv4 address;
	uint16_t port;
};
#define ANSWER_INIT               \
	{                         \
		.fds = { -1, -1 } \
	}
void answer_done(struct answer *answer); /* fits CLEANUP() */

/* What this type of request costs its user (accounts.h); 0: there is no such request. */
unsigned request_cost(enum netd_type type);

/* Always an answer, a refusal at least. */
void request_handle(const struct request *request, struct answer *ret);

/* The answer that a connection which was wanted has been made, or failed: adopts fd, -1 = errnum says why. */
void request_connected(int fd, int errnum, struct answer *ret);

void answer_refuse(struct answer *answer, const struct netd_failure *failure);

#endif
