/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of http/http.h share: a client, requests in one line, errors in one check. */
#ifndef TART_TESTS_HTTP_CLIENT_H
#define TART_TESTS_HTTP_CLIENT_H

#include <string.h>

#include "base/mem.h"
#include "http/http.h"
#include "http/server.h"
#include "unit.h"

#define CLIENT_READ_MAX ((size_t)64 * 1024 * 1024)

/* An environment that has a proxy would send loopback's requests there. */
static inline void client_forget_proxies(void)
{
	(void)unsetenv("http_proxy");
	(void)unsetenv("https_proxy");
	(void)unsetenv("HTTPS_PROXY");
	(void)unsetenv("all_proxy");
	(void)unsetenv("ALL_PROXY");
}

static inline struct http *client_new(uint64_t idle_ms)
{
	const struct http_options options = { .user_agent = "Tart/test", .idle_ms = idle_ms };
	struct http *http = NULL;
	struct err err = { 0 };

	client_forget_proxies();
	check(http_new(&options, &http, &err), "http_new: %s", err.text);
	return http;
}

static inline char *client_url(const struct server *server, const char *path)
{
	return xasprintf("%s%s", server_origin(server), path);
}

/* GET without anything; NULL and *err. */
static inline struct http_exchange *client_start(struct http *http, enum http_method method,
						 const struct server *server, const char *path,
						 struct err *err)
{
	CLEANUP_FREE char *url = client_url(server, path);
	const struct http_request request = { .method = method, .url = url, .body = HTTP_NO_BODY };
	struct http_exchange *exchange = NULL;

	return http_start(http, &request, &exchange, err) ? exchange : NULL;
}

static inline struct http_exchange *client_get(struct http *http, const struct server *server,
					       const char *path)
{
	struct err err = { 0 };
	struct http_exchange *exchange = client_start(http, HTTP_GET, server, path, &err);

	check(exchange != NULL, "GET %s: %s", path, err.text);
	return exchange;
}

/* Status of a whole exchange; fails the test on errors. */
static inline int client_do(struct http *http, enum http_method method, const struct server *server,
			    const char *path)
{
	struct err err = { 0 };
	CLEANUP_EXCHANGE struct http_exchange *exchange = client_start(http, method, server, path,
								       &err);
	CLEANUP_STR struct str body = { 0 };

	check(exchange != NULL, "%s: %s", path, err.text);
	check(http_read_all(exchange, CLIENT_READ_MAX, &body, &err), "%s: %s", path, err.text);
	return http_status(exchange);
}

/* The error of a GET, at its start or while reading. Fails the test when there is none. */
static inline void client_fail(struct http *http, const struct server *server, const char *path,
			       struct err *ret)
{
	CLEANUP_EXCHANGE struct http_exchange *exchange = client_start(http, HTTP_GET, server, path,
								       ret);
	CLEANUP_STR struct str body = { 0 };

	if (exchange)
		check(!http_read_all(exchange, CLIENT_READ_MAX, &body, ret),
		      "%s: no error, %zu bytes", path, body.len);
}

#endif
