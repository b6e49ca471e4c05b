/* SPDX-License-Identifier: Apache-2.0 */
/* What the environment says of tracing, and the export. */
#include "cmd/tracing.h"

#include <stdlib.h>

#include "base/cancel.h"
#include "base/mem.h"
#include "base/version.h"
#include "http/http.h"

#define DEFAULT_ENDPOINT "http://localhost:4318/v1/traces"
#define EXPORT_MS        3000
#define HEADERS_MAX      64

static void set_tag(void *ctx, const char *key, struct span value)
{
	trace_set_text(ctx, key, value);
}

static void set_resource(void *ctx, const char *key, struct span value)
{
	trace_set_resource(ctx, key, value);
}

/* A traceparent that nobody can read still says that tracing is wanted: the trace begins here, as W3C has it. */
static struct trace *start(const char *traceparent)
{
	struct trace_parent parent;
	bool is_known = trace_parent_parse(span_of(traceparent), &parent);
	struct trace *trace = trace_new(is_known ? &parent : NULL, getenv("TRACESTATE"));

	trace_set_resource(trace, "service.name", span_of("tart"));
	trace_set_resource(trace, "service.version", span_of(TART_VERSION));
	trace_each_pair(getenv("OTEL_RESOURCE_ATTRIBUTES"), true, set_resource, trace);
	return trace;
}

void tracing_begin(const struct invocation *invocation, struct tracing *ret)
{
	const char *traceparent = getenv("TRACEPARENT");
	CLEANUP_STR struct str name = { 0 };

	if (!traceparent)
		return;
	ret->trace = start(traceparent);
	command_add_path(&name, invocation->command, ' ');
	ret->root = trace_begin(ret->trace, str_text(&name));
	trace_set_texts(ret->root, "Command-line arguments", (const char *const *)invocation->argv,
			(size_t)invocation->argc);
	trace_each_pair(getenv("CIRRUS_SENTRY_TAGS"), false, set_tag, ret->root);
}

struct headers {
	struct http_header list[HEADERS_MAX];
	char *texts[2 * HEADERS_MAX];
	size_t n;
};

static void headers_done(struct headers *headers)
{
	for (size_t i = 0; i < 2 * headers->n; i++)
		free(headers->texts[i]);
}

static void add_header(void *ctx, const char *name, struct span value)
{
	struct headers *headers = ctx;
	char **texts = headers->texts + 2 * headers->n;

	if (headers->n == HEADERS_MAX)
		return;
	texts[0] = xstrdup(name);
	texts[1] = xstrndup(value.ptr ? value.ptr : "", value.len);
	headers->list[headers->n++] = (struct http_header){ .name = texts[0], .value = texts[1] };
}

static void send_off(struct span body)
{
	CLEANUP(headers_done) struct headers headers = { .n = 0 };
	CLEANUP_HTTP struct http *http = NULL;
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	const char *endpoint = getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
	struct http_options options = { .user_agent = "tart/" TART_VERSION, .total_ms = EXPORT_MS };
	struct http_request request = {
		.method = HTTP_POST,
		.url = endpoint && endpoint[0] ? endpoint : DEFAULT_ENDPOINT,
		.body = { .bytes = body, .fd = -1 },
	};
	struct err ignored;

	add_header(&headers, "Content-Type", span_of("application/x-protobuf"));
	trace_each_pair(getenv("OTEL_EXPORTER_OTLP_HEADERS"), true, add_header, &headers);
	request.headers = headers.list;
	request.n_headers = headers.n;
	if (http_new(&options, &http, &ignored))
		(void)http_start(http, &request, &exchange, &ignored);
}

void tracing_end(struct tracing *tracing, const struct err *err)
{
	CLEANUP_STR struct str body = { 0 };

	if (!tracing->trace)
		return;
	if (err->kind != ERR_NONE)
		trace_set_error(tracing->root, err);
	cancel_forget();
	trace_encode(tracing->trace, "tart", TART_VERSION, &body);
	send_off(str_span(&body));
	trace_free(tracing->trace);
	*tracing = (struct tracing){ 0 };
}
