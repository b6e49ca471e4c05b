/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and their answers, redirects followed. */
#include "http/http.h"

#include "base/cancel.h"
#include "base/mem.h"
#include "http/easy.h"
#include "http/network.h"
#include "http/url.h"

#define READ_BYTES 16384

struct http {
	struct easy_settings settings;
	struct network *network;
	uint64_t total_ms; /* 0 = no limit */
};

struct http_exchange {
	struct easy *easy;
	struct waker waker;
	char *url;
};

static char *environment_dup(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? xstrdup(value) : NULL;
}

static bool is_header_value(const char *value)
{
	for (const char *c = value; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return false;
	return true;
}

/* RFC 9110, 5.6.2: tokens. */
static bool is_header_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c == 0x7f || strchr("\"(),/:;<=>?@[\\]{}", *c))
			return false;
	return *name != '\0';
}

static bool check_header(const char *name, const char *value, struct err *err)
{
	if (!is_header_name(name) || !is_header_value(value))
		return err_set(err, ERR_GENERAL, "header '%s' would have control characters",
			       is_header_name(name) ? name : "?");
	return true;
}

/* Some of them come from servers. */
static bool check_headers(const struct http_request *request, struct err *err)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (!check_header(request->headers[i].name, request->headers[i].value, err))
			return false;
	return !request->authorization ||
	       check_header("authorization", request->authorization, err);
}

bool http_new(const struct http_options *options, struct http **ret, struct err *err)
{
	CLEANUP_HTTP struct http *http = xcalloc(1, sizeof(*http));
	const char *agent = options->user_agent;

	if (agent && !check_header("user-agent", agent, err))
		return false;
	http->settings.user_agent = agent ? xstrdup(agent) : NULL;
	http->total_ms = options->total_ms;
	http->settings.ca_file = environment_dup("SSL_CERT_FILE");
	http->settings.ca_dir = environment_dup("SSL_CERT_DIR");
	if (!network_new(options->idle_ms ? options->idle_ms : HTTP_IDLE_MS, &http->network, err))
		return false;
	*ret = TAKE_PTR(http);
	return true;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	network_free(http->network);
	free(http->settings.user_agent);
	free(http->settings.ca_file);
	free(http->settings.ca_dir);
	free(http);
}

bool http_is_cancelled(struct http *http)
{
	return network_is_cancelled(http->network);
}

void http_cancel(struct http *http)
{
	network_cancel(http->network);
}

/* A request on its way from server to server. */
struct journey {
	struct url url;
	const char *authorization; /* NULL = none, or none any more */
	uint64_t end_ms;
};

static void journey_done(struct journey *journey)
{
	url_done(&journey->url);
}

/* One request to one server, up to the head of its answer. */
static bool ask(struct http *http, const struct http_request *request,
		const struct journey *journey, struct http_exchange **ret, struct err *err)
{
	CLEANUP_EXCHANGE struct http_exchange *exchange = xcalloc(1, sizeof(*exchange));
	CLEANUP_STR struct str text = { 0 };

	url_print(&journey->url, &text);
	exchange->url = str_take(&text);
	exchange->waker = (struct waker){ .wake = network_wake, .ctx = http->network };
	if (!cancel_check(err) || !easy_new(&http->settings, request, &journey->url,
					    journey->authorization, &exchange->easy, err))
		return false;
	exchange->easy->end_ms = journey->end_ms;
	network_add(http->network, exchange->easy);
	if (!transfer_wait_head(&exchange->easy->transfer, err))
		return false;
	*ret = TAKE_PTR(exchange);
	return true;
}

/* Where to go on; NULL when the answer is one. */
static const char *redirect_of(const struct http_request *request,
			       const struct http_exchange *exchange)
{
	int status = http_status(exchange);

	if (request->method != HTTP_GET && request->method != HTTP_HEAD)
		return NULL;
	if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
		return NULL;
	return http_header(exchange, "location", 0);
}

static bool resolve(const struct http_exchange *exchange, const char *location, struct url *ret,
		    struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	if (!url_resolve(exchange->url, span_of(location), &text, err) ||
	    !url_parse(str_span(&text), ret, err))
		return err_context(err, "redirect by %s", exchange->easy->peer);
	return true;
}

/* An origin that was left gets no authorization either when a later redirect leads back to it. */
static bool follow(const struct http_exchange *exchange, const char *location,
		   struct journey *journey, struct err *err)
{
	CLEANUP(url_done) struct url next = { 0 };

	if (!resolve(exchange, location, &next, err))
		return false;
	if (journey->url.is_tls && !next.is_tls)
		return err_set(err, ERR_GENERAL, "%s redirects from https to http (%s)",
			       exchange->easy->peer, next.host);
	if (!url_same_origin(&journey->url, &next))
		journey->authorization = NULL;
	url_done(&journey->url);
	journey->url = next;
	next = (struct url){ 0 };
	return true;
}

bool http_start(struct http *http, const struct http_request *request, struct http_exchange **ret,
		struct err *err)
{
	CLEANUP(journey_done) struct journey journey = { .authorization = request->authorization };

	if (!check_headers(request, err) || !url_parse(span_of(request->url), &journey.url, err))
		return false;
	if (http->total_ms != 0)
		journey.end_ms = network_now_ms() + http->total_ms;
	for (int redirects = 0;; redirects++) {
		CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
		const char *location;

		if (!ask(http, request, &journey, &exchange, err))
			return false;
		location = redirect_of(request, exchange);
		if (!location) {
			*ret = TAKE_PTR(exchange);
			return true;
		}
		if (redirects == HTTP_REDIRECT_MAX)
			return err_set(err, ERR_GENERAL, "%s: more than %d redirects",
				       exchange->easy->peer, HTTP_REDIRECT_MAX);
		if (!follow(exchange, location, &journey, err))
			return false;
	}
}

void http_end(struct http_exchange *exchange)
{
	if (!exchange)
		return;
	if (exchange->easy) {
		transfer_give_up(&exchange->easy->transfer, &exchange->waker);
		easy_free(exchange->easy);
	}
	free(exchange->url);
	free(exchange);
}

int http_status(const struct http_exchange *exchange)
{
	return exchange->easy->transfer.head.status;
}

const char *http_header(const struct http_exchange *exchange, const char *name, size_t nth)
{
	return head_find(&exchange->easy->transfer.head, name, nth);
}

const char *http_url(const struct http_exchange *exchange)
{
	return exchange->url;
}

bool http_read(struct http_exchange *exchange, void *buf, size_t room, size_t *ret_len,
	       struct err *err)
{
	return transfer_read(&exchange->easy->transfer, &exchange->waker, buf, room, ret_len, err);
}

bool http_read_all(struct http_exchange *exchange, size_t max, struct str *out, struct err *err)
{
	char buf[READ_BYTES];
	size_t total = 0;
	size_t len;

	do {
		if (!http_read(exchange, buf, sizeof(buf), &len, err))
			return false;
		if (len > max - total)
			return err_set(err, ERR_GENERAL, "%s: the answer is longer than %zu bytes",
				       exchange->easy->peer, max);
		str_add_span(out, span_make(buf, len));
		total += len;
	} while (len > 0);
	return true;
}
