/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream to a vsock port of a running guest, by the sockets in its bundle: one attempt, and why it failed.
 *
 *	vsock.sock	any port, with an answer or the reason why there is none (proto/hybrid.h)
 *	control.sock	leads to the agent's port without a word, and is closed when that cannot be reached
 *
 * The first is used for its reasons, the second where there is no first one. Source: guest-agent.md 4.
 */
#ifndef TART_AGENT_CHANNEL_H
#define TART_AGENT_CHANNEL_H

#include <stdint.h>

#include "base/err.h"

#define CHANNEL_SSH_PORT 22 /* where systemd's sshd does, from version 256 on */

enum channel_result {
	CHANNEL_OPEN,
	CHANNEL_NO_SOCKET, /* the bundle has none: its VM has just started, or is about to end */
	CHANNEL_NOT_READY, /* the guest has not started its vsock driver */
	CHANNEL_REFUSED,   /* nobody listens on the port */
	CHANNEL_TIMEOUT,   /* no answer */
	CHANNEL_BUSY,      /* too many connections to this guest */
	CHANNEL_GONE,      /* the VM is about to end, or to be suspended */
	CHANNEL_FAILED, /* *err is set: another attempt would end like this one; or ERR_CANCELLED */
};

/*
 * Connects to a port of the guest. On CHANNEL_OPEN *ret_fd is a stream that does not block; by control.sock it may still
 * turn out to be closed, and only AGENT_PORT is reached. Waits for an answer until the time `deadline_ms` of channel_now_ms() at the longest.
 */
enum channel_result channel_open(int bundle_fd, uint32_t port, uint64_t deadline_ms, int *ret_fd,
				 struct err *err);

/* CLOCK_MONOTONIC. */
uint64_t channel_now_ms(void);

/* What to say about a result: "nothing listens on vsock port 8080". For CHANNEL_OPEN and CHANNEL_FAILED "". */
void channel_describe(enum channel_result result, uint32_t port, char *buf, size_t size);

#endif
