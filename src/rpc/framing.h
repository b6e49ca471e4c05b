/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC's messages inside a stream of bytes: one byte "compressed" (0), u32 big-endian length, message (guest-agent.md 5).
 * They may be cut anywhere. Memory grows with what has arrived, never by what a length announces.
 */
#ifndef TART_RPC_FRAMING_H
#define TART_RPC_FRAMING_H

#include "base/queue.h"
#include "base/span.h"
#include "base/str.h"

#define FRAMING_PREFIX 5

/* { 0 } is at the beginning of a message. */
struct framing {
	unsigned char prefix[FRAMING_PREFIX];
	size_t n_prefix; /* of its bytes that are there */
	struct str body; /* of a message that is not there as a whole */
};

enum framing_step {
	FRAMING_MORE, /* all bytes are taken */
	FRAMING_MESSAGE,
	FRAMING_TOO_LARGE, /* more than `max`; so is what a sender of garbage says */
	FRAMING_COMPRESSED,
};

/* Takes from the front of *bytes up to the end of a message; *ret is valid until the next call or change of *bytes' memory.
 * After an error the stream is lost: call no more. */
enum framing_step framing_next(struct framing *framing, struct span *bytes, size_t max,
			       struct span *ret);

/* Bytes kept of a message that is not there as a whole. */
size_t framing_kept(const struct framing *framing);

/* Whether the stream is at the beginning of a message. */
bool framing_is_between(const struct framing *framing);

void framing_done(struct framing *framing);

void framing_put(struct queue *out, struct span message);

#endif
