/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/http.h: redirects, and who gets to see the authorization. */
#include "http/client.h"
#include "http/http.h"

#define REDIRECT(to) "HTTP/1.1 307 Temporary Redirect\r\nLocation: " to "\r\n"

static bool start(struct http *http, enum http_method method, const char *url,
		  struct http_exchange **ret, struct err *err)
{
	static const struct http_header headers[] = { { "Range", "bytes=7-" },
						      { "Accept", "a/b" } };
	const struct http_request request = {
		.method = method,
		.url = url,
		.headers = headers,
		.n_headers = ARRAY_LEN(headers),
		.authorization = "Bearer secret",
		.body = HTTP_NO_BODY,
	};

	return http_start(http, &request, ret, err);
}

static void statuses_that_redirect(void **state)
{
	static const struct {
		const char *name, *head;
		bool follows;
	} rows[] = {
		{ "300", "HTTP/1.1 300 Multiple Choices\r\nLocation: /b\r\n", false },
		{ "301", "HTTP/1.1 301 Moved Permanently\r\nLocation: /b\r\n", true },
		{ "302", "HTTP/1.1 302 Found\r\nLocation: /b\r\n", true },
		{ "303", "HTTP/1.1 303 See Other\r\nLocation: /b\r\n", true },
		{ "304", "HTTP/1.1 304 Not Modified\r\nLocation: /b\r\n", false },
		{ "307", REDIRECT("/b"), true },
		{ "308", "HTTP/1.1 308 Permanent Redirect\r\nLocation: /b\r\n", true },
		{ "201", "HTTP/1.1 201 Created\r\nLocation: /b\r\n", false },
	};

	(void)state;
	each_row(rows, row) {
		const struct server_answer answers[] = {
			{ .request = "GET /a", .head = row->head, .body = "" },
			{ .request = "GET /b", .head = "HTTP/1.1 200 OK\r\n", .body = "b" },
		};
		CLEANUP_SERVER struct server *server = server_start(answers, 2, NULL);
		CLEANUP_HTTP struct http *http = client_new(0);
		CLEANUP_EXCHANGE struct http_exchange *exchange = client_get(http, server, "/a");
		CLEANUP_FREE char *url = client_url(server, row->follows ? "/b" : "/a");

		check((http_status(exchange) == 200) == row->follows, "%s: got %d", row->name,
		      http_status(exchange));
		check(strcmp(http_url(exchange), url) == 0, "%s: at %s", row->name,
		      http_url(exchange));
	}
}

static void only_get_and_head_are_redirected(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = "GET /b", .head = "HTTP/1.1 200 OK\r\n", .body = "b" },
		{ .request = "HEAD /b", .head = "HTTP/1.1 200 OK\r\n", .body = "b" },
		{ .head = REDIRECT("/b"), .body = "" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);

	(void)state;
	for (enum http_method method = HTTP_GET; method <= HTTP_DELETE; method++)
		assert_int_equal(client_do(http, method, server, "/a"),
				 method <= HTTP_HEAD ? 200 : 307);
}

