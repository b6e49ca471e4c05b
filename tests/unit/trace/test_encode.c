/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of trace/encode.c: what was recorded is in the message. */
#include "trace/trace.h"

#include <string.h>

#include "unit.h"
#include <otlp.pb-c.h>

static Otlp__ExportTraceServiceRequest *encoded(struct trace *trace)
{
	CLEANUP_STR struct str body = { 0 };
	Otlp__ExportTraceServiceRequest *request;

	trace_encode(trace, "tart", "1.2.3", &body);
	request = otlp__export_trace_service_request__unpack(NULL, body.len,
							     (const uint8_t *)str_text(&body));
	assert_non_null(request);
	assert_int_equal(request->n_resource_spans, 1);
	assert_int_equal(request->resource_spans[0]->n_scope_spans, 1);
	return request;
}

static const Otlp__AnyValue *value_of(Otlp__KeyValue **pairs, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(pairs[i]->key, key) == 0)
			return pairs[i]->value;
	}
	fail_msg("no attribute '%s'", key);
}

static void check_text(Otlp__KeyValue **pairs, size_t n, const char *key, const char *want)
{
	const Otlp__AnyValue *value = value_of(pairs, n, key);

	assert_int_equal(value->value_case, OTLP__ANY_VALUE__VALUE_STRING_VALUE);
	assert_string_equal(value->string_value, want);
}

static void one_span(void **state)
{
	static const char *const args[] = { "tart", "list", "\xff" };
	struct trace_parent parent = { .trace_id = { 1, 2, 3 }, .span_id = { 4, 5, 6 } };
	struct trace *trace CLEANUP(trace_cleanup) = trace_new(&parent, "a=b");
	struct trace_span *root = trace_begin(trace, "list");
	Otlp__ExportTraceServiceRequest *request;
	const Otlp__ResourceSpans *resource;
	const Otlp__AnyValue *value;
	Otlp__Span *span;

	(void)state;
	trace_set_resource(trace, "service.name", span_of("x"));
	trace_set_resource(trace, "service.name", span_of("tart"));
	trace_set_texts(root, "Command-line arguments", args, ARRAY_LEN(args));
	trace_set_bytes(root, "much", UINT64_MAX);
	request = encoded(trace);

	resource = request->resource_spans[0];
	assert_int_equal(resource->resource->n_attributes, 1);
	check_text(resource->resource->attributes, 1, "service.name", "tart");
	assert_string_equal(resource->scope_spans[0]->scope->name, "tart");
	assert_string_equal(resource->scope_spans[0]->scope->version, "1.2.3");
	assert_int_equal(resource->scope_spans[0]->n_spans, 1);
	span = resource->scope_spans[0]->spans[0];
	assert_string_equal(span->name, "list");
	assert_string_equal(span->trace_state, "a=b");
	assert_int_equal(span->trace_id.len, TRACE_ID_BYTES);
	assert_memory_equal(span->trace_id.data, parent.trace_id, TRACE_ID_BYTES);
	assert_int_equal(span->parent_span_id.len, TRACE_SPAN_BYTES);
	assert_memory_equal(span->parent_span_id.data, parent.span_id, TRACE_SPAN_BYTES);
	assert_true(span->start_time_unix_nano > 0);
	assert_true(span->end_time_unix_nano >= span->start_time_unix_nano);
	assert_null(span->status);
	value = value_of(span->attributes, span->n_attributes, "Command-line arguments");
	assert_int_equal(value->array_value->n_values, 3);
	assert_string_equal(value->array_value->values[1]->string_value, "list");
	assert_string_equal(value->array_value->values[2]->string_value, "\\xff");
	value = value_of(span->attributes, span->n_attributes, "much");
	assert_int_equal(value->int_value, INT64_MAX);
	otlp__export_trace_service_request__free_unpacked(request, NULL);
}

static void a_child_that_failed(void **state)
{
	struct trace *trace CLEANUP(trace_cleanup) = trace_new(NULL, "ignored without a parent");
	struct trace_span *root = trace_begin(trace, "pull");
	struct trace_span *child = trace_begin_child(root, "prune");
	struct err err = { 0 };
	Otlp__ExportTraceServiceRequest *request;
	Otlp__Span **spans;

	(void)state;
	(void)err_set(&err, ERR_GENERAL, "no such luck");
	trace_set_error(child, &err);
	trace_end(child);
	request = encoded(trace);
	spans = request->resource_spans[0]->scope_spans[0]->spans;

	assert_int_equal(request->resource_spans[0]->scope_spans[0]->n_spans, 2);
	assert_int_equal(spans[0]->parent_span_id.len, 0);
	assert_string_equal(spans[0]->trace_state, "");
	assert_memory_equal(spans[1]->trace_id.data, spans[0]->trace_id.data, TRACE_ID_BYTES);
	assert_memory_equal(spans[1]->parent_span_id.data, spans[0]->span_id.data,
			    TRACE_SPAN_BYTES);
	assert_int_equal(spans[1]->status->code, OTLP__STATUS__CODE__ERROR);
	assert_int_equal(spans[1]->n_events, 1);
	assert_string_equal(spans[1]->events[0]->name, "exception");
	check_text(spans[1]->events[0]->attributes, spans[1]->events[0]->n_attributes,
		   "exception.message", "no such luck");
	otlp__export_trace_service_request__free_unpacked(request, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_span),
		cmocka_unit_test(a_child_that_failed),
	};

	return unit_main(tests);
}
