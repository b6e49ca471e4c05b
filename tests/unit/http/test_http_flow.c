/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/http.h: many at once, slow readers, early ends, cancellation, connections that are used again. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "base/number.h"
#include "http/client.h"
#include "http/http.h"

#define HUGE_BYTES 1000000000000

static const struct server_answer huge = { .head = "HTTP/1.1 200 OK\r\n",
					   .body_bytes = HUGE_BYTES };

/* Reads `len` bytes and compares them with what the server sends from `position` on. */
static void read_exactly(struct http_exchange *exchange, uint64_t position, uint64_t len)
{
	char buf[10007];
	struct err err = { 0 };

	while (len > 0) {
		size_t room = len < sizeof(buf) ? (size_t)len : sizeof(buf);
		size_t n;

		check(http_read(exchange, buf, room, &n, &err), "%s", err.text);
		assert_true(n > 0 && n <= room);
		for (size_t i = 0; i < n; i++)
			if (buf[i] != server_byte(position + i))
				fail_msg("byte %llu differs", (unsigned long long)(position + i));
		position += n;
		len -= n;
	}
}

#define N_THREADS 16
#define N_EACH    8
#define BODY_SIZE 1500000

struct job {
	pthread_t thread;
	struct http *http;
	char *url;
	atomic_int n_good;
};

/* No checks of cmocka here: they are for the main thread. */
static bool get_good(struct job *job)
{
	const struct http_request request = { .url = job->url, .body = HTTP_NO_BODY };
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	CLEANUP_STR struct str body = { 0 };
	struct err err = { 0 };

	if (!http_start(job->http, &request, &exchange, &err) ||
	    !http_read_all(exchange, BODY_SIZE, &body, &err) || body.len != BODY_SIZE)
		return false;
	for (size_t i = 0; i < body.len; i++)
		if (body.ptr[i] != server_byte(i))
			return false;
	return true;
}

static void *job_main(void *ctx)
{
	struct job *job = ctx;

	for (int i = 0; i < N_EACH; i++)
		if (get_good(job))
			atomic_fetch_add(&job->n_good, 1);
	return NULL;
}

static void many_threads_at_once(void **state)
{
	static const struct server_answer answer = { .head = "HTTP/1.1 200 OK\r\n",
						     .body_bytes = BODY_SIZE };
	CLEANUP_SERVER struct server *server = server_start(&answer, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_FREE char *url = client_url(server, "/x");
	struct job jobs[N_THREADS] = { 0 };

	(void)state;
	each_row(jobs, job) {
		job->http = http;
		job->url = url;
		assert_int_equal(pthread_create(&job->thread, NULL, job_main, job), 0);
	}
	each_row(jobs, job) {
		assert_int_equal(pthread_join(job->thread, NULL), 0);
		assert_int_equal(atomic_load(&job->n_good), N_EACH);
	}
	assert_int_equal(server_n_requests(server), N_THREADS * N_EACH);
	/* Not one for each request: connections are shared by all threads. */
	assert_true(server_n_connections(server) <= 2 * N_THREADS);
}

/* Until the server can send nothing more: its count stands still, for so long that it is no accident. */
static uint64_t wait_until_stuck(struct server *server)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	uint64_t before = 0;
	int still = 0;

	while (still < 10) {
		uint64_t sent = server_sent(server);

		still = sent > 0 && sent == before ? still + 1 : 0;
		before = sent;
		(void)nanosleep(&pause, NULL);
	}
	return before;
}

/* Largest that the kernel makes the buffers of a connection, both ends: net.ipv4.tcp_rmem and tcp_wmem. */
static uint64_t kernel_bytes(void)
{
	static const char *const paths[] = { "/proc/sys/net/ipv4/tcp_rmem",
					     "/proc/sys/net/ipv4/tcp_wmem" };
	uint64_t total = 0;

	each_row(paths, path) {
		CLEANUP_STR struct str text = { 0 };
		struct err err = { 0 };
		struct span words;
		uint64_t max;

		/* "4096	131072	33554432\n" */
		check(fs_read_file(AT_FDCWD, *path, 100, &text, &err), "%s", err.text);
		words = span_first(str_span(&text), text.len - 1);
		words = span_from(words, span_rfind(words, '\t') + 1);
		check(number_parse_u64(words, UINT32_MAX, &max), "%s", *path);
		total += max;
	}
	return total;
}

