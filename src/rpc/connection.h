/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection that speaks gRPC over HTTP/2, of either side, without sockets: bytes in, bytes out. rpc/client.h and
 * rpc/server.h make one; what both sides do with it is here.
 *
 * The caller's loop:
 *
 *	readable:  rpc_feed(connection, what was read); the handlers are called from inside
 *	always:    while ((bytes = rpc_output(connection)).len > 0): write some, rpc_wrote(connection, how many)
 *
 * Output appears by feeding, sending, consuming, ending and cancelling: ask for it after each turn of the loop, and poll
 * for writing exactly while there is some. A connection does not know the time: deadlines are the caller's.
 *
 * Handlers may send, consume, end and cancel any call, but not feed, output or free the connection.
 *
 * Bounds against a hostile other side: RPC_MESSAGE_MAX for a message, RPC_UNFINISHED_MAX for all messages of a connection
 * that have not arrived whole, RPC_HEADERS_MAX for a header list, a limit on answers that HTTP/2 itself owes (beyond it
 * rpc_feed() fails). What a caller has not yet consumed is bounded by the window of the call.
 */
#ifndef TART_RPC_CONNECTION_H
#define TART_RPC_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "rpc/status.h"

#define RPC_MESSAGE_MAX    ((size_t)4 << 20)
#define RPC_UNFINISHED_MAX ((size_t)16 << 20)
#define RPC_HEADERS_MAX    ((size_t)16 << 10)
#define RPC_WINDOW         (1 << 20) /* of a call */
#define RPC_QUEUE_HIGH     ((size_t)256 << 10)
#define RPC_QUEUE_LOW      ((size_t)128 << 10)

struct rpc_connection;
struct rpc_call;

/* Accepts NULL. Client: no handler is called any more. Server: `on_cancelled` of every call that has not ended. */
void rpc_free(struct rpc_connection *connection);
void rpc_cleanup(struct rpc_connection **slot);

/* Takes bytes that the other side has sent; all of them. False: the connection is broken (it does not speak HTTP/2, or
 * means harm); calls that are open end by rpc_free(). `err` is ERR_TRANSPORT. Zero bytes are allowed. */
bool rpc_feed(struct rpc_connection *connection, struct span bytes, struct err *err);

/* Bytes to write, valid until the next call of anything here; empty: nothing to write. */
struct span rpc_output(struct rpc_connection *connection);
void rpc_wrote(struct rpc_connection *connection, size_t n);

/* The other side's SETTINGS have come: it does speak HTTP/2. */
bool rpc_is_ready(const struct rpc_connection *connection);

/* The other side wants no more calls here (GOAWAY), or has been told so, and none is left: close it. */
bool rpc_is_finished(const struct rpc_connection *connection);

/*
 * Calls. A handle is valid until its last handler has been called (client: on_end; server: on_cancelled), or until the
 * owner has ended it (client: rpc_call_cancel(); server: rpc_call_end()), or until rpc_free().
 */

/* Queues a message (at most RPC_MESSAGE_MAX). Not after rpc_call_finish(). */
void rpc_call_send(struct rpc_call *call, struct span message);

/* Bytes queued that have not become output yet. Whoever sends much stops at RPC_QUEUE_HIGH; the handler on_room is called
 * once when the queue has then shrunk to RPC_QUEUE_LOW. */
size_t rpc_call_queued(const struct rpc_call *call);

/* Gives back window: n bytes of messages that on_message has delivered are done with. What is never consumed blocks the
 * other side after RPC_WINDOW bytes. */
void rpc_call_consumed(struct rpc_call *call, size_t n);

/* For the owner's use, NULL at first. */
void rpc_call_set_user(struct rpc_call *call, void *user);
void *rpc_call_user(const struct rpc_call *call);

#endif
