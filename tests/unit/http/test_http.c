/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/http.h: what is sent, what comes back, and how it fails. */
#include "http/http.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets_an_answer),
	};

	return unit_main(tests);
}
