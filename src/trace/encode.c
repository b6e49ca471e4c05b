/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded trace in OTLP's binary form. The only file that knows protobuf-c. */
#include "trace/record.h"

#include <string.h>

#include <otlp.pb-c.h> /* generated */

/* The messages of a request refer to each other; all of their memory is freed at once. */
struct arena {
	VEC(void *) blocks;
};

static void arena_done(struct arena *arena)
{
	vec_each(&arena->blocks, block)
		free(*block);
	vec_done(&arena->blocks);
}

static void *take(struct arena *arena, size_t n, size_t size)
{
	void *block = xcalloc(n > 0 ? n : 1, size);

	*vec_push(&arena->blocks) = block;
	return block;
}

/* A message of its type, and an array of n pointers to such. */
#define NEW(arena, type, init)                               \
	__extension__({                                      \
		type *new_ = take((arena), 1, sizeof(type)); \
		init(new_);                                  \
		new_;                                        \
	})
#define NEW_ARRAY(arena, type, n) ((type **)take((arena), (n), sizeof(type *)))

static Otlp__AnyValue *text_value(struct arena *arena, char *text)
{
	Otlp__AnyValue *value = NEW(arena, Otlp__AnyValue, otlp__any_value__init);

	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = text;
	return value;
}

static Otlp__AnyValue *texts_value(struct arena *arena, const struct trace_attribute *attribute)
{
	Otlp__AnyValue *value = NEW(arena, Otlp__AnyValue, otlp__any_value__init);
	Otlp__ArrayValue *array = NEW(arena, Otlp__ArrayValue, otlp__array_value__init);

	array->values = NEW_ARRAY(arena, Otlp__AnyValue, attribute->texts.n);
	vec_each(&attribute->texts, text)
		array->values[array->n_values++] = text_value(arena, *text);
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value->array_value = array;
	return value;
}

static Otlp__AnyValue *number_value(struct arena *arena, int64_t number)
{
	Otlp__AnyValue *value = NEW(arena, Otlp__AnyValue, otlp__any_value__init);

	value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	value->int_value = number;
	return value;
}

static Otlp__AnyValue *attribute_value(struct arena *arena, const struct trace_attribute *attribute)
{
	switch (attribute->type) {
	case TRACE_TEXTS:
		return texts_value(arena, attribute);
	case TRACE_NUMBER:
		return number_value(arena, attribute->number);
	case TRACE_TEXT:
		break;
	}
	return text_value(arena, attribute->text);
}

static Otlp__KeyValue *pair(struct arena *arena, char *key, Otlp__AnyValue *value)
{
	Otlp__KeyValue *result = NEW(arena, Otlp__KeyValue, otlp__key_value__init);

	result->key = key;
	result->value = value;
	return result;
}

static Otlp__KeyValue **pairs(struct arena *arena, const struct trace_attributes *attributes,
			      size_t *ret_n)
{
	Otlp__KeyValue **array = NEW_ARRAY(arena, Otlp__KeyValue, attributes->list.n);
	size_t n = 0;

	vec_each(&attributes->list, attribute)
		array[n++] = pair(arena, attribute->key, attribute_value(arena, attribute));
	*ret_n = n;
	return array;
}

static char *constant(struct arena *arena, const char *text)
{
	return memcpy(take(arena, strlen(text) + 1, 1), text, strlen(text) + 1);
}

static void set_error(struct arena *arena, const struct trace_span *span, Otlp__Span *out)
{
	Otlp__Event *event = NEW(arena, Otlp__Event, otlp__event__init);

	event->time_unix_nano = span->error_ns;
	event->name = constant(arena, "exception");
	event->attributes = NEW_ARRAY(arena, Otlp__KeyValue, 2);
	event->attributes[event->n_attributes++] =
		pair(arena, constant(arena, "exception.type"),
		     text_value(arena, constant(arena, "error")));
	event->attributes[event->n_attributes++] = pair(arena, constant(arena, "exception.message"),
							text_value(arena, span->error));
	out->events = NEW_ARRAY(arena, Otlp__Event, 1);
	out->events[out->n_events++] = event;
	out->status = NEW(arena, Otlp__Status, otlp__status__init);
	out->status->code = OTLP__STATUS__CODE__ERROR;
	out->status->message = span->error;
}

static Otlp__Span *encode_span(struct arena *arena, struct trace_span *span)
{
	struct trace *trace = span->trace;
	Otlp__Span *out = NEW(arena, Otlp__Span, otlp__span__init);

	trace_end(span);
	out->trace_id = (ProtobufCBinaryData){ .len = sizeof(trace->id), .data = trace->id };
	out->span_id = (ProtobufCBinaryData){ .len = sizeof(span->id), .data = span->id };
	if (span->has_parent)
		out->parent_span_id = (ProtobufCBinaryData){ .len = sizeof(span->parent_id),
							     .data = span->parent_id };
	if (trace->state)
		out->trace_state = trace->state;
	out->name = span->name;
	out->kind = OTLP__SPAN__KIND__INTERNAL;
	out->start_time_unix_nano = span->start_ns;
	out->end_time_unix_nano = span->end_ns;
	out->attributes = pairs(arena, &span->attributes, &out->n_attributes);
	if (span->error)
		set_error(arena, span, out);
	return out;
}

static Otlp__ScopeSpans *encode_spans(struct arena *arena, const struct trace *trace,
				      const char *scope, const char *version)
{
	Otlp__ScopeSpans *out = NEW(arena, Otlp__ScopeSpans, otlp__scope_spans__init);

	out->scope = NEW(arena, Otlp__InstrumentationScope, otlp__instrumentation_scope__init);
	out->scope->name = constant(arena, scope);
	out->scope->version = constant(arena, version);
	out->spans = NEW_ARRAY(arena, Otlp__Span, trace->spans.n);
	vec_each(&trace->spans, span)
		out->spans[out->n_spans++] = encode_span(arena, *span);
	return out;
}

void trace_encode(struct trace *trace, const char *scope, const char *version, struct str *out)
{
	CLEANUP(arena_done) struct arena arena = { 0 };
	Otlp__ExportTraceServiceRequest request;
	Otlp__ResourceSpans *spans = NEW(&arena, Otlp__ResourceSpans, otlp__resource_spans__init);
	size_t len;
	uint8_t *bytes;

	otlp__export_trace_service_request__init(&request);
	spans->resource = NEW(&arena, Otlp__Resource, otlp__resource__init);
	spans->resource->attributes = pairs(&arena, &trace->resource,
					    &spans->resource->n_attributes);
	spans->scope_spans = NEW_ARRAY(&arena, Otlp__ScopeSpans, 1);
	spans->scope_spans[spans->n_scope_spans++] = encode_spans(&arena, trace, scope, version);
	request.resource_spans = NEW_ARRAY(&arena, Otlp__ResourceSpans, 1);
	request.resource_spans[request.n_resource_spans++] = spans;

	len = otlp__export_trace_service_request__get_packed_size(&request);
	bytes = take(&arena, len, 1);
	(void)otlp__export_trace_service_request__pack(&request, bytes);
	str_add_span(out, span_make((const char *)bytes, len));
}
