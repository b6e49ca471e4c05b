/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of HTTP servers. */
#include "http/url.h"

#include <arpa/inet.h>

#include "base/mem.h"
#include "base/number.h"

#define HOST_BYTES_MAX 253 /* of a name in the DNS, without its last dot */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_unreserved(char c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static char lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

static void add_percent(struct str *out, char c)
{
	str_addf(out, "%%%02X", (unsigned int)(unsigned char)c);
}

void url_add_encoded(struct str *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_unreserved(text.ptr[i]))
			str_add_char(out, text.ptr[i]);
		else
			add_percent(out, text.ptr[i]);
	}
}

static uint16_t default_port(bool is_tls)
{
	return is_tls ? 443 : 80;
}

static bool has_blank_or_control(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return true;
	return false;
}

/* Any case; moves *text behind the scheme and "://". */
static bool take_scheme(struct span *text, bool *ret_is_tls)
{
	size_t colon = span_find(*text, ':');
	char scheme[8] = { 0 };

	if (colon >= sizeof(scheme) || !span_starts_with(span_from(*text, colon), "://"))
		return false;
	for (size_t i = 0; i < colon; i++)
		scheme[i] = lower(text->ptr[i]);
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		return false;
	*ret_is_tls = strcmp(scheme, "https") == 0;
	*text = span_from(*text, colon + 3);
	return true;
}

/* Between the brackets. */
static bool is_ipv6(struct span text)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1;
}

static bool is_host_name(struct span text)
{
	if (text.len == 0 || text.len > HOST_BYTES_MAX || text.ptr[0] == '.' || text.ptr[0] == '-')
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!is_unreserved(text.ptr[i]) || text.ptr[i] == '~')
			return false;
	return true;
}

/* Cuts the host off the front of *authority; what is left is "" or begins with a colon, if all is well. */
static bool take_host(struct span *authority, struct span *ret)
{
	size_t end = span_find(*authority, ':');

	if (authority->len > 0 && authority->ptr[0] == '[') {
		end = span_find(*authority, ']');
		if (end == authority->len || !is_ipv6(span_make(authority->ptr + 1, end - 1)))
			return false;
		end++;
	} else if (!is_host_name(span_first(*authority, end))) {
		return false;
	}
	*ret = span_first(*authority, end);
	*authority = span_from(*authority, end);
	return true;
}

/* "", ":" and ":PORT" (RFC 3986, 3.2.3). */
static bool parse_port(struct span text, bool is_tls, uint16_t *ret)
{
	uint64_t port = default_port(is_tls);

	if (text.len > 0 && text.ptr[0] != ':')
		return false;
	if (text.len > 1 && (!number_parse_u64(span_from(text, 1), UINT16_MAX, &port) || port == 0))
		return false;
	*ret = (uint16_t)port;
	return true;
}

static size_t find_authority_end(struct span text)
{
	size_t i = 0;

	while (i < text.len && text.ptr[i] != '/' && text.ptr[i] != '?' && text.ptr[i] != '#')
		i++;
	return i;
}

/* Path and query without fragment; what a URL cannot have in ASCII is encoded. */
static char *make_target(struct span rest)
{
	CLEANUP_STR struct str out = { 0 };
	size_t end = span_find(rest, '#');

	if (end == 0 || rest.ptr[0] != '/')
		str_add_char(&out, '/');
	for (size_t i = 0; i < end; i++) {
		if ((unsigned char)rest.ptr[i] >= 0x80)
			add_percent(&out, rest.ptr[i]);
		else
			str_add_char(&out, rest.ptr[i]);
	}
	return str_take(&out);
}

static char *dup_lower(struct span text)
{
	char *copy = xstrndup(text.ptr, text.len);

	for (char *c = copy; *c; c++)
		*c = lower(*c);
	return copy;
}

/* For errors: no query, which may be a signature, and nothing when a password could be in it. */
static void refuse_(struct span text, const char *why, struct err *err)
{
	CLEANUP_STR struct str shown = { 0 };
	size_t end = 0;

	while (end < text.len && end < 200 && text.ptr[end] != '?' && text.ptr[end] != '#')
		end++;
	if (span_find(text, '@') < text.len) {
		(void)err_set(err, ERR_GENERAL, "malformed address: %s", why);
		return;
	}
	str_add_escaped(&shown, span_first(text, end));
	(void)err_set(err, ERR_GENERAL, "malformed address '%s': %s", str_text(&shown), why);
}

/* The constant shows analysers that the path has failed. */
#define refuse(text, why, err) (refuse_((text), (why), (err)), false)

