/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/http.h: bodies that are sent, from memory and from files. */
#include <fcntl.h>
#include <stdatomic.h>

#include "http/client.h"
#include "http/http.h"
#include "temp_dir.h"

#define FILE_BYTES 3000000

static const struct server_answer created = { .head = "HTTP/1.1 201 Created\r\n", .body = "" };

struct count {
	atomic_ullong bytes;
	atomic_uint calls;
};

static void on_sent(void *ctx, uint64_t bytes)
{
	struct count *count = ctx;

	atomic_fetch_add(&count->bytes, bytes);
	atomic_fetch_add(&count->calls, 1);
}

/* A file of server_byte() in the test's directory. */
static int make_file(const struct temp_dir *dir)
{
	CLEANUP_FREE char *data = xcalloc(1, FILE_BYTES);
	int fd = openat(dir->fd, "body", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct err err = { 0 };

	assert_true(fd >= 0);
	for (size_t i = 0; i < FILE_BYTES; i++)
		data[i] = server_byte(i);
	check(fs_pwrite_all(fd, data, FILE_BYTES, 0, &err), "%s", err.text);
	return fd;
}

static void check_body(const struct server_request *request, uint64_t position, uint64_t len)
{
	CLEANUP_FREE char *length = server_header_dup(request, "content-length");
	CLEANUP_FREE char *coding = server_header_dup(request, "transfer-encoding");
	CLEANUP_FREE char *want = xasprintf("%llu", (unsigned long long)len);

	assert_string_equal(length, want);
	assert_null(coding);
	assert_int_equal(request->body.len, len);
	for (size_t i = 0; i < len; i++)
		if (request->body.ptr[i] != server_byte(position + i))
			fail_msg("byte %zu differs", i);
}

static bool put(struct http *http, const struct server *server, const struct http_body *body,
		struct count *count, int *ret_status, struct err *err)
{
	CLEANUP_FREE char *url = client_url(server, "/x");
	const struct http_request request = {
		.method = HTTP_PUT,
		.url = url,
		.body = *body,
		.sent = count ? on_sent : NULL,
		.ctx = count,
	};
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;

	if (!http_start(http, &request, &exchange, err))
		return false;
	*ret_status = http_status(exchange);
	return true;
}

static void sends_bytes(void **state)
{
	static const enum http_method methods[] = { HTTP_POST, HTTP_PUT, HTTP_PATCH };
	CLEANUP_SERVER struct server *server = server_start(&created, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_FREE char *url = client_url(server, "/x");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		const struct http_request request = {
			.method = methods[i],
			.url = url,
			.body = { .bytes = span_make("a\0b", 3), .fd = -1 },
		};
		CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
		const struct server_request *got;
		struct err err = { 0 };

		check(http_start(http, &request, &exchange, &err), "%s", err.text);
		assert_int_equal(http_status(exchange), 201);
		got = server_request(server, i);
		assert_int_equal(got->body.len, 3);
		assert_memory_equal(got->body.ptr, "a\0b", 3);
	}
}

static void sends_pieces_of_files(void **state)
{
	static const struct {
		const char *name;
		uint64_t offset, len;
	} rows[] = {
		{ "all", 0, FILE_BYTES },
		{ "from the middle", 1234567, 1000000 },
		{ "to the end", 1234567, FILE_BYTES - 1234567 },
		{ "one byte", 2999999, 1 },
		{ "nothing", 5, 0 },
	};
	CLEANUP_SERVER struct server *server = server_start(&created, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_CLOSE int fd = make_file(*state);
	size_t n = 0;

	each_row(rows, row) {
		const struct http_body body = { .fd = fd,
						.fd_offset = row->offset,
						.fd_len = row->len };
		struct count count = { 0 };
		struct err err = { 0 };
		int status = 0;

		check(put(http, server, &body, &count, &status, &err), "%s: %s", row->name,
		      err.text);
		check(status == 201, "%s: got %d", row->name, status);
		check_body(server_request(server, n++), row->offset, row->len);
		check(atomic_load(&count.bytes) == row->len, "%s: told of %llu", row->name,
		      atomic_load(&count.bytes));
	}
	/* Told along the way, not at the end. */
	assert_int_equal(server_n_connections(server), 1);
}

/* A connection that was kept open is closed when the next request comes: what was sent into it is sent again, once, and
 * counted once. */
static void sends_again_over_a_new_connection(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = "GET /x",
		  .head = "HTTP/1.1 200 OK\r\n",
		  .body = "",
		  .end = SERVER_KEEP },
		{ .request = "PUT /x", .times = 1, .end = SERVER_CLOSE },
		{ .head = "HTTP/1.1 201 Created\r\n", .body = "" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_CLOSE int fd = make_file(*state);
	const struct http_body body = { .fd = fd, .fd_len = FILE_BYTES };
	struct count count = { 0 };
	struct err err = { 0 };
	int status = 0;

	assert_int_equal(client_do(http, HTTP_GET, server, "/x"), 200);
	check(put(http, server, &body, &count, &status, &err), "%s", err.text);
	assert_int_equal(status, 201);
	assert_int_equal(server_n_requests(server), 3);
	check_body(server_request(server, 2), 0, FILE_BYTES);
	assert_int_equal(server_request(server, 2)->connection, 1);
	assert_int_equal(atomic_load(&count.bytes), FILE_BYTES);
}

/* A part of an upload that the server may have read would be added to what it has. */
static void does_not_send_again_what_must_not_be(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = "GET /x",
		  .head = "HTTP/1.1 200 OK\r\n",
		  .body = "",
		  .end = SERVER_KEEP },
		{ .request = "PUT /x", .times = 1, .end = SERVER_CLOSE },
		{ .head = "HTTP/1.1 201 Created\r\n", .body = "" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_CLOSE int fd = make_file(*state);
	CLEANUP_FREE char *url = client_url(server, "/x");
	const struct http_request request = {
		.method = HTTP_PUT,
		.url = url,
		.body = { .fd = fd, .fd_len = FILE_BYTES },
		.is_once = true,
	};
	struct http_exchange *exchange = NULL;
	struct err err = { 0 };

	assert_int_equal(client_do(http, HTTP_GET, server, "/x"), 200);
	assert_false(http_start(http, &request, &exchange, &err));
	assert_int_equal(err.kind, ERR_TRANSPORT);
	assert_int_equal(server_n_requests(server), 2);
}

static void new_connections_are_not_tried_twice(void **state)
{
	static const struct server_answer answer = { .end = SERVER_CLOSE };
	CLEANUP_SERVER struct server *server = server_start(&answer, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	const struct http_body body = { .bytes = span_of("body"), .fd = -1 };
	struct err err = { 0 };
	int status;

	(void)state;
	assert_false(put(http, server, &body, NULL, &status, &err));
	assert_int_equal(err.kind, ERR_TRANSPORT);
	assert_int_equal(server_n_requests(server), 1);
}

static void files_that_shrink_are_told(void **state)
{
	CLEANUP_SERVER struct server *server = server_start(&created, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_CLOSE int fd = make_file(*state);
	const struct http_body body = { .fd = fd, .fd_offset = 1, .fd_len = FILE_BYTES };
	struct err err = { 0 };
	int status;

	assert_false(put(http, server, &body, NULL, &status, &err));
	assert_int_equal(err.kind, ERR_GENERAL);
	assert_non_null(strstr(err.text, "became shorter"));
}

static void files_that_cannot_be_read_are_told(void **state)
{
	const struct temp_dir *dir = *state;
	CLEANUP_SERVER struct server *server = server_start(&created, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	const struct http_body body = { .fd = dir->fd, .fd_len = 10 };
	struct err err = { 0 };
	int status;

	assert_false(put(http, server, &body, NULL, &status, &err));
	assert_int_equal(err.kind, ERR_GENERAL);
	assert_non_null(strstr(err.text, "Is a directory"));
}

/* Refused before it was all sent: the answer counts. */
static void early_answers_are_answers(void **state)
{
	static const struct server_answer answers[] = {
		{ .times = 1,
		  .head = "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n",
		  .body = "no",
		  .is_early = true,
		  .end = SERVER_HANG },
		{ .head = "HTTP/1.1 201 Created\r\n", .body = "" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_CLOSE int fd = make_file(*state);
	const struct http_body body = { .fd = fd, .fd_len = FILE_BYTES };
	struct err err = { 0 };
	int status = 0;

	check(put(http, server, &body, NULL, &status, &err), "%s", err.text);
	assert_int_equal(status, 401);
	check(put(http, server, &body, NULL, &status, &err), "%s", err.text);
	assert_int_equal(status, 201);
	check_body(server_request(server, 1), 0, FILE_BYTES);
}

/* Its caller may have returned while the body is still on its way. */
static void requests_need_not_last(void **state)
{
	static const struct server_answer answer = {
		.head = "HTTP/1.1 200 OK\r\n",
		.body = "slow",
		.slow_us = 1000,
		.is_early = true,
		.end = SERVER_HANG, /* reads the rest */
	};
	CLEANUP_SERVER struct server *server = server_start(&answer, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_CLOSE int fd = make_file(*state);
	struct http_request *request = xcalloc(1, sizeof(*request));
	struct http_header *header = xcalloc(1, sizeof(*header));
	char *url = client_url(server, "/x");
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	CLEANUP_STR struct str body = { 0 };
	struct count count = { 0 };
	struct err err = { 0 };

	*header = (struct http_header){ "Accept", "a/b" };
	*request = (struct http_request){
		.method = HTTP_PUT,
		.url = url,
		.headers = header,
		.n_headers = 1,
		.body = { .fd = fd, .fd_len = FILE_BYTES },
		.sent = on_sent,
		.ctx = &count,
	};
	check(http_start(http, request, &exchange, &err), "%s", err.text);
	free(url);
	free(header);
	free(request);
	check(http_read_all(exchange, 4, &body, &err), "%s", err.text);
	assert_string_equal(str_text(&body), "slow");
}

/* Longer than the kernel takes by itself. */
static void servers_that_do_not_read_are_idle(void **state)
{
	static const struct server_answer answer = { .is_early = true, .end = SERVER_STALL };
	CLEANUP_SERVER struct server *server = server_start(&answer, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(300);
	CLEANUP_FREE char *data = xcalloc(1, 64 << 20);
	const struct http_body body = { .bytes = span_make(data, 64 << 20), .fd = -1 };
	struct err err = { 0 };
	int status;

	(void)state;
	assert_false(put(http, server, &body, NULL, &status, &err));
	assert_int_equal(err.kind, ERR_TRANSPORT);
	assert_non_null(strstr(err.text, "nothing received or sent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_bytes),
		temp_dir_test(sends_pieces_of_files),
		temp_dir_test(sends_again_over_a_new_connection),
		temp_dir_test(does_not_send_again_what_must_not_be),
		cmocka_unit_test(new_connections_are_not_tried_twice),
		temp_dir_test(files_that_shrink_are_told),
		temp_dir_test(files_that_cannot_be_read_are_told),
		temp_dir_test(early_answers_are_answers),
		temp_dir_test(requests_need_not_last),
		cmocka_unit_test(servers_that_do_not_read_are_idle),
	};

	return unit_main(tests);
}
