/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of QEMU's machine protocol over one connected socket, driven by the event loop.
 *
 * Life: QEMU greets; capabilities are negotiated; on_ready; then commands and events until on_closed, which comes
 * exactly once, also for whatever the peer does against the protocol. Nothing comes after it.
 *
 * One command is under way at a time, in the order of the calls: QEMU handles them one after another anyhow, and a
 * descriptor belongs to the command that follows it only if no other descriptor arrives in between. A reply that
 * takes too long fails its command and, should it still come, is dropped.
 */
#ifndef TART_MACHINE_QMP_H
#define TART_MACHINE_QMP_H

#include "base/json.h"
#include "base/loop.h"

struct qmp;

enum qmp_end { QMP_LEFT, QMP_BROKEN };

struct qmp_handlers {
	void (*on_ready)(void *ctx);
	/* `data` is NULL for an event without details. */
	void (*on_event)(void *ctx, const char *name, const struct json *data);
	/* The connection is useless from now on: QEMU has closed it (QMP_LEFT), or does not keep to its protocol or to
	 * the limits (QMP_BROKEN). `why` is a sentence: "QEMU closed …". */
	void (*on_closed)(void *ctx, enum qmp_end end, const struct err *why);
};

struct qmp_limits {
	uint64_t greeting_ms; /* until on_ready */
	uint64_t reply_ms;    /* from sending a command to its reply */
};

/* `result` is NULL if the command failed, `why` says why then. */
typedef void qmp_reply_fn(void *ctx, const struct json *result, const struct err *why);

/* Adopts fd, which must not block. */
bool qmp_new(struct loop *loop, int fd, const struct qmp_limits *limits,
	     const struct qmp_handlers *handlers, void *ctx, struct qmp **ret, struct err *err);

/* Closes the connection without another callback. Not from a callback of its own. Accepts NULL. */
void qmp_free(struct qmp *qmp);

/*
 * Queues a command; what is sent before on_ready waits for it. Adopts `arguments` (may be NULL) and `fd` (-1 =
 * none), which is passed along. on_reply (may be NULL) is called once, or never if the connection is closed
 * already or gets closed first.
 */
void qmp_send(struct qmp *qmp, const char *command, struct json *arguments, int fd,
	      qmp_reply_fn *on_reply, void *ctx);

bool qmp_is_ready(const struct qmp *qmp); /* after on_ready, before on_closed */

/* Delivers what has arrived already, for when QEMU has ended and its last words may still be in the socket. */
void qmp_drain(struct qmp *qmp);

#endif
