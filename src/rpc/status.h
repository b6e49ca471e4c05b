/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a call ended: gRPC's codes, and its texts as they travel in the trailer grpc-message.
 *
 * A text from the other side is hostile: what rpc_status holds after decoding is valid UTF-8 without control characters,
 * at most RPC_TEXT_MAX bytes (guest-agent.md 6), so it may be printed as it is.
 */
#ifndef TART_RPC_STATUS_H
#define TART_RPC_STATUS_H

#include <stdint.h>

#include "base/attrs.h"
#include "base/span.h"
#include "base/str.h"

#define RPC_TEXT_MAX ((size_t)1024)

enum rpc_code {
	RPC_OK,
	RPC_CANCELLED,
	RPC_UNKNOWN,
	RPC_INVALID_ARGUMENT,
	RPC_DEADLINE_EXCEEDED,
	RPC_NOT_FOUND,
	RPC_ALREADY_EXISTS,
	RPC_PERMISSION_DENIED,
	RPC_RESOURCE_EXHAUSTED,
	RPC_FAILED_PRECONDITION,
	RPC_ABORTED,
	RPC_OUT_OF_RANGE,
	RPC_UNIMPLEMENTED,
	RPC_INTERNAL,
	RPC_UNAVAILABLE,
	RPC_DATA_LOSS,
	RPC_UNAUTHENTICATED,
};

struct rpc_status {
	enum rpc_code code;
	int32_t exec_errno; /* trailer tart-exec-errno: why a program could not be started; 0 = not said */
	bool foreign; /* client: whoever answered does not speak gRPC */
	char text[RPC_TEXT_MAX + 1];
};

/* "OK", "CANCELLED" ... as gRPC's documents spell them. */
const char *rpc_code_name(enum rpc_code code);

/* Sets code and text, the rest to nothing; the text is cleaned and cut like one from outside. */
void rpc_status_set(struct rpc_status *status, enum rpc_code code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* The trailer grpc-status: digits only; anything else, and codes that nobody knows, are RPC_UNKNOWN. */
enum rpc_code rpc_code_parse(struct span text);

/* The trailer grpc-message. Decoding never fails: a `%` that begins no escape stands for itself. */
void rpc_text_decode(struct span encoded, char ret[static RPC_TEXT_MAX + 1]);
void rpc_text_encode(const char *text, struct str *out);

#endif