/* Same host, another port: another origin. */
static void authorization_stays_at_its_origin(void **state)
{
	static const struct server_answer theirs[] = {
		{ .request = "GET /blob?signed",
		  .head = "HTTP/1.1 206 Partial Content\r\n",
		  .body = "blob" },
	};
	CLEANUP_SERVER struct server *other = server_start(theirs, ARRAY_LEN(theirs), NULL);
	CLEANUP_FREE char *away = xasprintf("HTTP/1.1 302 Found\r\nLocation: %s/blob?signed\r\n",
					    server_origin(other));
	const struct server_answer ours[] = {
		{ .request = "GET /a", .head = REDIRECT("/b"), .body = "" },
		{ .request = "GET /b", .head = away, .body = "" },
	};
	CLEANUP_SERVER struct server *server = server_start(ours, ARRAY_LEN(ours), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	CLEANUP_FREE char *url = client_url(server, "/a");
	struct err err = { 0 };

	(void)state;
	assert_true(start(http, HTTP_GET, url, &exchange, &err));
	assert_int_equal(http_status(exchange), 206);
	assert_int_equal(server_n_requests(server), 2);
	for (size_t i = 0; i < 2; i++) {
		CLEANUP_FREE char *authorization = server_header_dup(server_request(server, i),
								     "authorization");

		assert_non_null(authorization);
		assert_string_equal(authorization, "Bearer secret");
	}
	CLEANUP_FREE char *authorization = server_header_dup(server_request(other, 0),
							     "authorization");
	CLEANUP_FREE char *range = server_header_dup(server_request(other, 0), "range");
	CLEANUP_FREE char *accept = server_header_dup(server_request(other, 0), "accept");

	assert_null(authorization);
	assert_string_equal(range, "bytes=7-");
	assert_string_equal(accept, "a/b");
}

/* Who has been elsewhere may come back with an address that somebody else has chosen. */
static void authorization_does_not_come_back(void **state)
{
	struct server_answer back[] = { { .request = "GET /x", .body = "" } };
	CLEANUP_SERVER struct server *other = server_start(back, ARRAY_LEN(back), NULL);
	CLEANUP_FREE char *away = xasprintf("HTTP/1.1 302 Found\r\nLocation: %s/x\r\n",
					    server_origin(other));
	const struct server_answer ours[] = {
		{ .request = "GET /a", .head = away, .body = "" },
		{ .request = "GET /b", .head = "HTTP/1.1 200 OK\r\n", .body = "" },
	};
	CLEANUP_SERVER struct server *server = server_start(ours, ARRAY_LEN(ours), NULL);
	CLEANUP_FREE char *home = xasprintf("HTTP/1.1 302 Found\r\nLocation: %s/b\r\n",
					    server_origin(server));
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	CLEANUP_FREE char *url = client_url(server, "/a");
	struct err err = { 0 };

	(void)state;
	back[0].head = home;
	assert_true(start(http, HTTP_GET, url, &exchange, &err));
	assert_int_equal(http_status(exchange), 200);
	CLEANUP_FREE char *first = server_header_dup(server_request(server, 0), "authorization");
	CLEANUP_FREE char *last = server_header_dup(server_request(server, 1), "authorization");

	assert_non_null(first);
	assert_null(last);
}

static void ten_redirects_are_enough(void **state)
{
	static const struct {
		const char *name;
		unsigned int times;
		bool ok;
	} rows[] = {
		{ "nine", 9, true },
		{ "ten", 10, true },
		{ "eleven", 11, false },
		{ "for ever", 0, false },
	};

	(void)state;
	each_row(rows, row) {
		const struct server_answer answers[] = {
			{ .times = row->times, .head = REDIRECT("/a"), .body = "again" },
			{ .head = "HTTP/1.1 200 OK\r\n", .body = "" },
		};
		CLEANUP_SERVER struct server *server = server_start(answers, 2, NULL);
		CLEANUP_HTTP struct http *http = client_new(0);
		CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
		CLEANUP_FREE char *url = client_url(server, "/a");
		struct err err = { 0 };
		bool ok = start(http, HTTP_GET, url, &exchange, &err);

		check(ok == row->ok, "%s: %s", row->name, err.text);
		check(ok || (err.kind == ERR_GENERAL && strstr(err.text, "more than 10 redirects")),
		      "%s: %s", row->name, err.text);
		check(server_n_requests(server) == (row->ok ? row->times + 1 : 11), "%s: %zu",
		      row->name, server_n_requests(server));
	}
}

static void targets_that_are_refused(void **state)
{
	static const struct {
		const char *name, *head;
	} rows[] = {
		{ "other scheme", REDIRECT("ftp://127.0.0.1/") },
		{ "file", REDIRECT("file:///etc/passwd") },
		{ "user", REDIRECT("http://user:secret@127.0.0.1/") },
		{ "blank inside", REDIRECT("/a b") },
		{ "no host", REDIRECT("http:///") },
	};

	(void)state;
	each_row(rows, row) {
		const struct server_answer answer = { .head = row->head, .body = "" };
		CLEANUP_SERVER struct server *server = server_start(&answer, 1, NULL);
		CLEANUP_HTTP struct http *http = client_new(0);
		struct err err = { 0 };

		client_fail(http, server, "/x", &err);
		check(err.kind == ERR_GENERAL && strstr(err.text, "redirect by 127.0.0.1:"),
		      "%s: %s", row->name, err.text);
		check(!strstr(err.text, "secret"), "%s: %s", row->name, err.text);
		check(server_n_requests(server) == 1, "%s: followed", row->name);
	}
}

/* A redirect's own body is read, not paid for with the connection. */
static void redirects_keep_the_connection(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = "GET /a", .head = REDIRECT("/b"), .body = "slow", .slow_us = 20000 },
		{ .request = "GET /b", .head = "HTTP/1.1 200 OK\r\n", .body = "b" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);

	(void)state;
	assert_int_equal(client_do(http, HTTP_GET, server, "/a"), 200);
	assert_int_equal(server_n_connections(server), 1);
}

/* Nobody reads megabytes to save a connection. */
static void bodies_of_redirects_are_not_read_for_ever(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = "GET /a", .head = REDIRECT("/b"), .body_bytes = 1000000000000 },
		{ .request = "GET /b", .head = "HTTP/1.1 200 OK\r\n", .body = "b" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);

	(void)state;
	assert_int_equal(client_do(http, HTTP_GET, server, "/a"), 200);
	assert_int_equal(server_n_connections(server), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses_that_redirect),
		cmocka_unit_test(only_get_and_head_are_redirected),
		cmocka_unit_test(authorization_stays_at_its_origin),
		cmocka_unit_test(authorization_does_not_come_back),
		cmocka_unit_test(ten_redirects_are_enough),
		cmocka_unit_test(targets_that_are_refused),
		cmocka_unit_test(redirects_keep_the_connection),
		cmocka_unit_test(bodies_of_redirects_are_not_read_for_ever),
	};

	return unit_main(tests);
}
