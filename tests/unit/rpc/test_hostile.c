/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/ against other sides that do not speak gRPC, or mean harm: each is told, none costs more than the bounds. */
#include <string.h>

#include "base/mem.h"
#include "rpc/peers.h"
#include "unit.h"

#define PREFACE  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define DATA     0
#define HEADERS  1
#define RESET    3
#define SETTINGS 4
#define PING     6
#define GOAWAY   7

#define END_STREAM  1
#define END_HEADERS 4

static void put_u32(struct str *out, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		str_add_char(out, (char)(value >> shift));
}

static void put_frame(struct str *out, char type, char flags, uint32_t id, struct span payload)
{
	str_add_char(out, (char)(payload.len >> 16));
	str_add_char(out, (char)(payload.len >> 8));
	str_add_char(out, (char)payload.len);
	str_add_char(out, type);
	str_add_char(out, flags);
	put_u32(out, id);
	str_add_span(out, payload);
}

/* A header as a literal; name and value below 127 bytes. */
static void put_header(struct str *out, const char *name, const char *value)
{
	str_add_char(out, 0);
	str_add_char(out, (char)strlen(name));
	str_add(out, name);
	str_add_char(out, (char)strlen(value));
	str_add(out, value);
}

static void put_request(struct str *out, uint32_t id, const char *path)
{
	CLEANUP_STR struct str headers = { 0 };

	put_header(&headers, ":method", "POST");
	put_header(&headers, ":scheme", "http");
	put_header(&headers, ":path", path);
	put_header(&headers, ":authority", "localhost");
	put_header(&headers, "content-type", "application/grpc");
	put_frame(out, HEADERS, END_HEADERS, id, str_span(&headers));
}

struct victim {
	struct rpc_connection *client;
	struct caller caller;
	struct rpc_call *call;
	struct str bytes; /* what the server says */
};

static void victim_start(struct victim *victim)
{
	victim->client = rpc_client_new("t");
	victim->call = rpc_call_start(victim->client, "/T/Echo", 0, &caller_handlers,
				      &victim->caller);
	rpc_call_send(victim->call, span_of("x"));
	rpc_wrote(victim->client, rpc_output(victim->client).len);
	put_frame(&victim->bytes, SETTINGS, 0, 0, span_of(""));
}

static void victim_done(struct victim *victim)
{
	rpc_free(victim->client);
	caller_done(&victim->caller);
	str_done(&victim->bytes);
}

static bool victim_feed(struct victim *victim, struct err *err)
{
	return rpc_feed(victim->client, str_span(&victim->bytes), err);
}

static void put_answer(struct str *out, char flags, const char *const headers[][2], size_t n)
{
	CLEANUP_STR struct str block = { 0 };

	for (size_t i = 0; i < n && headers[i][0]; i++)
		put_header(&block, headers[i][0], headers[i][1]);
	put_frame(out, HEADERS, (char)(END_HEADERS | flags), 1, str_span(&block));
}

#define OK_HEADERS                                       \
	{ ":status", "200" },                            \
	{                                                \
		"content-type", "application/grpc+proto" \
	}

static const struct {
	const char *name;
	const char *headers[6][2];
	bool end;
	const char *log;
	bool foreign;
	int32_t exec_errno;
} answers[] = {
	{ "trailers only",
	  { OK_HEADERS, { "grpc-status", "2" }, { "grpc-message", "exec: %22x%22%1b[2J" } },
	  true,
	  "end UNKNOWN exec: \"x\"[2J",
	  false,
	  0 },
	{ "errno",
	  { OK_HEADERS, { "grpc-status", "2" }, { "tart-exec-errno", "13" } },
	  true,
	  "end UNKNOWN ",
	  false,
	  13 },
	{ "errno that is none",
	  { OK_HEADERS, { "grpc-status", "2" }, { "tart-exec-errno", "99999999999" } },
	  true,
	  "end UNKNOWN ",
	  false,
	  0 },
	{ "404", { { ":status", "404" } }, true, "end UNKNOWN the answer is not gRPC's", true, 0 },
	{ "a page",
	  { { ":status", "200" }, { "content-type", "text/html" } },
	  false,
	  "end UNKNOWN the answer is not gRPC's",
	  true,
	  0 },
	{ "no type",
	  { { ":status", "200" } },
	  false,
	  "end UNKNOWN the answer is not gRPC's",
	  true,
	  0 },
	{ "no status",
	  { OK_HEADERS },
	  true,
	  "end UNKNOWN the call ended without a status",
	  false,
	  0 },
	{ "status that is none",
	  { OK_HEADERS, { "grpc-status", "-1" } },
	  true,
	  "end UNKNOWN ",
	  false,
	  0 },
	{ "status without end", { OK_HEADERS, { "grpc-status", "0" } }, false, "", false, 0 },
	{ "early hint", { { ":status", "103" } }, false, "", false, 0 },
};