static void slow_readers_slow_the_server_down(void **state)
{
	CLEANUP_SERVER struct server *server = server_start(&huge, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(200);
	CLEANUP_EXCHANGE struct http_exchange *exchange = client_get(http, server, "/x");
	const uint64_t bound = kernel_bytes() + HTTP_BUFFER_BYTES + 1000000;
	uint64_t sent = wait_until_stuck(server);

	(void)state;
	check(sent <= bound, "%llu bytes, bound %llu", (unsigned long long)sent,
	      (unsigned long long)bound);
	/* Longer than the idle limit has passed: waiting for us does not count. It goes on as if nothing had been. */
	read_exactly(exchange, 0, 2 * sent + 1000000);
	check(server_sent(server) >= 2 * sent, "%llu", (unsigned long long)server_sent(server));
}

/* A reader that sleeps does not hold up another. */
static void slow_readers_do_not_stop_others(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = "GET /small", .head = "HTTP/1.1 200 OK\r\n", .body_bytes = 3000000 },
		{ .head = "HTTP/1.1 200 OK\r\n", .body_bytes = HUGE_BYTES },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_EXCHANGE struct http_exchange *a = client_get(http, server, "/huge");
	CLEANUP_EXCHANGE struct http_exchange *b = client_get(http, server, "/huge");

	(void)state;
	(void)wait_until_stuck(server);
	for (int i = 0; i < 3; i++)
		assert_int_equal(client_do(http, HTTP_GET, server, "/small"), 200);
	read_exactly(a, 0, 3000000);
	read_exactly(b, 0, 3000000);
}

static void ends_early(void **state)
{
	CLEANUP_SERVER struct server *server = server_start(&huge, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);

	(void)state;
	for (uint64_t len = 0; len < 3000000; len = len * 3 + 1) {
		CLEANUP_EXCHANGE struct http_exchange *exchange = client_get(http, server, "/x");

		read_exactly(exchange, 0, len);
	}
}

static void connections_are_used_again(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = "GET /unread",
		  .head = "HTTP/1.1 401 Unauthorized\r\n",
		  .body_bytes = 30000 },
		{ .request = "GET /chunked",
		  .head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
		  .body = "4\r\nbody\r\n0\r\n\r\n",
		  .has_length = true,
		  .slow_us = 1000 },
		{ .head = "HTTP/1.1 200 OK\r\n", .body = "body" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(client_do(http, HTTP_GET, server, "/x"), 200);
		assert_int_equal(client_do(http, HTTP_HEAD, server, "/x"), 200);
		http_end(client_get(http, server, "/unread"));
		http_end(client_get(http, server, "/chunked"));
	}
	assert_int_equal(server_n_connections(server), 1);
}

/* The server closes a connection while it waits for its next request, as they all do after a while. */
static void stale_connections_are_replaced(void **state)
{
	static const struct server_answer answers[] = {
		/* Says nothing of closing. */
		{ .times = 4, .head = "HTTP/1.1 200 OK\r\n", .body = "a", .end = SERVER_CLOSE },
		{ .head = "HTTP/1.1 200 OK\r\n", .body = "b" },
	};
	CLEANUP_SERVER struct server *server = server_start(answers, ARRAY_LEN(answers), NULL);
	CLEANUP_HTTP struct http *http = client_new(0);

	(void)state;
	for (enum http_method method = HTTP_GET; method <= HTTP_PATCH; method++)
		assert_int_equal(client_do(http, method, server, "/x"), 200);
	assert_int_equal(server_n_connections(server), 5);
}

struct canceller {
	pthread_t thread;
	struct http *http;
	struct server *server;
	size_t n_requests;
};

