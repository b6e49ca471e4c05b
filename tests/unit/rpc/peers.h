/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of rpc/ share: bytes from hex, and owners of calls that write down what they are told. */
#ifndef TART_TESTS_RPC_PEERS_H
#define TART_TESTS_RPC_PEERS_H

#include "rpc/client.h"
#include "rpc/server.h"

/* "0a00 12" as bytes; spaces are skipped. */
void unhex(const char *hex, struct str *out);
void check_output(struct rpc_connection *connection, const char *name, const char *want_hex);
void feed_hex(struct rpc_connection *connection, const char *hex);

/* Moves all output of `from` to `to`, `piece` bytes at a time. */
bool carry(struct rpc_connection *from, struct rpc_connection *to, size_t piece, struct err *err);
/* Both ways, until nobody has any. */
void talk(struct rpc_connection *a, struct rpc_connection *b, size_t piece);

/* A client's call: its log is "<message> ", "room ", "end <code> <text>". */
struct caller {
	struct str log;
	struct rpc_status status;
	size_t n_messages, n_bytes, n_rooms;
	bool ended;
	bool hoard; /* consumes nothing */
	bool quiet; /* logs no messages */
	bool cancel;
};
extern const struct rpc_client_handlers caller_handlers;
void caller_done(struct caller *caller);

/*
 * A server with one path, /T/Echo: each message comes back. "end" ends the call with OK, "fail" with NOT_FOUND, errno 2;
 * "hoard" is not consumed, nor what follows. Half-closing ends it with OK, too.
 */
struct echo {
	struct str log; /* "call <path> <timeout>", "finished", "cancelled" */
	size_t n_open, n_rooms, n_bytes;
	struct rpc_call *last;
	bool hoard;
};
extern const struct rpc_server_handlers echo_handlers;
void echo_done(struct echo *echo);

#endif
