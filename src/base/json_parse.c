/* SPDX-License-Identifier: Apache-2.0 */
/* Text to JSON tree: one pass, bounded recursion, strict RFC 8259. */
#include <stdint.h>

#include "base/json_node.h"
#include "base/reader.h"
#include "base/utf8.h"

struct parser {
	struct reader in;
	size_t total;
	int depth;
	size_t nodes;
	const char *problem; /* first thing wrong, or NULL */
};

static bool parse_value(struct parser *p, struct json **ret);

static bool fail(struct parser *p, const char *problem)
{
	if (!p->problem)
		p->problem = problem;
	return false;
}

static void skip_space(struct parser *p)
{
	while (reader_peek(&p->in) == ' ' || reader_peek(&p->in) == '\t' ||
	       reader_peek(&p->in) == '\n' || reader_peek(&p->in) == '\r')
		reader_skip(&p->in, 1);
}

static bool accept(struct parser *p, char c)
{
	skip_space(p);
	if (reader_peek(&p->in) != c)
		return false;
	reader_skip(&p->in, 1);
	return true;
}

static bool parse_word(struct parser *p, const char *word, enum json_type type, struct json **ret)
{
	if (!span_starts_with(reader_rest(&p->in), word))
		return fail(p, "not a JSON value");
	reader_skip(&p->in, strlen(word));
	*ret = json_node(type, (struct span){ 0 });
	return true;
}

static size_t skip_digits(struct parser *p)
{
	size_t n = 0;

	for (; reader_peek(&p->in) >= '0' && reader_peek(&p->in) <= '9'; n++)
		reader_skip(&p->in, 1);
	return n;
}

static bool parse_number(struct parser *p, struct json **ret)
{
	struct span start = reader_rest(&p->in);
	bool zero;

	if (reader_peek(&p->in) == '-')
		reader_skip(&p->in, 1);
	zero = reader_peek(&p->in) == '0';
	switch (skip_digits(p)) {
	case 0:
		return fail(p, "not a JSON value");
	case 1:
		break;
	default:
		if (zero)
			return fail(p, "a number with a leading zero");
	}
	if (reader_peek(&p->in) == '.') {
		reader_skip(&p->in, 1);
		if (skip_digits(p) == 0)
			return fail(p, "a number without digits after the point");
	}
	if (reader_peek(&p->in) == 'e' || reader_peek(&p->in) == 'E') {
		reader_skip(&p->in, 1);
		if (reader_peek(&p->in) == '+' || reader_peek(&p->in) == '-')
			reader_skip(&p->in, 1);
		if (skip_digits(p) == 0)
			return fail(p, "a number without digits in its exponent");
	}
	*ret = json_node(JSON_NUMBER, span_first(start, start.len - reader_rest(&p->in).len));
	return true;
}

static bool parse_hex4(struct parser *p, uint32_t *ret)
{
	struct span digits;
	uint32_t code = 0;

	if (!reader_take(&p->in, 4, &digits))
		return fail(p, "a cut-off \\u escape");
	for (size_t i = 0; i < digits.len; i++) {
		char c = digits.ptr[i];
		int digit = c >= '0' && c <= '9' ? c - '0' :
			    c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			    c >= 'A' && c <= 'F' ? c - 'A' + 10 :
						   -1;

		if (digit < 0)
			return fail(p, "a \\u escape that is not hexadecimal");
		code = code << 4 | (uint32_t)digit;
	}
	*ret = code;
	return true;
}

static bool parse_unicode_escape(struct parser *p, struct str *out)
{
	uint32_t code;
	uint32_t low;

	if (!parse_hex4(p, &code))
		return false;
	if (code >= 0xdc00 && code < 0xe000)
		return fail(p, "a lone surrogate");
	if (code >= 0xd800 && code < 0xdc00) {
		if (!span_starts_with(reader_rest(&p->in), "\\u"))
			return fail(p, "a lone surrogate");
		reader_skip(&p->in, 2);
		if (!parse_hex4(p, &low))
			return false;
		if (low < 0xdc00 || low >= 0xe000)
			return fail(p, "a lone surrogate");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	if (code == 0)
		return fail(p, "a NUL in a string");
	utf8_add(out, code);
	return true;
}

static bool parse_escape(struct parser *p, struct str *out)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	int c = reader_peek(&p->in);
	const char *found = c > 0 ? strchr(letters, c) : NULL;

	if (c == 'u') {
		reader_skip(&p->in, 1);
		return parse_unicode_escape(p, out);
	}
	if (!found)
		return fail(p, "an unknown escape");
	reader_skip(&p->in, 1);
	str_add_char(out, values[found - letters]);
	return true;
}

