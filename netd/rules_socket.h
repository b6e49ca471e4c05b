/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The netlink socket that owns our tables: transactions and questions, and what the kernel answers. A table with an owner can
 * be changed through this very socket only, and loses its owner with it.
 */
#ifndef TART_NETD_RULES_SOCKET_H
#define TART_NETD_RULES_SOCKET_H

#include "netd/rules_attr.h"
#include "netd/rules_message.h"

struct rules_socket {
	int fd;
	uint32_t port; /* as which the kernel knows it: the owner of tables */
};

bool rules_socket_open(struct rules_socket *ret, struct err *err);
void rules_socket_close(struct rules_socket *socket);

/* Nonblocking, readable when anybody has changed any table. */
bool rules_socket_watch(int *ret_fd, struct err *err);

/*
 * Reads all that there is. True when somebody else has deleted something of a table of ours, or when news were lost.
 */
bool rules_socket_has_lost(int watch_fd, uint32_t own_port);

/* Why a transaction was refused as a whole. */
struct rules_refusal {
	int errnum;
	struct rules_step step; /* the first that was refused; what: NULL = the whole of it */
};
bool rules_socket_commit(const struct rules_socket *socket, struct rules_batch *batch,
			 struct rules_refusal *ret);

struct rules_answer {
	uint32_t seq;
	uint8_t family; /* NFPROTO_* */
	struct span attrs;
};
typedef void rules_answer_fn(void *ctx, const struct rules_answer *answer);

/*
 * Sends `n` questions, of which at most one, then the only one, has many answers. `fn` gets each answer; what is not
 * there has none.
 */
bool rules_socket_ask(const struct rules_socket *socket, const struct str *questions, size_t n,
		      rules_answer_fn *fn, void *ctx, struct err *err);

#endif
