/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `tart run` and its tart-vsockd say to each other on the status socket. No I/O. docs/PROTOCOL.vsock.md is the prose.
 *
 *	tart-vsockd --vhost FD --control FD --vsock FD --status FD
 *
 *	--vhost		one end of a pair of stream sockets, whose other end is QEMU's `-chardev socket,fd=`
 *	--control	the listener control.sock (BUNDLE_SOCKET)
 *	--vsock		the listener vsock.sock; who may connect to the two is who made them, and root
 *	--status	one end of a SOCK_SEQPACKET pair
 *
 * Every descriptor is inherited and non-blocking from then on. Ends with code 0 when QEMU or `tart run` has closed its
 * end of --vhost or --status, and with 1 and a line on standard error when it cannot go on.
 *
 * SOCK_SEQPACKET: a message is one packet of text without a newline, a word and for some words more after one space.
 */
#ifndef TART_PROTO_VSOCKD_H
#define TART_PROTO_VSOCKD_H

#include "base/err.h"
#include "base/str.h"

#define VSOCKD_PROGRAM     "tart-vsockd"
#define VSOCKD_MESSAGE_MAX 256 /* bytes of one message */
#define VSOCKD_WHY_SIZE    200

#define VSOCKD_GUEST_CID 3 /* of every VM: each has a tart-vsockd of its own */
#define VSOCKD_HOST_CID  2

enum vsockd_word {
	/* States, from tart-vsockd. */
	VSOCKD_DRIVER_UP =
		1, /* "driver-up": the guest's driver has started: connecting makes sense */
	VSOCKD_DRIVER_DOWN, /* "driver-down": paused, reset, or its driver unloaded */
	VSOCKD_BROKEN, /* "broken WHY": rings that make no sense; the guest's next driver heals it */
	VSOCKD_DONE,   /* "done ORDER": what was ordered has happened */

	/* Orders, to tart-vsockd. */
	VSOCKD_RESET, /* "reset": drop all connections; QMP's RESET */
	VSOCKD_QUIESCE, /* "quiesce": drop all connections and refuse others with `gone`; before an unplug */
	VSOCKD_RESUME, /* "resume": the end of quiesce */
};

struct vsockd_message {
	enum vsockd_word word;
	enum vsockd_word order;    /* of VSOCKD_DONE */
	char why[VSOCKD_WHY_SIZE]; /* of VSOCKD_BROKEN: printable ASCII, not empty */
};

/* Appends it; a `why` that is too long is cut, and what is not printable in it becomes '?'. */
void vsockd_put(const struct vsockd_message *message, struct str *out);

/* False for what is no message. */
bool vsockd_get(struct span packet, struct vsockd_message *ret, struct err *err);

#endif