static bool parse_text(struct parser *p, struct str *out)
{
	if (!accept(p, '"'))
		return fail(p, "not a JSON string");
	for (;;) {
		int c = reader_peek(&p->in);
		size_t n;

		if (c < 0)
			return fail(p, "a string without an end");
		if (c < 0x20)
			return fail(p, "a control character in a string");
		if (c == '"' || c == '\\')
			reader_skip(&p->in, 1);
		if (c == '"')
			return true;
		if (c == '\\') {
			if (!parse_escape(p, out))
				return false;
			continue;
		}
		n = utf8_len(reader_rest(&p->in));
		if (n == 0)
			return fail(p, "not UTF-8");
		str_add_span(out, span_first(reader_rest(&p->in), n));
		reader_skip(&p->in, n);
	}
}

static bool parse_string(struct parser *p, struct json **ret)
{
	CLEANUP_STR struct str text = { 0 };

	if (!parse_text(p, &text))
		return false;
	*ret = json_node(JSON_STRING, str_span(&text));
	return true;
}

static bool parse_member(struct parser *p, struct json *object)
{
	CLEANUP_STR struct str key = { 0 };
	struct json *value = NULL;

	if (!parse_text(p, &key))
		return false;
	/* Lookups are linear: without a cap, a hostile object costs the square of its size. */
	if (json_count(object) == JSON_MEMBERS_MAX)
		return fail(p, "too many members");
	if (json_member(object, str_text(&key)))
		return fail(p, "a key given twice");
	if (!accept(p, ':'))
		return fail(p, "a key without ':'");
	if (!parse_value(p, &value))
		return false;
	json_set(object, str_text(&key), value);
	return true;
}

static bool parse_item(struct parser *p, struct json *container)
{
	struct json *value = NULL;

	if (container->type == JSON_OBJECT)
		return parse_member(p, container);
	if (!parse_value(p, &value))
		return false;
	json_append(container, value);
	return true;
}

static bool parse_container(struct parser *p, enum json_type type, struct json **ret)
{
	char end = type == JSON_OBJECT ? '}' : ']';
	CLEANUP_JSON struct json *container = json_node(type, (struct span){ 0 });

	reader_skip(&p->in, 1);
	if (p->depth == JSON_DEPTH_MAX)
		return fail(p, "nested too deeply");
	p->depth++;
	if (!accept(p, end)) {
		do {
			if (!parse_item(p, container))
				return false;
		} while (accept(p, ','));
		if (!accept(p, end))
			return fail(p, "a container without an end");
	}
	p->depth--;
	*ret = TAKE_PTR(container);
	return true;
}

static bool parse_value(struct parser *p, struct json **ret)
{
	skip_space(p);
	if (p->nodes++ == JSON_NODES_MAX)
		return fail(p, "too many values");
	switch (reader_peek(&p->in)) {
	case '{':
		return parse_container(p, JSON_OBJECT, ret);
	case '[':
		return parse_container(p, JSON_ARRAY, ret);
	case '"':
		return parse_string(p, ret);
	case 't':
		return parse_word(p, "true", JSON_TRUE, ret);
	case 'f':
		return parse_word(p, "false", JSON_FALSE, ret);
	case 'n':
		return parse_word(p, "null", JSON_NULL, ret);
	default:
		return parse_number(p, ret);
	}
}

bool json_parse(struct span text, struct json **ret, struct err *err)
{
	struct parser p = { .in = reader_of(text), .total = text.len };
	CLEANUP_JSON struct json *root = NULL;

	if (parse_value(&p, &root)) {
		skip_space(&p);
		if (reader_rest(&p.in).len > 0)
			(void)fail(&p, "text after the value");
	}
	if (p.problem)
		return err_set(err, ERR_GENERAL, "invalid JSON at byte %zu: %s",
			       p.total - reader_rest(&p.in).len, p.problem);
	*ret = TAKE_PTR(root);
	return true;
}
