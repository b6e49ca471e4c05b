/* SPDX-License-Identifier: Apache-2.0 */
/* Recording spans. */
#include "trace/trace.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "trace/record.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* 2 * n lower-case digits, not all of them 0. */
static bool read_id(struct span text, uint8_t *ret, size_t n)
{
	bool any = false;

	if (text.len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text.ptr[2 * i]);
		int low = hex_digit(text.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
		any |= ret[i] != 0;
	}
	return any;
}

bool trace_parent_parse(struct span text, struct trace_parent *ret)
{
	struct trace_parent parent;
	struct span rest = text;
	struct span version;
	struct span trace_id;
	struct span span_id;
	struct span flags;

	if (!span_next(&rest, '-', &version) || !span_next(&rest, '-', &trace_id) ||
	    !span_next(&rest, '-', &span_id) || !span_next(&rest, '-', &flags))
		return false;
	/* Later versions may add fields; ff is none. */
	if (version.len != 2 || hex_digit(version.ptr[0]) < 0 || hex_digit(version.ptr[1]) < 0 ||
	    span_is(version, "ff") || (span_is(version, "00") && rest.ptr) || flags.len != 2 ||
	    !read_id(trace_id, parent.trace_id, TRACE_ID_BYTES) ||
	    !read_id(span_id, parent.span_id, TRACE_SPAN_BYTES))
		return false;
	*ret = parent;
	return true;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct trace *trace_new(const struct trace_parent *parent, const char *state)
{
	struct trace *trace = xcalloc(1, sizeof(*trace));

	if (parent) {
		memcpy(trace->id, parent->trace_id, sizeof(trace->id));
		memcpy(trace->parent_id, parent->span_id, sizeof(trace->parent_id));
		trace->has_parent = true;
		trace->state = state ? xstrdup(state) : NULL;
	} else {
		random_bytes(trace->id, sizeof(trace->id));
	}
	return trace;
}

static void attributes_done(struct trace_attributes *attributes)
{
	vec_each(&attributes->list, attribute) {
		free(attribute->key);
		free(attribute->text);
		vec_each(&attribute->texts, text)
			free(*text);
		vec_done(&attribute->texts);
	}
	vec_done(&attributes->list);
}

void trace_free(struct trace *trace)
{
	if (!trace)
		return;
	vec_each(&trace->spans, slot) {
		free((*slot)->name);
		free((*slot)->error);
		attributes_done(&(*slot)->attributes);
		free(*slot);
	}
	vec_done(&trace->spans);
	attributes_done(&trace->resource);
	free(trace->state);
	free(trace);
}

static struct trace_span *begin(struct trace *trace, const char *name)
{
	struct trace_span *span = xcalloc(1, sizeof(*span));

	span->trace = trace;
	span->name = xstrdup(name);
	span->start_ns = now_ns();
	random_bytes(span->id, sizeof(span->id));
	*vec_push(&trace->spans) = span;
	return span;
}

struct trace_span *trace_begin(struct trace *trace, const char *name)
{
	struct trace_span *span;

	if (!trace)
		return NULL;
	span = begin(trace, name);
	span->has_parent = trace->has_parent;
	memcpy(span->parent_id, trace->parent_id, sizeof(span->parent_id));
	return span;
}

struct trace_span *trace_begin_child(struct trace_span *parent, const char *name)
{
	struct trace_span *span;

	if (!parent)
		return NULL;
	span = begin(parent->trace, name);
	span->has_parent = true;
	memcpy(span->parent_id, parent->id, sizeof(span->parent_id));
	return span;
}

void trace_end(struct trace_span *span)
{
	if (span && !span->end_ns)
		span->end_ns = now_ns();
}

/* The protocol wants UTF-8; arguments of a command line need not be. */
static char *clean(struct span text)
{
	struct str out = { 0 };

	str_add_escaped(&out, text);
	return str_take(&out);
}

static struct trace_attribute *add(struct trace_attributes *attributes, const char *key,
				   enum trace_value type)
{
	struct trace_attribute *attribute = vec_push(&attributes->list);

	attribute->key = clean(span_of(key));
	attribute->type = type;
	return attribute;
}

void trace_set_resource(struct trace *trace, const char *key, struct span value)
{
	if (!trace)
		return;
	vec_each(&trace->resource.list, attribute) {
		if (strcmp(attribute->key, key) == 0) {
			free(attribute->text);
			attribute->text = clean(value);
			return;
		}
	}
	add(&trace->resource, key, TRACE_TEXT)->text = clean(value);
}

void trace_set_text(struct trace_span *span, const char *key, struct span value)
{
	if (span)
		add(&span->attributes, key, TRACE_TEXT)->text = clean(value);
}

void trace_set_texts(struct trace_span *span, const char *key, const char *const *values, size_t n)
{
	struct trace_attribute *attribute;

	if (!span)
		return;
	attribute = add(&span->attributes, key, TRACE_TEXTS);
	for (size_t i = 0; i < n; i++)
		*vec_push(&attribute->texts) = clean(span_of(values[i]));
}

void trace_set_bytes(struct trace_span *span, const char *key, uint64_t bytes)
{
	if (span)
		add(&span->attributes, key, TRACE_NUMBER)->number = bytes > INT64_MAX ?
									    INT64_MAX :
									    (int64_t)bytes;
}

void trace_set_error(struct trace_span *span, const struct err *err)
{
	if (!span)
		return;
	free(span->error);
	span->error = clean(span_of(err->text));
	span->error_ns = now_ns();
}

static struct span trim(struct span text)
{
	while (text.len > 0 && isspace((unsigned char)text.ptr[0]))
		text = span_from(text, 1);
	while (text.len > 0 && isspace((unsigned char)text.ptr[text.len - 1]))
		text = span_first(text, text.len - 1);
	return text;
}

static int any_hex_digit(char c)
{
	return hex_digit((char)tolower((unsigned char)c));
}

/* A "%" that begins no escape stands for itself. */
static void add_decoded(struct str *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		int high = -1;
		int low = -1;

		if (text.ptr[i] == '%' && text.len - i > 2) {
			high = any_hex_digit(text.ptr[i + 1]);
			low = any_hex_digit(text.ptr[i + 2]);
		}
		if (high < 0 || low < 0 || high + low == 0) {
			str_add_char(out, text.ptr[i]);
			continue;
		}
		str_add_char(out, (char)(high << 4 | low));
		i += 2;
	}
}

static void add_text(struct str *out, struct span text, bool percent_encoded)
{
	if (percent_encoded)
		add_decoded(out, text);
	else
		str_add_span(out, text);
}

void trace_each_pair(const char *text, bool percent_encoded,
		     void (*each)(void *ctx, const char *key, struct span value), void *ctx)
{
	struct span rest = text ? span_of(text) : span_make(NULL, 0);
	struct span item;

	while (span_next(&rest, ',', &item)) {
		CLEANUP_STR struct str key = { 0 };
		CLEANUP_STR struct str value = { 0 };
		size_t equals = span_find(item, '=');

		if (equals == item.len)
			continue;
		add_text(&key, trim(span_first(item, equals)), percent_encoded);
		add_text(&value, trim(span_from(item, equals + 1)), percent_encoded);
		if (key.len > 0)
			each(ctx, str_text(&key), str_span(&value));
	}
}
