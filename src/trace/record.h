/* SPDX-License-Identifier: Apache-2.0 */
/* How a trace is kept between trace.c, which records, and encode.c. */
#ifndef TART_TRACE_RECORD_H
#define TART_TRACE_RECORD_H

#include "base/vec.h"
#include "trace/trace.h"

enum trace_value { TRACE_TEXT, TRACE_TEXTS, TRACE_NUMBER };

/* Texts are owned and valid UTF-8. */
struct trace_attribute {
	char *key;
	enum trace_value type;
	char *text;
	VEC(char *) texts;
	int64_t number;
};

struct trace_attributes {
	VEC(struct trace_attribute) list;
};

struct trace_span {
	struct trace *trace;
	uint8_t id[TRACE_SPAN_BYTES];
	uint8_t parent_id[TRACE_SPAN_BYTES];
	bool has_parent;
	char *name;
	uint64_t start_ns; /* since 1970, as is end_ns; 0 = not ended */
	uint64_t end_ns;
	uint64_t error_ns;
	char *error; /* NULL = none */
	struct trace_attributes attributes;
};

struct trace {
	uint8_t id[TRACE_ID_BYTES];
	uint8_t parent_id[TRACE_SPAN_BYTES];
	bool has_parent;
	char *state; /* NULL = none */
	struct trace_attributes resource;
	VEC(struct trace_span *) spans;
};

#endif
