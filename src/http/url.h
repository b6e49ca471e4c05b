/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of HTTP servers: taking them apart, comparing origins, resolving references (RFC 3986), adding to a query.
 * Pure; texts are from servers and not trusted.
 */
#ifndef TART_HTTP_URL_H
#define TART_HTTP_URL_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"

#define URL_BYTES_MAX 8192

struct url {
	bool is_tls; /* https rather than http; there is nothing else */
	char *host;  /* lower case, brackets of an IPv6 address included */
	uint16_t port;
	char *target; /* path and query, at least "/"; no fragment */
};

/* Absolute, at most URL_BYTES_MAX, no user name or password, no control characters or blanks. Errors show neither
 * passwords nor queries. */
bool url_parse(struct span text, struct url *ret, struct err *err);
void url_done(struct url *url); /* fits CLEANUP() */

/* Scheme, host and port are equal. */
bool url_same_origin(const struct url *a, const struct url *b);

void url_print(const struct url *url, struct str *out);
void url_print_peer(const struct url *url,
		    struct str *out); /* host, and port unless it is the scheme's own */

/* What `reference` (absolute or relative) means on a page at `base`, which is absolute. Appends to *out. */
bool url_resolve(const char *base, struct span reference, struct str *out, struct err *err);

/* Appends key=value to the query of an URL, percent-encoded, behind what it has. */
void url_add_query(struct str *url, const char *key, struct span value);

/* Percent-encodes all but unreserved characters. */
void url_add_encoded(struct str *out, struct span text);

#endif