static void strange_answers(void **state)
{
	(void)state;
	each_row(answers, row) {
		CLEANUP(victim_done) struct victim victim = { .client = NULL };
		struct err err = { 0 };

		victim_start(&victim);
		put_answer(&victim.bytes, row->end ? END_STREAM : 0, row->headers,
			   ARRAY_LEN(row->headers));
		check(victim_feed(&victim, &err), "%s: %s", row->name, err.text);
		check(strcmp(str_text(&victim.caller.log), row->log) == 0, "%s: '%s'", row->name,
		      str_text(&victim.caller.log));
		check(victim.caller.status.foreign == row->foreign &&
			      victim.caller.status.exec_errno == row->exec_errno,
		      "%s: status", row->name);
	}
}

static const struct {
	const char *name;
	struct span data;
	bool end;
	const char *log;
} bodies[] = {
	{ "ends inside a message",
	  { "\0\0\0\0\5ab", 7 },
	  true,
	  "end INTERNAL the stream ended inside a message" },
	{ "ends without trailers",
	  { "\0\0\0\0\1a", 6 },
	  true,
	  "a end UNKNOWN the call ended without a status" },
	{ "too large",
	  { "\0\0\x40\0\1", 5 },
	  false,
	  "end RESOURCE_EXHAUSTED a message is too large" },
	{ "compressed",
	  { "\1\0\0\0\1a", 6 },
	  false,
	  "end UNIMPLEMENTED compressed messages are not supported" },
	{ "message, then garbage",
	  { "\0\0\0\0\1a\xff\xff\xff\xff\xff", 11 },
	  false,
	  "a end RESOURCE_EXHAUSTED a message is too large" },
};

static void strange_bodies(void **state)
{
	static const char *const headers[][2] = { OK_HEADERS };

	(void)state;
	each_row(bodies, row) {
		CLEANUP(victim_done) struct victim victim = { .client = NULL };
		struct err err = { 0 };

		victim_start(&victim);
		put_answer(&victim.bytes, 0, headers, ARRAY_LEN(headers));
		put_frame(&victim.bytes, DATA, row->end ? END_STREAM : 0, 1, row->data);
		check(victim_feed(&victim, &err), "%s: %s", row->name, err.text);
		check(strcmp(str_text(&victim.caller.log), row->log) == 0, "%s: '%s'", row->name,
		      str_text(&victim.caller.log));
	}
}

static const struct {
	const char *name;
	uint32_t code;
	const char *log;
} resets[] = {
	{ "no error", 0, "end INTERNAL the stream was reset: NO_ERROR" },
	{ "refused", 7, "end UNAVAILABLE the stream was reset: REFUSED_STREAM" },
	{ "cancel", 8, "end CANCELLED the stream was reset: CANCEL" },
	{ "calm", 11, "end RESOURCE_EXHAUSTED the stream was reset: ENHANCE_YOUR_CALM" },
	{ "unknown", 12345, "end INTERNAL the stream was reset: unknown" },
};

static void resets_without_trailers(void **state)
{
	(void)state;
	each_row(resets, row) {
		CLEANUP(victim_done) struct victim victim = { .client = NULL };
		CLEANUP_STR struct str code = { 0 };
		struct err err = { 0 };

		victim_start(&victim);
		put_u32(&code, row->code);
		put_frame(&victim.bytes, RESET, 0, 1, str_span(&code));
		check(victim_feed(&victim, &err), "%s: %s", row->name, err.text);
		check(strcmp(str_text(&victim.caller.log), row->log) == 0, "%s: '%s'", row->name,
		      str_text(&victim.caller.log));
	}
}