static void *cancel_main(void *ctx)
{
	struct canceller *canceller = ctx;

	server_wait(canceller->server, canceller->n_requests);
	http_cancel(canceller->http);
	return NULL;
}

static void cancels_from_another_thread(void **state)
{
	static const struct server_answer rows[] = {
		{ .end = SERVER_HANG }, /* while waiting for the head */
		{ .head = "HTTP/1.1 200 OK\r\n", .body = "body", .cut = 2, .end = SERVER_HANG },
		{ .head = "HTTP/1.1 200 OK\r\n", .body_bytes = HUGE_BYTES, .slow_us = 1000 },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_SERVER struct server *server = server_start(row, 1, NULL);
		CLEANUP_HTTP struct http *http = client_new(0);
		struct canceller canceller = { .http = http, .server = server, .n_requests = 1 };
		struct err err = { 0 };

		assert_int_equal(pthread_create(&canceller.thread, NULL, cancel_main, &canceller),
				 0);
		client_fail(http, server, "/x", &err);
		assert_int_equal(pthread_join(canceller.thread, NULL), 0);
		assert_int_equal(err.kind, ERR_CANCELLED);
		/* Later ones, too. */
		err_clear(&err);
		client_fail(http, server, "/x", &err);
		assert_int_equal(err.kind, ERR_CANCELLED);
		assert_int_equal(server_n_requests(server), 1);
	}
}

/* A full buffer does not hide it. */
static void cancels_a_reader_that_sleeps(void **state)
{
	CLEANUP_SERVER struct server *server = server_start(&huge, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	CLEANUP_EXCHANGE struct http_exchange *exchange = client_get(http, server, "/x");
	struct err err = { 0 };
	char buf[16];
	size_t n;

	(void)state;
	(void)wait_until_stuck(server);
	http_cancel(http);
	while (http_read(exchange, buf, sizeof(buf), &n, &err))
		;
	assert_int_equal(err.kind, ERR_CANCELLED);
}

static void ending_without_exchanges(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		CLEANUP_HTTP struct http *a = client_new(0);
		CLEANUP_HTTP struct http *b = client_new(0);

		http_cancel(a);
		assert_non_null(b);
	}
	http_free(NULL);
	http_end(NULL);
}

static void *raise_main(void *ctx)
{
	struct canceller *canceller = ctx;

	server_wait(canceller->server, canceller->n_requests);
	/* To the process: any thread that does not block it may get it. */
	(void)kill(getpid(), SIGTERM);
	return NULL;
}

/* Last: the signal stays on for the rest of the process. */
static void cancels_by_signal(void **state)
{
	static const struct server_answer silent = { .end = SERVER_HANG };
	CLEANUP_SERVER struct server *server = server_start(&silent, 1, NULL);
	CLEANUP_HTTP struct http *http = client_new(0);
	struct canceller canceller = { .http = http, .server = server, .n_requests = 1 };
	struct err err = { 0 };

	(void)state;
	cancel_install();
	assert_int_equal(pthread_create(&canceller.thread, NULL, raise_main, &canceller), 0);
	client_fail(http, server, "/x", &err);
	assert_int_equal(pthread_join(canceller.thread, NULL), 0);
	assert_int_equal(err.kind, ERR_CANCELLED);
	client_fail(http, server, "/x", &err);
	assert_int_equal(err.kind, ERR_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_threads_at_once),
		cmocka_unit_test(slow_readers_slow_the_server_down),
		cmocka_unit_test(slow_readers_do_not_stop_others),
		cmocka_unit_test(ends_early),
		cmocka_unit_test(connections_are_used_again),
		cmocka_unit_test(stale_connections_are_replaced),
		cmocka_unit_test(cancels_from_another_thread),
		cmocka_unit_test(cancels_a_reader_that_sleeps),
		cmocka_unit_test(ending_without_exchanges),
		cmocka_unit_test(cancels_by_signal),
	};

	return unit_main(tests);
}
