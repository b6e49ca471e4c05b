/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests that block their caller, carried out by one thread over one pool of connections.
 *
 * Any number of threads may have an exchange of their own at the same time. The bytes of an answer stand in a buffer of
 * bounded size (HTTP_BUFFER_BYTES) between the network thread and the reader: a reader that is slow slows the server
 * down, it does not make memory grow. HTTP/2 where the server offers it over TLS. Cookies are never sent. Proxies come
 * from the usual environment variables; certificates are always checked, with the system's authorities or those of
 * $SSL_CERT_FILE and $SSL_CERT_DIR.
 *
 * Redirects (of GET and HEAD, 10 at most) are followed here: `authorization` goes to the origin of the request only, a
 * Range header stays, https never leads to http.
 *
 * Errors. ERR_TRANSPORT: no connection, broken, idle or at it for too long, an answer shorter than announced. ERR_CANCELLED:
 * cancellation (base/cancel.h) or http_cancel(). ERR_GENERAL: another try will not help (certificate, unknown host
 * name, redirect loop, malformed address). A status of 400 and more is no error here.
 */
#ifndef TART_HTTP_HTTP_H
#define TART_HTTP_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"

#define HTTP_BUFFER_BYTES ((size_t)512 * 1024) /* between network and reader, for each exchange */
#define HTTP_IDLE_MS      60000
#define HTTP_REDIRECT_MAX 10
#define HTTP_HEADERS_MAX  ((size_t)64 * 1024) /* bytes of all headers of an answer */

struct http;

struct http_options {
	const char *user_agent;
	uint64_t idle_ms;  /* without a byte in either direction; 0 = HTTP_IDLE_MS */
	uint64_t total_ms; /* of a whole exchange, redirects and body included; 0 = no limit */
};

bool http_new(const struct http_options *options, struct http **ret, struct err *err);
void http_free(struct http *http); /* every exchange has ended before. Accepts NULL */
static inline void http_cleanup(struct http **slot)
{
	http_free(*slot);
}
#define CLEANUP_HTTP CLEANUP(http_cleanup)

/* All exchanges, now and later, fail with ERR_CANCELLED. From any thread. */
void http_cancel(struct http *http);

/* For waits between requests, which must end then, too. From any thread. */
bool http_is_cancelled(struct http *http);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

struct http_header {
	const char *name;
	const char *value;
};

/* What is sent: bytes, or a piece of a file that nobody changes meanwhile. The length is announced. */
struct http_body {
	struct span bytes;
	int fd; /* -1: bytes */
	uint64_t fd_offset;
	uint64_t fd_len;
};
#define HTTP_NO_BODY      \
	{                 \
		.fd = -1, \
	}

struct http_request {
	enum http_method method;
	const char *url;
	const struct http_header *headers;
	size_t n_headers;
	const char *authorization; /* value of that header, NULL = none */
	struct http_body body;     /* POST, PUT, PATCH: always with Content-Length, 0 too */
	/* What was sent into a connection that had been kept open, and was closed, is sent again over another, unless this says
	 * that the server must not see it twice: then it is ERR_TRANSPORT. */
	bool is_once;
	/* Called by the network thread with the bytes of the body that have been handed to the connection since the last
	 * call. May be NULL. */
	void (*sent)(void *ctx, uint64_t bytes);
	void *ctx;
};

struct http_exchange;

/* Sends the request and waits for the answer's headers. *request is borrowed for this call; what its body, `sent` and
 * `ctx` refer to, until the exchange ends. */
bool http_start(struct http *http, const struct http_request *request, struct http_exchange **ret,
		struct err *err);

/* Gives up what has not been read. Accepts NULL. */
void http_end(struct http_exchange *exchange);
static inline void http_exchange_cleanup(struct http_exchange **slot)
{
	http_end(*slot);
}
#define CLEANUP_EXCHANGE CLEANUP(http_exchange_cleanup)

int http_status(const struct http_exchange *exchange);

/* The nth header of this name (any case), blanks at both ends removed; NULL when there is none. */
const char *http_header(const struct http_exchange *exchange, const char *name, size_t nth);

/* Where the answer came from in the end, redirects followed. */
const char *http_url(const struct http_exchange *exchange);

/* The next bytes of the answer's body; *ret_len = 0 at its end. */
bool http_read(struct http_exchange *exchange, void *buf, size_t room, size_t *ret_len,
	       struct err *err);

/* The whole body, appended to *out; more than `max` bytes are an error. */
bool http_read_all(struct http_exchange *exchange, size_t max, struct str *out, struct err *err);

#endif
