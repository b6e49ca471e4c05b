/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What connection.c, client.c and server.c share: the insides of a connection and of its calls. For them only; they are the
 * files that know nghttp2.
 *
 * A call lives in its connection's list from its first frame (client: from rpc_call_start()) until its stream is closed. It
 * is `over` as soon as its owner's handle is invalid: no handler is called then, what arrives is dropped, and what the
 * owner had queued is still sent by a server, not by a client.
 *
 * Window: `unacked` are bytes of the stream whose window has not been given back; `held` are bytes of messages that the
 * owner has got and not consumed. settle() keeps unacked <= held, so that prefixes and unfinished messages, which may be
 * larger than the window, never block.
 */
#ifndef TART_RPC_CALL_H
#define TART_RPC_CALL_H

#include <nghttp2/nghttp2.h>

#include "base/queue.h"
#include "base/str.h"
#include "rpc/client.h"
#include "rpc/framing.h"
#include "rpc/server.h"

#define RPC_CONTENT_TYPE "application/grpc"

/* What a side does with what connection.c has sorted. Calls that are over are not told anything but `closed`. */
struct rpc_side {
	/* Before each message; NULL when there is nothing to do. */
	void (*begin_body)(struct rpc_call *call);
	/* A header list begins; `call` is NULL when it is the first one of a stream. Returns the call, or NULL to refuse. */
	struct rpc_call *(*headers_begin)(struct rpc_connection *connection, struct rpc_call *call,
					  int32_t id);
	void (*header)(struct rpc_call *call, struct span name, struct span value);
	void (*headers_end)(struct rpc_call *call, bool end_stream);
	void (*message)(struct rpc_call *call, struct span message);
	void (*end_stream)(struct rpc_call *call);
	void (*room)(struct rpc_call *call);
	/* Messages that cannot be accepted: the call has to end. */
	void (*misbehaved)(struct rpc_call *call, const struct rpc_status *status);
	/* All queued bytes of a call that is `finishing` are on their way. Returns flags for the last DATA frame. */
	uint32_t (*drained)(struct rpc_call *call);
	/* The last thing before a call is freed; `code` is HTTP/2's. */
	void (*closed)(struct rpc_call *call, uint32_t code);
};

struct rpc_call {
	struct rpc_connection *connection;
	struct rpc_call *next;
	int32_t id;
	void *user;
	bool over;

	struct queue queue;
	bool deferred;  /* nghttp2 waits to be told of more to send */
	bool finishing; /* nothing will be queued any more */
	bool wants_room;

	struct framing incoming;
	size_t kept; /* what `incoming` counts for in the connection's `unfinished` */
	size_t unacked, held;
	size_t header_bytes; /* of the header list that is arriving */

	const struct rpc_client_handlers *handlers; /* client */
	void *ctx;                                  /* client */
	bool accepted; /* client: the response's headers have come; server: on_call has said yes */
	bool answered; /* server: the response's headers are on their way */

	/* Of the header list that is arriving; server: of the request. */
	struct str http_status, method, path;
	bool grpc; /* content-type is ours */
	bool has_code;
	uint64_t timeout_ms;
	struct rpc_status status; /* client: as the trailers say; server: the trailers to send */
};

struct rpc_connection {
	nghttp2_session *session;
	const struct rpc_side *side;
	struct rpc_call *calls;
	size_t n_calls;
	size_t unfinished; /* bytes of messages that have not arrived whole */
	struct str out;
	size_t written; /* of `out` */
	bool ready, broken;
	bool closing;                               /* GOAWAY came or went */
	const struct rpc_server_handlers *handlers; /* server */
	void *ctx;                                  /* server */
	char *user_agent;                           /* client */
};

struct rpc_connection *rpc_connection_new(const struct rpc_side *side, bool server,
					  const nghttp2_settings_entry *settings, size_t n);

struct rpc_call *rpc_call_new(struct rpc_connection *connection, int32_t id);

/* nghttp2 fails for want of memory, and for mistakes of ours. */
void rpc_must(int result);

/* Whether there is something to send that nghttp2 does not know of. */
void rpc_call_wake(struct rpc_call *call);

/* The owner's handle is invalid from now on. */
void rpc_call_set_over(struct rpc_call *call);
void rpc_call_drop_queue(struct rpc_call *call);
void rpc_call_reset(struct rpc_call *call, uint32_t code);

/* Where the body of a call comes from. */
nghttp2_data_provider rpc_call_body(struct rpc_call *call);

nghttp2_nv rpc_header(const char *name, struct span value);

#endif