static const struct {
	const char *name, *bytes;
} foreigners[] = {
	{ "HTTP/1.1", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" },
	{ "SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n" },
	{ "text", "220 mail.example.com ESMTP, how may I help you today?\r\n" },
};

static void not_http2(void **state)
{
	(void)state;
	each_row(foreigners, row) {
		CLEANUP(victim_done) struct victim victim = { .client = NULL };
		struct err err = { 0 };

		victim_start(&victim);
		check(!rpc_feed(victim.client, span_of(row->bytes), &err), "%s", row->name);
		check(err.kind == ERR_TRANSPORT &&
			      strcmp(err.text, "the other side does not speak HTTP/2") == 0,
		      "%s: %s", row->name, err.text);
		assert_false(rpc_is_ready(victim.client));
		assert_true(rpc_is_finished(victim.client));
		assert_false(rpc_feed(victim.client, span_of(""), &err));
	}
}

/* 20 000 bytes of headers: more than a list may have, less than what nghttp2 would refuse. */
static void large_headers(void **state)
{
	CLEANUP(victim_done) struct victim victim = { .client = NULL };
	CLEANUP_STR struct str block = { 0 };
	struct err err = { 0 };

	(void)state;
	victim_start(&victim);
	put_header(&block, ":status", "200");
	while (block.len < 15000)
		put_header(&block, "a", "b"); /* 5 bytes that count 34 */
	put_frame(&victim.bytes, HEADERS, END_HEADERS, 1, str_span(&block));
	assert_true(victim_feed(&victim, &err));
	assert_true(victim.caller.ended);
	assert_int_equal(victim.caller.status.code, RPC_INTERNAL);
}

/* Asks for answers and never reads: what waits is bounded, then the connection ends. */
static void flood(const char *name, char type, struct span payload, uint32_t n_max)
{
	CLEANUP(echo_done) struct echo echo = { .n_open = 0 };
	CLEANUP(rpc_cleanup) struct rpc_connection *server = rpc_server_new(&echo_handlers, &echo);
	CLEANUP_STR struct str frame = { 0 };
	struct err err = { 0 };
	uint32_t n = 0;

	assert_true(rpc_feed(server, span_of(PREFACE), &err));
	put_frame(&frame, SETTINGS, 0, 0, span_of(""));
	assert_true(rpc_feed(server, str_span(&frame), &err));
	str_clear(&frame);
	put_frame(&frame, type, 0, 0, payload);
	while (n < n_max && rpc_feed(server, str_span(&frame), &err))
		n++;
	check(n < n_max, "%s: %u frames taken", name, n);
	check(err.kind == ERR_TRANSPORT, "%s: %s", name, err.text);
}

static void floods(void **state)
{
	(void)state;
	flood("ping", PING, span_make("12345678", 8), 5000);
	flood("settings", SETTINGS, span_of(""), 5000);
}

static void resets_by_the_thousand(void **state)
{
	CLEANUP(echo_done) struct echo echo = { .n_open = 0 };
	CLEANUP(rpc_cleanup) struct rpc_connection *server = rpc_server_new(&echo_handlers, &echo);
	struct err err = { 0 };
	uint32_t id = 1;

	(void)state;
	assert_true(rpc_feed(server, span_of(PREFACE), &err));
	for (bool on = true; on && id < 40000; id += 2) {
		CLEANUP_STR struct str frames = { 0 };

		if (id == 1)
			put_frame(&frames, SETTINGS, 0, 0, span_of(""));
		put_request(&frames, id, "/T/Echo");
		put_frame(&frames, RESET, 0, id, span_make("\0\0\0\x08", 4));
		on = rpc_feed(server, str_span(&frames), &err);
		rpc_wrote(server, rpc_output(server).len);
	}
	check(id < 40000, "20000 calls begun and reset");
	assert_int_equal(echo.n_open, 0);
}

/* Many streams, each with all but the last byte of a large message. */
static void unfinished_messages(void **state)
{
	enum { STREAMS = 20, CHUNK = 16384, CHUNKS = 60 };
	CLEANUP(echo_done) struct echo echo = { .n_open = 0 };
	CLEANUP(rpc_cleanup) struct rpc_connection *server = rpc_server_new(&echo_handlers, &echo);
	CLEANUP_FREE char *zeros = xcalloc(CHUNK, 1);
	CLEANUP_STR struct str frames = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(rpc_feed(server, span_of(PREFACE), &err));
	put_frame(&frames, SETTINGS, 0, 0, span_of(""));
	for (uint32_t i = 0; i < STREAMS; i++) {
		put_request(&frames, (2 * i) + 1, "/T/Echo");
		put_frame(&frames, DATA, 0, (2 * i) + 1, span_make("\0\0\x40\0\0", 5));
		for (int chunk = 0; chunk < CHUNKS; chunk++) {
			put_frame(&frames, DATA, 0, (2 * i) + 1, span_make(zeros, CHUNK));
			check(rpc_feed(server, str_span(&frames), &err), "%s", err.text);
			str_clear(&frames);
			while (rpc_output(server).len > 0)
				rpc_wrote(server, rpc_output(server).len);
		}
	}
	/* 16 MiB are 17 times 60 * 16 KiB and some: the 18th has to go, and frees its share each time. */
	assert_int_equal(echo.n_open, RPC_UNFINISHED_MAX / (CHUNKS * CHUNK));
}

static void request_that_is_none(void **state)
{
	static const struct {
		const char *name, *method, *type, *want;
	} rows[] = {
		{ "GET", "GET", "application/grpc", "405" },
		{ "JSON", "POST", "application/json", "415" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP(echo_done) struct echo echo = { .n_open = 0 };
		CLEANUP(rpc_cleanup)
		struct rpc_connection *server = rpc_server_new(&echo_handlers, &echo);
		CLEANUP_STR struct str frames = { 0 };
		CLEANUP_STR struct str headers = { 0 };
		struct err err = { 0 };
		struct span out;

		put_frame(&frames, SETTINGS, 0, 0, span_of(""));
		put_header(&headers, ":method", row->method);
		put_header(&headers, ":scheme", "http");
		put_header(&headers, ":path", "/T/Echo");
		put_header(&headers, ":authority", "localhost");
		put_header(&headers, "content-type", row->type);
		put_frame(&frames, HEADERS, END_HEADERS, 1, str_span(&headers));
		assert_true(rpc_feed(server, span_of(PREFACE), &err));
		rpc_wrote(server, rpc_output(server).len);
		assert_true(rpc_feed(server, str_span(&frames), &err));
		out = rpc_output(server);
		assert_int_equal(echo.n_open, 0);
		/* ":status" as a literal that enters the table, its value not Huffman coded. */
		str_clear(&headers);
		str_addf(&headers, "\x48\x03%s", row->want);
		check(memmem(out.ptr, out.len, headers.ptr, headers.len), "%s: not told",
		      row->name);
	}
}

static void goaway_with_error(void **state)
{
	CLEANUP(victim_done) struct victim victim = { .client = NULL };
	struct err err = { 0 };

	(void)state;
	victim_start(&victim);
	put_frame(&victim.bytes, GOAWAY, 0, 0, span_make("\0\0\0\0\0\0\0\2", 8));
	assert_true(victim_feed(&victim, &err));
	assert_true(victim.caller.ended);
	assert_int_equal(victim.caller.status.code, RPC_UNAVAILABLE);
	assert_true(rpc_is_finished(victim.client));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strange_answers),         cmocka_unit_test(strange_bodies),
		cmocka_unit_test(resets_without_trailers), cmocka_unit_test(not_http2),
		cmocka_unit_test(large_headers),           cmocka_unit_test(floods),
		cmocka_unit_test(resets_by_the_thousand),  cmocka_unit_test(unfinished_messages),
		cmocka_unit_test(request_that_is_none),    cmocka_unit_test(goaway_with_error),
	};

	return unit_main(tests);
}
