/* SPDX-License-Identifier: Apache-2.0 */
/* Local and remote names: grammar, rendering, cache paths. */
#include "storage/name.h"

#include <stdint.h>

#include "base/digest.h"
#include "base/reader.h"
#include "base/utf8.h"
#include "storage/temp.h"

/* A port's ":" is the one character of a name that cache paths write otherwise. */
#define ENCODED_COLON "%3A"

struct parser {
	struct reader in;
	size_t total;
	struct err *err;
};

static bool fail_at(struct parser *p, size_t left, const char *cause)
{
	return err_set(p->err, ERR_REMOTE_NAME, "failed to parse remote name: %s (character %zu)",
		       cause, p->total - left + 1);
}

static bool fail(struct parser *p, const char *cause)
{
	return fail_at(p, p->in.rest.len, cause);
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(int c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_separator(int c)
{
	return c == '.' || c == '-' || c == '_';
}

static bool accept(struct parser *p, char c)
{
	return reader_peek(&p->in) == c && reader_skip(&p->in, 1);
}

static size_t skip_alnum(struct parser *p)
{
	size_t n = 0;

	for (; is_alnum(reader_peek(&p->in)); n++)
		reader_skip(&p->in, 1);
	return n;
}

static bool parse_host(struct parser *p)
{
	do {
		if (skip_alnum(p) == 0)
			return fail(p, "expected a letter or a digit of the host");
	} while (accept(p, '.') || accept(p, '-'));
	if (!accept(p, ':'))
		return true;
	if (!is_digit(reader_peek(&p->in)))
		return fail(p, "expected a port number");
	while (is_digit(reader_peek(&p->in)))
		reader_skip(&p->in, 1);
	return true;
}

/* One component of the repository; it may end in one separator, a tag may not. */
static bool parse_component(struct parser *p)
{
	do {
		if (skip_alnum(p) == 0)
			return fail(p, "expected a letter or a digit of the namespace");
		if (!is_separator(reader_peek(&p->in)))
			return true;
		reader_skip(&p->in, 1);
	} while (is_alnum(reader_peek(&p->in)));
	return true;
}

static bool parse_repository(struct parser *p)
{
	do {
		struct span start = reader_rest(&p->in);

		if (!parse_component(p))
			return false;
		if (start.len - reader_rest(&p->in).len > NAME_BYTES_MAX)
			return fail_at(p, start.len, "a component of the namespace is too long");
	} while (accept(p, '/'));
	return true;
}

static bool parse_tag(struct parser *p)
{
	struct span start = reader_rest(&p->in);

	for (;;) {
		if (skip_alnum(p) == 0)
			return fail(p, "expected a letter or a digit of the tag");
		if (!is_separator(reader_peek(&p->in)))
			break;
		reader_skip(&p->in, 1);
	}
	if (start.len - reader_rest(&p->in).len > NAME_BYTES_MAX)
		return fail_at(p, start.len, "the tag is too long");
	return true;
}

static bool parse_digest(struct parser *p)
{
	struct span algorithm;
	struct span hex;

	if (!span_starts_with(reader_rest(&p->in), NAME_DIGEST_PREFIX))
		return err_set(p->err, ERR_REMOTE_NAME,
			       "failed to parse remote name: unknown reference format");
	reader_take(&p->in, strlen(NAME_DIGEST_PREFIX), &algorithm);
	if (reader_rest(&p->in).len < 64 || !digest_is_hex(span_first(reader_rest(&p->in), 64)))
		return fail(p, "expected 64 lower-case hexadecimal digits");
	return reader_take(&p->in, 64, &hex);
}

/* Moves over what `step` accepts and gives that text. */
static bool take(struct parser *p, bool (*step)(struct parser *p), char **ret)
{
	struct span start = reader_rest(&p->in);

	if (!step(p))
		return false;
	*ret = xstrndup(start.ptr, start.len - reader_rest(&p->in).len);
	return true;
}

static bool host_fits(const char *host)
{
	CLEANUP_STR struct str encoded = { 0 };

	for (const char *at = host; *at; at++)
		str_add(&encoded, *at == ':' ? ENCODED_COLON : "x");
	return encoded.len <= NAME_BYTES_MAX;
}

static bool parse(struct parser *p, struct remote_name *name)
{
	if (!take(p, parse_host, &name->host))
		return false;
	if (!host_fits(name->host))
		return fail_at(p, p->total, "the host is too long");
	if (!accept(p, '/'))
		return fail(p, "expected '/' and a namespace");
	if (!take(p, parse_repository, &name->repository))
		return false;
	if (reader_peek(&p->in) < 0) {
		name->reference = xstrdup(NAME_DEFAULT_TAG);
		return true;
	}
	if (accept(p, ':')) {
		if (!take(p, parse_tag, &name->reference))
			return false;
	} else if (accept(p, '@')) {
		name->by_digest = true;
		if (!take(p, parse_digest, &name->reference))
			return false;
	}
	if (reader_peek(&p->in) >= 0)
		return fail(p, "unexpected text");
	return true;
}

bool remote_name_parse(struct span text, struct remote_name *ret, struct err *err)
{
	struct parser p = { .in = reader_of(text), .total = text.len, .err = err };
	CLEANUP(remote_name_done) struct remote_name name = { 0 };

	if (!parse(&p, &name))
		return false;
	*ret = name;
	name = (struct remote_name){ 0 };
	return true;
}

void remote_name_done(struct remote_name *name)
{
	free(name->host);
	free(name->repository);
	free(name->reference);
	*name = (struct remote_name){ 0 };
}

void remote_name_print(const struct remote_name *name, struct str *out)
{
	str_addf(out, "%s/%s%c%s", name->host, name->repository, name->by_digest ? '@' : ':',
		 name->reference);
}

int remote_name_compare(const struct remote_name *a, const struct remote_name *b)
{
	int order = strcmp(a->host, b->host);

	if (order == 0)
		order = strcmp(a->repository, b->repository);
	if (order == 0)
		order = a->by_digest - b->by_digest;
	return order != 0 ? order : strcmp(a->reference, b->reference);
}

bool name_is_remote(const char *text)
{
	CLEANUP(remote_name_done) struct remote_name name = { 0 };
	struct err ignored;

	return remote_name_parse(span_of(text), &name, &ignored);
}

/* Names are printed to terminals and put into JSON. */
static const char *character_problem(struct span text)
{
	while (text.len > 0) {
		uint32_t code;
		size_t n = utf8_decode(text, &code);

		if (n == 0)
			return "is not UTF-8";
		if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			return "contains a control character";
		text = span_from(text, n);
	}
	return NULL;
}

const char *name_local_problem(const char *text)
{
	struct span name = span_of(text);

	if (name.len == 0)
		return "is empty";
	if (span_is(name, ".") || span_is(name, ".."))
		return "means a directory";
	if (name.len > NAME_BYTES_MAX)
		return "is longer than 255 bytes";
	if (name_has_slash(text))
		return "contains a '/'";
	if (span_starts_with(name, TEMP_PREFIX))
		return "starts with '" TEMP_PREFIX "', which marks temporary entries";
	return character_problem(name);
}

void name_encode_host(const char *host, struct str *out)
{
	for (; *host; host++) {
		if (*host == ':')
			str_add(out, ENCODED_COLON);
		else
			str_add_char(out, *host);
	}
}

void remote_name_path(const struct remote_name *name, struct name_path *ret)
{
	struct name_path path = { 0 };
	struct span rest = span_of(name->repository);
	struct str host = { 0 };
	struct span component;

	name_encode_host(name->host, &host);
	*vec_push(&path.parts) = str_take(&host);
	while (span_next(&rest, '/', &component))
		*vec_push(&path.parts) = xstrndup(component.ptr, component.len);
	*vec_push(&path.parts) = xstrdup(name->reference);
	*ret = path;
}

void name_path_done(struct name_path *path)
{
	vec_each(&path->parts, part)
		free(*part);
	vec_done(&path->parts);
}

void name_decode_host(const char *component, struct str *out)
{
	struct span rest = span_of(component);

	while (rest.len > 0) {
		bool colon = span_starts_with(rest, ENCODED_COLON);

		str_add_span(out, colon ? span_of(":") : span_first(rest, 1));
		rest = span_from(rest, colon ? strlen(ENCODED_COLON) : 1);
	}
}
