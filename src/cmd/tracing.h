/* SPDX-License-Identifier: Apache-2.0 */
/* Tracing of a command, when $TRACEPARENT asks for it: cli.md 1.14. */
#ifndef TART_CMD_TRACING_H
#define TART_CMD_TRACING_H

#include "cmd/parse.h"
#include "trace/trace.h"

struct tracing {
	struct trace *trace; /* NULL = off */
	struct trace_span *root;
};

/* Begins the span of the command, with what the environment wants to be in it. */
void tracing_begin(const struct invocation *invocation, struct tracing *ret);

/* Ends it, with the error if there was one, and sends everything off. Takes a few seconds at most and fails in silence:
 * no command fails because nobody listens. Empties *tracing. */
void tracing_end(struct tracing *tracing, const struct err *err);

#endif
