/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of a connection (rpc/connection.h): starts calls. */
#ifndef TART_RPC_CLIENT_H
#define TART_RPC_CLIENT_H

#include "rpc/connection.h"

/* Each may be NULL but on_end. */
struct rpc_client_handlers {
	/* A message, borrowed for the call. Its bytes count against the window until rpc_call_consumed(). */
	void (*on_message)(void *ctx, struct rpc_call *call, struct span message);
	/* See rpc_call_queued(). */
	void (*on_room)(void *ctx, struct rpc_call *call);
	/* The last one: the other side's status, or what has gone wrong with this call. */
	void (*on_end)(void *ctx, struct rpc_call *call, const struct rpc_status *status);
};

/* `user_agent`: as "tart/0.1.0". Preface and settings are output at once. */
struct rpc_connection *rpc_client_new(const char *user_agent);

/* Starts a call of "/Service/Method". `timeout_ms` tells the other side how long the caller is going to wait; 0 = for ever.
 * `handlers` must live as long as the call. Does not wait for rpc_is_ready(). */
struct rpc_call *rpc_call_start(struct rpc_connection *client, const char *path,
				uint64_t timeout_ms, const struct rpc_client_handlers *handlers,
				void *ctx);

/* No message follows those that are queued: half-closes. Unary calls do; Exec never does (guest-agent.md 5.2.2). */
void rpc_call_finish(struct rpc_call *call);

/* RST_STREAM(CANCEL); no handler is called any more, and the handle is invalid. */
void rpc_call_cancel(struct rpc_call *call);

#endif
