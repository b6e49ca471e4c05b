/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/http.h: what is sent, what comes back, and how it fails. */
#include "http/http.h"

#include <ctype.h>

#include "base/sock.h"
#include "http/client.h"

static void gets_an_answer(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = "GET /v2/?a=b",
		  .head = "HTTP/1.1 200 OK\r\nX-One:  first \r\nx-one: second\r\nX-Empty:\r\n",
		  .body = "hello" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_EXCHANGE struct http_exchange *exchange = client_get(http, server, "/v2/?a=b");
	CLEANUP_FREE char *url = client_url(server, "/v2/?a=b");
	CLEANUP_STR struct str body = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(http_status(exchange), 200);
	assert_string_equal(http_header(exchange, "x-ONE", 0), "first");
	assert_string_equal(http_header(exchange, "x-one", 1), "second");
	assert_null(http_header(exchange, "x-one", 2));
	assert_string_equal(http_header(exchange, "x-empty", 0), "");
	assert_null(http_header(exchange, "x-none", 0));
	assert_string_equal(http_url(exchange), url);
	assert_true(http_read_all(exchange, 5, &body, &err));
	assert_string_equal(str_text(&body), "hello");
}

/* Names of the headers of a request, lower case, in the order in which they came. */
static char *header_names_dup(const struct server_request *request)
{
	CLEANUP_STR struct str names = { 0 };
	const char *line = request->head;

	while (*line) {
		size_t end = strcspn(line, ":");

		for (size_t i = 0; i < end; i++)
			str_add_char(&names, (char)tolower((unsigned char)line[i]));
		str_add_char(&names, ' ');
		line = strchr(line, '\n') + 1;
	}
	return str_take(&names);
}

