/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest agent's messages as structs and as bytes (guest-agent.md 5 and 7.1): service `Agent` of the stock agent, and
 * Exec of our extension, which has the same field numbers and more of them. No I/O. proto/guest.h has the extension's rest.
 *
 * Encoding appends to `out` and borrows what the struct points to. Decoding takes hostile bytes: it allocates for what is
 * there, at most AGENT_DECODE_MEMORY_MAX in all, refuses texts with a NUL in them, and ignores unknown fields. What it has
 * decoded points into `memory`: `*_done` frees that (and accepts { 0 }).
 */
#ifndef TART_PROTO_AGENT_H
#define TART_PROTO_AGENT_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define AGENT_PORT            8080 /* vsock */
#define AGENT_EXEC_PATH       "/Agent/Exec"
#define AGENT_RESOLVE_IP_PATH "/Agent/ResolveIP"

#define AGENT_CHUNK_MAX         ((size_t)32 << 10) /* what we send in one message */
#define AGENT_DECODE_MEMORY_MAX ((size_t)32 << 20)

struct agent_memory; /* private */

struct agent_size {
	uint32_t rows, cols;
};

/* What to run. The second half exists in tart.agent.v1 only: a stock agent ignores it. */
struct agent_command {
	const char *name;
	const char *const *args; /* without the name; n_args of them, then NULL when decoded */
	size_t n_args;
	bool interactive; /* stdin is used */
	bool tty;
	bool has_size;
	struct agent_size size;

	const char *const *env; /* "K=V"; n_env of them, then NULL when decoded */
	size_t n_env;
	const char *cwd;  /* "" or NULL: the agent's */
	const char *user; /* "" or NULL: the agent's choice */
	bool clear_env;
};

enum agent_request_kind {
	AGENT_REQUEST_OTHER, /* nothing that we know */
	AGENT_COMMAND,
	AGENT_STDIN,
	AGENT_RESIZE,
	AGENT_SIGNAL, /* tart.agent.v1 only */
};

struct agent_request {
	enum agent_request_kind kind;
	struct agent_command command;
	struct span data; /* stdin; empty = end of it */
	struct agent_size size;
	int32_t signal;
	struct agent_memory *memory;
};

enum agent_response_kind {
	AGENT_RESPONSE_OTHER,
	AGENT_EXIT,
	AGENT_STDOUT,
	AGENT_STDERR,
	AGENT_STARTED,     /* tart.agent.v1 only */
	AGENT_START_ERROR, /* tart.agent.v1 only */
};

struct agent_response {
	enum agent_response_kind kind;
	int32_t code;   /* exit */
	int32_t signal; /* exit, tart.agent.v1 only: died of it; 0 = did not, or not said */
	struct span data;
	int32_t pid;            /* started */
	int32_t error;          /* start error: errno */
	const char *error_text; /* start error */
	struct agent_memory *memory;
};

void agent_request_encode(const struct agent_request *request, struct str *out);
bool agent_request_decode(struct span bytes, struct agent_request *ret, struct err *err);
void agent_request_done(struct agent_request *request);

void agent_response_encode(const struct agent_response *response, struct str *out);
bool agent_response_decode(struct span bytes, struct agent_response *ret, struct err *err);
void agent_response_done(struct agent_response *response);

/* ResolveIP: the request is empty (zero bytes). */
struct agent_ip {
	const char *ip;
	struct agent_memory *memory;
};

void agent_ip_encode(const struct agent_ip *response, struct str *out);
bool agent_ip_decode(struct span bytes, struct agent_ip *ret, struct err *err);
void agent_ip_done(struct agent_ip *response);

/* True when the bytes can be a message without fields that we know: what an empty request has to be. */
bool agent_empty_decode(struct span bytes, struct err *err);

#endif
