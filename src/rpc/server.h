/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of a connection (rpc/connection.h): accepts calls and ends them. */
#ifndef TART_RPC_SERVER_H
#define TART_RPC_SERVER_H

#include "rpc/connection.h"

/* Calls of one connection at a time; more are refused with RPC_RESOURCE_EXHAUSTED. */
#define RPC_CALLS_MAX 64

/* All may be NULL but on_call and on_cancelled. */
struct rpc_server_handlers {
	/*
	 * A call of `path`; the client waits `timeout_ms` for it (0 = for ever). False refuses it with *refusal, which is
	 * RPC_UNIMPLEMENTED unless set otherwise, and the handle is invalid.
	 */
	bool (*on_call)(void *ctx, struct rpc_call *call, struct span path, uint64_t timeout_ms,
			struct rpc_status *refusal);
	/* A message, borrowed for the call. Its bytes count against the window until rpc_call_consumed(). */
	void (*on_message)(void *ctx, struct rpc_call *call, struct span message);
	/* The client has half-closed: no message follows. */
	void (*on_finished)(void *ctx, struct rpc_call *call);
	/* See rpc_call_queued(). */
	void (*on_room)(void *ctx, struct rpc_call *call);
	/* The client has gone or wants no answer any more; or it has sent what is refused. The handle is invalid after it. */
	void (*on_cancelled)(void *ctx, struct rpc_call *call);
};

/* `handlers` must live as long as the connection. */
struct rpc_connection *rpc_server_new(const struct rpc_server_handlers *handlers, void *ctx);

/* The trailers, after all that is queued: code, text and exec_errno of `status`. The handle is invalid after it. */
void rpc_call_end(struct rpc_call *call, const struct rpc_status *status);

/* No new calls; those that are open go on (GOAWAY). */
void rpc_server_close(struct rpc_connection *server);

#endif