/* No cookies, no encodings, no expectations, nothing that nobody asked for. */
static void sends_what_it_was_told(void **state)
{
	static const struct server_answer answers[] = {
		{ .head = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\n", .body = "" },
	};
	static const struct http_header headers[] = {
		{ "Range", "bytes=5-" },
		{ "X-Empty", "" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_FREE char *url = client_url(server, "/x");

	(void)state;
	for (enum http_method method = HTTP_GET; method <= HTTP_DELETE; method++) {
		static const char *const lines[] = { "GET /x", "HEAD /x",  "POST /x",
						     "PUT /x", "PATCH /x", "DELETE /x" };
		const bool has_body = method >= HTTP_POST && method <= HTTP_PATCH;
		const struct http_request request = {
			.method = method,
			.url = url,
			.headers = headers,
			.n_headers = ARRAY_LEN(headers),
			.authorization = "Bearer token",
			.body = HTTP_NO_BODY,
		};
		CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
		const struct server_request *got;
		struct err err = { 0 };

		check(http_start(http, &request, &exchange, &err), "%s: %s", lines[method],
		      err.text);
		got = server_request(server, (size_t)method);
		CLEANUP_FREE char *names = header_names_dup(got);
		CLEANUP_FREE char *agent = server_header_dup(got, "user-agent");
		CLEANUP_FREE char *range = server_header_dup(got, "range");
		CLEANUP_FREE char *empty = server_header_dup(got, "x-empty");
		CLEANUP_FREE char *authorization = server_header_dup(got, "authorization");
		CLEANUP_FREE char *length = server_header_dup(got, "content-length");

		assert_string_equal(got->line, lines[method]);
		check(strcmp(names,
			     has_body ? "host user-agent accept range x-empty authorization "
					"content-length " :
					"host user-agent accept range x-empty authorization ") == 0,
		      "%s: got %s", lines[method], names);
		assert_string_equal(agent, "Tart/test");
		assert_string_equal(range, "bytes=5-");
		assert_string_equal(empty, "");
		assert_string_equal(authorization, "Bearer token");
		assert_string_equal(length ? length : "none", has_body ? "0" : "none");
	}
}

static const struct {
	const char *name;
	struct server_answer answer;
	int status;
	const char *body;
} good_rows[] = {
	{ "Content-Length", { .head = "HTTP/1.1 200 OK\r\n", .body = "body" }, 200, "body" },
	{ "empty", { .head = "HTTP/1.1 200 OK\r\n", .body = "" }, 200, "" },
	{ "HTTP/1.0 to its end",
	  { .head = "HTTP/1.0 200 OK\r\n",
	    .body = "body",
	    .has_length = true,
	    .end = SERVER_CLOSE },
	  200,
	  "body" },
	{ "HTTP/1.1 to its end",
	  { .head = "HTTP/1.1 200 OK\r\nConnection: close\r\n",
	    .body = "body",
	    .has_length = true,
	    .end = SERVER_CLOSE },
	  200,
	  "body" },
	{ "chunked",
	  { .head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
	    .body = "2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
	    .has_length = true },
	  200,
	  "body" },
	{ "chunked with trailer",
	  { .head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
	    .body = "4;extension\r\nbody\r\n0\r\nX-Sum: 1\r\n\r\n",
	    .has_length = true },
	  200,
	  "body" },
	{ "after interim answers",
	  { .head = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n"
		    "HTTP/1.1 201 Created\r\n",
	    .body = "body" },
	  201,
	  "body" },
	{ "no content", { .head = "HTTP/1.1 204 No Content\r\n", .has_length = true }, 204, "" },
	{ "not found", { .head = "HTTP/1.1 404 Not Found\r\n", .body = "body" }, 404, "body" },
	{ "broken server", { .head = "HTTP/1.1 503 Busy\r\n", .body = "body" }, 503, "body" },
	{ "encoded all the same",
	  { .head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", .body = "body" },
	  200,
	  "body" },
	{ "more than announced",
	  { .head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n",
	    .body = "bodyguard",
	    .has_length = true },
	  200,
	  "body" },
	{ "letter by letter",
	  { .head = "HTTP/1.1 200 OK\r\n", .body = "body", .slow_us = 1000 },
	  200,
	  "body" },
	{ "redirect to nowhere",
	  { .head = "HTTP/1.1 302 Found\r\n", .body = "body" },
	  302,
	  "body" },
	{ "not modified",
	  { .head = "HTTP/1.1 304 Not Modified\r\nLocation: /y\r\n", .has_length = true },
	  304,
	  "" },
};

static void reads_bodies(void **state)
{
	(void)state;
	each_row(good_rows, row) {
		CLEANUP_SERVER struct server *server = server_start(&row->answer, 1, NULL);
		CLEANUP_HTTP struct http *http = client_new(0);
		struct err err = { 0 };
		CLEANUP_EXCHANGE struct http_exchange *exchange = client_start(http, HTTP_GET,
									       server, "/x", &err);
		CLEANUP_STR struct str body = { 0 };
		size_t len = 1;

		check(exchange != NULL, "%s: %s", row->name, err.text);
		check(http_status(exchange) == row->status, "%s: got %d", row->name,
		      http_status(exchange));
		check(http_read_all(exchange, 100, &body, &err), "%s: %s", row->name, err.text);
		check(strcmp(str_text(&body), row->body) == 0, "%s: got '%s'", row->name,
		      str_text(&body));
		/* The end stays the end. */
		check(http_read(exchange, &len, sizeof(len), &len, &err) && len == 0, "%s",
		      row->name);
	}
}

static const struct {
	const char *name;
	struct server_answer answer;
	enum err_kind kind;
	const char *text; /* part of the error */
} bad_rows[] = {
	{ "closed at once", { .end = SERVER_CLOSE }, ERR_TRANSPORT, "closed the connection" },
	{ "reset at once", { .end = SERVER_RESET }, ERR_TRANSPORT, "127.0.0.1:" },
	{ "closed in the head",
	  { .head = "HTTP/1.1 200 OK\r\nContent-Length: 5",
	    .has_length = true,
	    .cut = 1,
	    .end = SERVER_CLOSE },
	  ERR_TRANSPORT,
	  "closed the connection" },
	{ "short body",
	  { .head = "HTTP/1.1 200 OK\r\n", .body = "body", .cut = 3, .end = SERVER_CLOSE },
	  ERR_TRANSPORT,
	  "closed the connection" },
	{ "reset in the body",
	  { .head = "HTTP/1.1 200 OK\r\n",
	    .body_bytes = 100000,
	    .cut = 50000,
	    .end = SERVER_RESET },
	  ERR_TRANSPORT,
	  "127.0.0.1:" },
	{ "chunks without end",
	  { .head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
	    .body = "4\r\nbody\r\n",
	    .has_length = true,
	    .end = SERVER_CLOSE },
	  ERR_TRANSPORT,
	  "closed the connection" },
	{ "chunk that is none",
	  { .head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
	    .body = "x\r\nbody\r\n",
	    .has_length = true,
	    .end = SERVER_CLOSE },
	  ERR_TRANSPORT,
	  "127.0.0.1:" },
	{ "no HTTP",
	  { .head = "SSH-2.0-OpenSSH_9.2\r\n", .has_length = true, .end = SERVER_CLOSE },
	  ERR_GENERAL,
	  "no valid HTTP from 127.0.0.1:" },
	{ "silence",
	  { .end = SERVER_HANG },
	  ERR_TRANSPORT,
	  "nothing received or sent for 0.3 seconds" },
	{ "silence in the body",
	  { .head = "HTTP/1.1 200 OK\r\n", .body = "body", .cut = 2, .end = SERVER_HANG },
	  ERR_TRANSPORT,
	  "nothing received or sent for 0.3 seconds" },
};

static void fails_in_words(void **state)
{
	(void)state;
	each_row(bad_rows, row) {
		CLEANUP_SERVER struct server *server = server_start(&row->answer, 1, NULL);
		CLEANUP_HTTP struct http *http = client_new(300);
		struct err err = { 0 };

		client_fail(http, server, "/x?secret", &err);
		check(err.kind == row->kind && strstr(err.text, row->text), "%s: kind %d, %s",
		      row->name, (int)err.kind, err.text);
		check(!strstr(err.text, "secret") && !strchr(err.text, '\n'), "%s: %s", row->name,
		      err.text);
	}
}

/* What came before the connection broke is there to be used. */
static void gives_bytes_before_the_error(void **state)
{
	static const struct server_answer answer = {
		.head = "HTTP/1.1 200 OK\r\n",
		.body_bytes = 100000,
		.cut = 50000,
		.end = SERVER_CLOSE,
	};
	CLEANUP_SERVER struct server *server = server_start(&answer, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_EXCHANGE struct http_exchange *exchange = client_get(http, server, "/x");
	CLEANUP_STR struct str body = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_false(http_read_all(exchange, 100000, &body, &err));
	assert_int_equal(body.len, 50000);
	err_clear(&err);
	assert_false(http_read_all(exchange, 100000, &body, &err));
	assert_int_equal(err.kind, ERR_TRANSPORT);
	assert_int_equal(body.len, 50000);
}

static void whole_answers_are_capped(void **state)
{
	static const struct server_answer answer = { .head = "HTTP/1.1 200 OK\r\n",
						     .body_bytes = 100000 };
	CLEANUP_SERVER struct server *server = server_start(&answer, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_EXCHANGE struct http_exchange *small = client_get(http, server, "/x");
	CLEANUP_EXCHANGE struct http_exchange *exact = client_get(http, server, "/x");
	CLEANUP_STR struct str body = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(http_read_all(exact, 100000, &body, &err));
	assert_int_equal(body.len, 100000);
	assert_false(http_read_all(small, 99999, &body, &err));
	assert_int_equal(err.kind, ERR_GENERAL);
	assert_non_null(strstr(err.text, "longer than 99999 bytes"));
}

static void headers_are_capped(void **state)
{
	CLEANUP_STR struct str head = { 0 };
	struct server_answer answer = { .body = "" };
	struct err err = { 0 };

	(void)state;
	str_add(&head, "HTTP/1.1 200 OK\r\n");
	for (size_t i = 0; i < HTTP_HEADERS_MAX / 16; i++)
		str_add(&head, "Name: 45678901\r\n");
	answer.head = str_text(&head);
	CLEANUP_SERVER struct server *server = server_start(&answer, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);

	client_fail(http, server, "/x", &err);
	assert_int_equal(err.kind, ERR_GENERAL);
	assert_non_null(strstr(err.text, "127.0.0.1:"));
	assert_non_null(strstr(err.text, "headers of the answer exceed 64 KiB"));
}

static void exchange_is_limited(void **state)
{
	static const struct server_answer answer = {
		.head = "HTTP/1.1 200 OK\r\n",
		.body_bytes = 1000000,
		.slow_us = 1000,
	};
	const struct http_options options = { .total_ms = 300 };
	CLEANUP_SERVER struct server *server = server_start(&answer, 1, NULL);
	CLEANUP_HTTP struct http *http = NULL;
	struct err err = { 0 };

	(void)state;
	client_forget_proxies();
	assert_true(http_new(&options, &http, &err));
	client_fail(http, server, "/x", &err);
	assert_int_equal(err.kind, ERR_TRANSPORT);
	assert_non_null(strstr(err.text, "takes too long"));
}

static bool starts(struct http *http, const struct http_request *request, struct err *err)
{
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;

	return http_start(http, request, &exchange, err);
}

/* Nobody listens on a port that was just given back. */
static void nobody_listens(void **state)
{
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_FREE char *url = NULL;
	CLEANUP_FREE char *text = NULL;
	struct http_request request = { .body = HTTP_NO_BODY };
	struct err err = { 0 };
	uint16_t port;
	int fd;

	(void)state;
	assert_true(sock_listen_local_tcp(&fd, &port, &err));
	(void)close(fd);
	url = xasprintf("http://127.0.0.1:%u/", port);
	text = xasprintf("cannot connect to 127.0.0.1:%u: Connection refused", port);
	request.url = url;
	assert_false(starts(http, &request, &err));
	assert_int_equal(err.kind, ERR_TRANSPORT);
	assert_string_equal(err.text, text);
}

static void uses_a_proxy(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = "GET http://registry.example/x",
		  .head = "HTTP/1.1 200 OK\r\n",
		  .body = "" },
		{ .request = "GET /x", .head = "HTTP/1.1 201 Created\r\n", .body = "" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	const struct http_request request = { .url = "http://registry.example/x",
					      .body = HTTP_NO_BODY };
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(setenv("http_proxy", server_origin(server), 1), 0);
	assert_int_equal(setenv("no_proxy", "127.0.0.1", 1), 0);
	check(http_start(http, &request, &exchange, &err), "%s", err.text);
	assert_int_equal(http_status(exchange), 200);
	assert_int_equal(client_do(http, HTTP_GET, server, "/x"), 201);
	assert_int_equal(setenv("http_proxy", "http://user:secret@127.0.0.1:1", 1), 0);
	assert_false(starts(http, &request, &err));
	assert_int_equal(err.kind, ERR_TRANSPORT);
	assert_non_null(strstr(err.text, "no proxy to registry.example: "));
	assert_null(strstr(err.text, "secret"));
	assert_int_equal(unsetenv("no_proxy"), 0);
	client_forget_proxies();
}

static void unknown_hosts_are_final(void **state)
{
	CLEANUP_HTTP struct http *http = client_new(0);
	/* RFC 6761: never in the DNS. */
	const struct http_request request = { .url = "http://registry.invalid:5000/v2/",
					      .body = HTTP_NO_BODY };
	struct err err = { 0 };

	(void)state;
	assert_false(starts(http, &request, &err));
	assert_int_equal(err.kind, ERR_GENERAL);
	assert_string_equal(err.text, "unknown host name: registry.invalid:5000");
}

static void refuses_what_would_be_other_headers(void **state)
{
	static const struct {
		const char *name;
		struct http_header header;
		const char *authorization;
	} rows[] = {
		{ "line end in a value", { "Accept", "a\r\nX: y" }, NULL },
		{ "NUL's neighbour in a value", { "Accept", "a\x01" }, NULL },
		{ "line end in a name", { "Accept\n", "a" }, NULL },
		{ "colon in a name", { "Accept:", "a" }, NULL },
		{ "no name", { "", "a" }, NULL },
		{ "line end in the authorization", { "Accept", "a" }, "Bearer a\nX: y" },
	};
	CLEANUP_HTTP struct http *http = client_new(0);

	(void)state;
	each_row(rows, row) {
		const struct http_request request = {
			.url = "http://127.0.0.1:1/",
			.headers = &row->header,
			.n_headers = 1,
			.authorization = row->authorization,
			.body = HTTP_NO_BODY,
		};
		struct err err = { 0 };

		check(!starts(http, &request, &err), "%s: accepted", row->name);
		check(err.kind == ERR_GENERAL && strstr(err.text, "control characters"), "%s: %s",
		      row->name, err.text);
	}
}

static void refuses_malformed_addresses(void **state)
{
	CLEANUP_HTTP struct http *http = client_new(0);
	const struct http_request request = { .url = "ftp://a/", .body = HTTP_NO_BODY };
	struct err err = { 0 };

	(void)state;
	assert_false(starts(http, &request, &err));
	assert_int_equal(err.kind, ERR_GENERAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets_an_answer),
		cmocka_unit_test(sends_what_it_was_told),
		cmocka_unit_test(reads_bodies),
		cmocka_unit_test(fails_in_words),
		cmocka_unit_test(gives_bytes_before_the_error),
		cmocka_unit_test(whole_answers_are_capped),
		cmocka_unit_test(headers_are_capped),
		cmocka_unit_test(exchange_is_limited),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(uses_a_proxy),
		cmocka_unit_test(unknown_hosts_are_final),
		cmocka_unit_test(refuses_what_would_be_other_headers),
		cmocka_unit_test(refuses_malformed_addresses),
	};

	return unit_main(tests);
}
