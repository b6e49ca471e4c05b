/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command did and how long it took, for OpenTelemetry: cli.md 1.14.
 *
 * Spans are recorded in memory and encoded in the end; whoever has no trace passes NULL, which every function here
 * accepts and answers with NULL or nothing. Not for several threads: work that is spread over threads is one span of
 * the thread that spread it. The caller of this library exports (cmd/tracing.c).
 */
#ifndef TART_TRACE_TRACE_H
#define TART_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"

#define TRACE_ID_BYTES   16
#define TRACE_SPAN_BYTES 8

/* Where the caller's trace continues: W3C Trace Context. */
struct trace_parent {
	uint8_t trace_id[TRACE_ID_BYTES];
	uint8_t span_id[TRACE_SPAN_BYTES];
};

/* Reads a traceparent: "00-<32 hex digits>-<16>-<2>"; false for anything else, and for all zeros in either. */
bool trace_parent_parse(struct span text, struct trace_parent *ret);

struct trace;
struct trace_span; /* owned by its trace */

/* `parent` may be NULL: the trace begins here. `state` is passed on as it is (NULL = none). */
struct trace *trace_new(const struct trace_parent *parent, const char *state);
void trace_free(struct trace *trace);
static inline void trace_cleanup(struct trace **slot)
{
	trace_free(*slot);
}

/* Attributes of the program rather than of a span; an equal key is replaced. */
void trace_set_resource(struct trace *trace, const char *key, struct span value);

/* The span of the whole command, and what is done within another span. */
struct trace_span *trace_begin(struct trace *trace, const char *name);
struct trace_span *trace_begin_child(struct trace_span *parent, const char *name);

/* The second end of a span is ignored; spans still open when the trace is encoded end then. */
void trace_end(struct trace_span *span);
static inline void trace_end_cleanup(struct trace_span **slot)
{
	trace_end(*slot);
}
#define CLEANUP_TRACE_SPAN CLEANUP(trace_end_cleanup)

void trace_set_text(struct trace_span *span, const char *key, struct span value);
void trace_set_texts(struct trace_span *span, const char *key, const char *const *values, size_t n);
void trace_set_bytes(struct trace_span *span, const char *key, uint64_t bytes);

/* Records the error as an exception event and marks the span as failed. */
void trace_set_error(struct trace_span *span, const struct err *err);

/* Calls `each` for the pairs of "key=value,key=value", blanks around them removed; items without "=" or without a key
 * are skipped. */
void trace_each_pair(const char *text, bool percent_encoded,
		     void (*each)(void *ctx, const char *key, struct span value), void *ctx);

/* The body of an OTLP request over HTTP, in its binary form: one resource, one scope, all spans in order of their
 * beginning. */
void trace_encode(struct trace *trace, const char *scope, const char *version, struct str *out);

#endif