bool url_parse(struct span text, struct url *ret, struct err *err)
{
	CLEANUP(url_done) struct url url = { 0 };
	struct span rest = text;
	struct span authority;
	struct span host;
	size_t end;

	if (text.len > URL_BYTES_MAX)
		return refuse(text, "it is too long", err);
	if (has_blank_or_control(text))
		return refuse(text, "it has blanks or control characters", err);
	if (!take_scheme(&rest, &url.is_tls))
		return refuse(text, "it does not begin with https:// or http://", err);
	end = find_authority_end(rest);
	authority = span_first(rest, end);
	rest = span_from(rest, end);
	if (span_find(authority, '@') < authority.len)
		return refuse(text, "it has a user name", err);
	if (!take_host(&authority, &host))
		return refuse(text, "no valid host name", err);
	if (!parse_port(authority, url.is_tls, &url.port))
		return refuse(text, "no valid port", err);
	url.target = make_target(rest);
	/* Encoding may have tripled it; what is printed has to be readable again. */
	if (strlen(url.target) + sizeof("https://:65535") + host.len > URL_BYTES_MAX)
		return refuse(text, "it is too long", err);
	url.host = dup_lower(host);
	*ret = url;
	url = (struct url){ 0 };
	return true;
}

void url_done(struct url *url)
{
	free(url->host);
	free(url->target);
	*url = (struct url){ 0 };
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->is_tls == b->is_tls && a->port == b->port && strcmp(a->host, b->host) == 0;
}

void url_print_peer(const struct url *url, struct str *out)
{
	str_add(out, url->host);
	if (url->port != default_port(url->is_tls))
		str_addf(out, ":%u", (unsigned int)url->port);
}

static void print_origin(const struct url *url, struct str *out)
{
	str_add(out, url->is_tls ? "https://" : "http://");
	url_print_peer(url, out);
}

void url_print(const struct url *url, struct str *out)
{
	print_origin(url, out);
	str_add(out, url->target);
}

/* A scheme before the first slash or question mark: RFC 3986, 4.1. */
static bool is_absolute(struct span reference)
{
	size_t i = 0;

	if (reference.len == 0 || !is_letter(reference.ptr[0]))
		return false;
	while (i < reference.len && (is_letter(reference.ptr[i]) || is_digit(reference.ptr[i]) ||
				     strchr("+-.", reference.ptr[i])))
		i++;
	return i < reference.len && reference.ptr[i] == ':';
}

/* RFC 3986, 5.2.2 up to the dots, for a reference without scheme and fragment. */
static void merge(const struct url *base, struct span reference, struct str *out)
{
	struct span target = span_of(base->target);
	struct span path = span_first(target, span_find(target, '?'));

	if (span_starts_with(reference, "//")) {
		str_add(out, base->is_tls ? "https:" : "http:");
	} else {
		print_origin(base, out);
		if (reference.len == 0)
			str_add_span(out, target);
		else if (reference.ptr[0] == '?')
			str_add_span(out, path);
		else if (reference.ptr[0] != '/')
			str_add_span(out, span_first(path, span_rfind(path, '/') + 1));
	}
	str_add_span(out, reference);
}

/* RFC 3986, 5.2.4. */
static void add_without_dots(struct str *out, struct span path)
{
	struct span rest = span_from(path, 1);
	struct span segment;

	while (span_next(&rest, '/', &segment)) {
		bool is_up = span_is(segment, "..");

		if (!is_up && !span_is(segment, ".")) {
			str_add_char(out, '/');
			str_add_span(out, segment);
			continue;
		}
		if (is_up)
			str_truncate(out, span_rfind(str_span(out), '/'));
		if (!rest.ptr)
			str_add_char(out, '/');
	}
}

static void remove_dots(struct url *url)
{
	CLEANUP_STR struct str clean = { 0 };
	struct span target = span_of(url->target);
	size_t path_len = span_find(target, '?');

	add_without_dots(&clean, span_first(target, path_len));
	str_add_span(&clean, span_from(target, path_len));
	free(url->target);
	url->target = str_take(&clean);
}

bool url_resolve(const char *base, struct span reference, struct str *out, struct err *err)
{
	CLEANUP(url_done) struct url from = { 0 };
	CLEANUP(url_done) struct url url = { 0 };
	CLEANUP_STR struct str text = { 0 };

	if (reference.len > URL_BYTES_MAX)
		return refuse(reference, "it is too long", err);
	if (!url_parse(span_of(base), &from, err))
		return false;
	reference = span_first(reference, span_find(reference, '#'));
	if (is_absolute(reference))
		str_add_span(&text, reference);
	else
		merge(&from, reference, &text);
	if (!url_parse(str_span(&text), &url, err))
		return false;
	remove_dots(&url);
	url_print(&url, out);
	return true;
}

void url_add_query(struct str *url, const char *key, struct span value)
{
	struct span text = str_span(url);
	size_t question;
	bool has_parameters;

	str_truncate(url, span_find(text, '#'));
	text = str_span(url);
	question = span_find(text, '?');
	has_parameters = question + 1 < text.len;
	if (question == text.len)
		str_add_char(url, '?');
	else if (has_parameters && !span_ends_with(text, "&"))
		str_add_char(url, '&');
	url_add_encoded(url, span_of(key));
	str_add_char(url, '=');
	url_add_encoded(url, value);
}
