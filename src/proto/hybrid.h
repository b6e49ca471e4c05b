/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines that open a connection on vsock.sock, as Firecracker and Cloud Hypervisor have them:
 *
 *	client	CONNECT <port>\n
 *	server	OK <host port>\n, then the connection's bytes; or ERR <reason>\n and the end
 *
 * Pure. A server writes its line at once, so that a client that has got one reads the connection from there on. What comes
 * behind CONNECT's newline belongs to the connection already.
 */
#ifndef TART_PROTO_HYBRID_H
#define TART_PROTO_HYBRID_H

#include <stdint.h>

#include "base/str.h"

#define HYBRID_CONNECT_MAX 32 /* bytes of a line, the newline counted */
#define HYBRID_ANSWER_MAX  64
#define HYBRID_CONNECT_MS  5000 /* for the whole line */

enum hybrid_reason {
	HYBRID_OK,        /* no reason: connected */
	HYBRID_NOT_READY, /* "not-ready": the guest has not started its vsock driver */
	HYBRID_REFUSED,   /* "refused": nobody in the guest listens on that port */
	HYBRID_TIMEOUT,   /* "timeout": the guest did not answer */
	HYBRID_BUSY,      /* "busy": too many connections */
	HYBRID_GONE,      /* "gone": the VM is about to stop or to be saved */
	HYBRID_INVALID,   /* "invalid": what came was no CONNECT line */
};

enum hybrid_result { HYBRID_LATER, HYBRID_LINE, HYBRID_BAD };

/* A line at the start of `bytes`: *ret_used is its length with the newline, *ret_port what it asks for. HYBRID_LATER: it is
 * the start of what may become one. */
enum hybrid_result hybrid_get_connect(struct span bytes, uint32_t *ret_port, size_t *ret_used);

/* The same for an answer. *ret_host_port is set for HYBRID_OK only; a reason that is not known is HYBRID_BAD. */
enum hybrid_result hybrid_get_answer(struct span bytes, enum hybrid_reason *ret_reason,
				     uint32_t *ret_host_port, size_t *ret_used);

void hybrid_put_connect(uint32_t port, struct str *out);

/* `host_port` is of HYBRID_OK only. */
void hybrid_put_answer(enum hybrid_reason reason, uint32_t host_port, struct str *out);

#endif
