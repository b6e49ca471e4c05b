/* SPDX-License-Identifier: Apache-2.0 */
/* NBD URLs. */
#include "machine/nbd_url.h"

#include <stdlib.h>

#include "base/number.h"
#include "base/str.h"

static const struct scheme {
	const char *prefix;
	bool tls, is_unix;
} schemes[] = {
	{ "nbd://", false, false },
	{ "nbds://", true, false },
	{ "nbd+unix://", false, true },
	{ "nbds+unix://", true, true },
};

static const struct scheme *find_scheme(struct span text)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (span_starts_with(text, schemes[i].prefix))
			return &schemes[i];
	return NULL;
}

bool nbd_url_has_scheme(struct span text)
{
	return find_scheme(text) != NULL;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* False for a % without two hex digits and for control characters, NUL among them. */
static bool decode(struct span text, struct str *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '%') {
			int high = i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
			int low = high >= 0 ? hex_value(text.ptr[i + 2]) : -1;

			if (low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if ((unsigned char)c < ' ' || c == 0x7f)
			return false;
		str_add_char(out, c);
	}
	return true;
}

/* Decodes into *slot, replacing what was there. */
static bool decode_to(struct span text, char **slot)
{
	CLEANUP_STR struct str out = { 0 };

	if (!decode(text, &out))
		return false;
	free(*slot);
	*slot = str_take(&out);
	return true;
}

static bool parse_port(struct span text, struct nbd_target *nbd)
{
	uint64_t port = 0;

	if (!number_parse_u64(text, 65535, &port) || port == 0)
		return false;
	free(nbd->port);
	nbd->port = xasprintf("%u", (unsigned int)port);
	return true;
}

/* HOST[:PORT] or [IPv6][:PORT]. */
static bool parse_authority(struct span text, struct nbd_target *nbd)
{
	struct span host = text;
	struct span rest;
	size_t end;

	if (text.len > 0 && text.ptr[0] == '[') {
		end = span_find(text, ']');
		if (end == text.len)
			return false;
		host = span_make(text.ptr + 1, end - 1);
		rest = span_from(text, end + 1);
	} else {
		end = span_find(text, ':');
		host = span_first(text, end);
		rest = span_from(text, end);
	}
	if (host.len == 0 || !decode_to(host, &nbd->host))
		return false;
	if (rest.len == 0) {
		nbd->port = xstrdup(NBD_PORT);
		return true;
	}
	return rest.ptr[0] == ':' && parse_port(span_from(rest, 1), nbd);
}

static bool parse_query_item(struct span item, const struct scheme *scheme, struct nbd_target *nbd)
{
	size_t equals = span_find(item, '=');
	struct span key = span_first(item, equals);
	struct span value;

	if (equals == item.len || equals + 1 == item.len)
		return false;
	value = span_from(item, equals + 1);
	if (scheme->is_unix && span_is(key, "socket"))
		return decode_to(value, &nbd->unix_path);
	if (scheme->tls && span_is(key, "tls-certificates"))
		return decode_to(value, &nbd->tls_dir);
	if (scheme->tls && span_is(key, "tls-hostname"))
		return decode_to(value, &nbd->tls_hostname);
	return false;
}

static bool parse_query(struct span query, const struct scheme *scheme, struct nbd_target *nbd)
{
	struct span item;

	while (span_next(&query, '&', &item))
		if (!parse_query_item(item, scheme, nbd))
			return false;
	return true;
}

static bool parse_parts(struct span text, const struct scheme *scheme, struct nbd_target *nbd)
{
	size_t question = span_find(text, '?');
	struct span before = span_first(text, question);
	size_t slash = span_find(before, '/');
	struct span authority = span_first(before, slash);
	struct span export_name = slash < before.len ? span_from(before, slash + 1) : span_of("");

	if (scheme->is_unix ? authority.len > 0 : !parse_authority(authority, nbd))
		return false;
	if (!decode_to(export_name, &nbd->export_name))
		return false;
	if (question < text.len && !parse_query(span_from(text, question + 1), scheme, nbd))
		return false;
	return !scheme->is_unix || nbd->unix_path;
}

bool nbd_url_parse(struct span text, struct nbd_target *ret, struct err *err)
{
	const struct scheme *scheme = find_scheme(text);
	struct nbd_target nbd = { 0 };

	if (!scheme || !parse_parts(span_from(text, strlen(scheme->prefix)), scheme, &nbd)) {
		nbd_target_done(&nbd);
		return err_set(err, ERR_GENERAL, "'%.*s' is not a valid NBD URL", SPAN_ARG(text));
	}
	nbd.tls = scheme->tls;
	if (nbd.tls && !nbd.tls_dir)
		nbd.tls_dir = xstrdup(NBD_TLS_DIR);
	*ret = nbd;
	return true;
}
