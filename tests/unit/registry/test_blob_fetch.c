/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of fetching in registry/blob.h: whatever the connections do, the right bytes once, or an error. */
#include "registry/blob.h"

#include "http/retry.h"
#include "registry/session_fixture.h"

/* The blob is so many bytes of server_byte(); longer than a read, and than what counts as progress. */
#define SIZE     ((uint64_t)3 << 20)
#define CUT      ((uint64_t)100000)
#define HTTP_206 "HTTP/1.1 206 Partial Content\r\n"
#define RANGE(s) HTTP_206 "Content-Range: " s "\r\n"
/* As numbers in headers. */
#define SIZE_TEXT "3145728"
#define LAST_TEXT "3145727"
#define REST      RANGE("bytes 100000-" LAST_TEXT "/" SIZE_TEXT)

struct collector {
	struct str bytes;
	size_t resets;
	uint64_t received;
	enum err_kind fail; /* of the first add, ERR_NONE = does not fail */
	bool fails_again;
};

static bool collect(void *ctx, struct span bytes, struct err *err)
{
	struct collector *collector = ctx;

	if (collector->fail != ERR_NONE) {
		enum err_kind kind = collector->fail;

		if (!collector->fails_again)
			collector->fail = ERR_NONE;
		return err_set(err, kind, "the sink says no");
	}
	str_add_span(&collector->bytes, bytes);
	return true;
}

static bool start_again(void *ctx, struct err *err)
{
	struct collector *collector = ctx;

	(void)err;
	collector->resets++;
	str_clear(&collector->bytes);
	return true;
}

static void count_received(void *ctx, uint64_t bytes)
{
	struct collector *collector = ctx;

	collector->received += bytes;
}

static void collector_done(struct collector *collector)
{
	str_done(&collector->bytes);
}

static void digest_of_bytes(uint64_t size, blob_digest ret)
{
	CLEANUP(digest_cleanup) struct digest *digest = digest_new();

	for (uint64_t i = 0; i < size; i++) {
		char byte = server_byte(i);

		digest_add(digest, &byte, 1);
	}
	memcpy(ret, "sha256:", strlen("sha256:"));
	digest_finish(digest, ret + strlen("sha256:"));
}

static bool is_right(const struct str *bytes, uint64_t size)
{
	if (bytes->len != size)
		return false;
	for (size_t i = 0; i < bytes->len; i++)
		if (bytes->ptr[i] != server_byte(i))
			return false;
	return true;
}

/* What it cost to send them: "-" or the Range of each request. */
static char *ranges_of(struct server *server)
{
	struct str text = { 0 };
	size_t n = server_n_requests(server);

	for (size_t i = 0; i < n; i++) {
		CLEANUP_FREE char *range = server_header_dup(server_request(server, i), "range");

		str_addf(&text, "%s%s", i > 0 ? " " : "", range ? range : "-");
	}
	return str_take(&text);
}

static const struct {
	const char *name;
	struct server_answer answers[5];
	size_t n;
	enum err_kind fail;
	bool fails_again;
	const char *error; /* part of it; NULL = none */
	enum err_kind kind;
	const char *ranges;
	size_t resets;
	uint64_t received; /* 0 = not checked */
} rows[] = {
	{
		.name = "in one go",
		.answers = { { .head = HTTP_200, .body_bytes = SIZE } },
		.n = 1,
		.ranges = "-",
		.received = SIZE,
	},
	{
		.name = "broken, goes on",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .head = REST, .body_bytes = SIZE - CUT, .body_start = CUT } },
		.n = 2,
		.ranges = "- bytes=100000-",
		.received = SIZE,
	},
	{
		.name = "the size is not known there",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .head = RANGE("bytes 100000-" LAST_TEXT "/*"),
			       .body_bytes = SIZE - CUT,
			       .body_start = CUT } },
		.n = 2,
		.ranges = "- bytes=100000-",
	},
	{
		.name = "the rest in two parts",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .times = 1,
			       .head = RANGE("bytes 100000-199999/" SIZE_TEXT),
			       .body_bytes = CUT,
			       .body_start = CUT },
			     { .head = RANGE("bytes 200000-" LAST_TEXT "/" SIZE_TEXT),
			       .body_bytes = SIZE - 2 * CUT,
			       .body_start = 2 * CUT } },
		.n = 3,
		.ranges = "- bytes=100000- bytes=200000-",
		.received = SIZE,
	},
	{
		.name = "ends early, and calls it the end",
		.answers = { { .times = 1, .head = HTTP_200, .body_bytes = CUT },
			     { .head = REST, .body_bytes = SIZE - CUT, .body_start = CUT } },
		.n = 2,
		.ranges = "- bytes=100000-",
	},
	{
		.name = "Range means nothing there: skips",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .head = HTTP_200, .body_bytes = SIZE } },
		.n = 2,
		.ranges = "- bytes=100000-",
		.received = SIZE + CUT,
	},
	{
		.name = "Range means nothing there, and breaks while skipping",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT / 2,
			       .end = SERVER_CLOSE },
			     { .head = HTTP_200, .body_bytes = SIZE } },
		.n = 3,
		.ranges = "- bytes=100000- bytes=100000-",
		.received = SIZE + CUT + CUT / 2,
	},
	{
		.name = "another range than asked for",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .head = RANGE("bytes 99999-" LAST_TEXT "/" SIZE_TEXT),
			       .body_bytes = SIZE - CUT + 1 } },
		.n = 2,
		.error =
			"asked for the bytes from 100000 of 3145728, the registry answers with \"bytes "
			"99999-3145727/3145728\"",
		.kind = ERR_GENERAL,
		.ranges = "- bytes=100000-",
	},
	{
		.name = "a range of something larger by one",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .head = RANGE("bytes 100000-" LAST_TEXT "/3145729"),
			       .body_bytes = SIZE - CUT + 1 } },
		.n = 2,
		.error = "the registry answers with \"bytes 100000-3145727/3145729\"",
		.kind = ERR_GENERAL,
		.ranges = "- bytes=100000-",
	},
	{
		.name = "a range with an end that is none",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .head = RANGE("bytes 100000-3145728/*"),
			       .body_bytes = SIZE - CUT + 1 } },
		.n = 2,
		.error = "the registry answers with \"bytes 100000-3145728/*\"",
		.kind = ERR_GENERAL,
		.ranges = "- bytes=100000-",
	},
	{
		.name = "a range that is none",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .head = RANGE("100000-"), .body_bytes = 1 } },
		.n = 2,
		.error = "the registry answers with \"100000-\"",
		.kind = ERR_GENERAL,
		.ranges = "- bytes=100000-",
	},
	{
		.name = "a part that does not say which",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .head = HTTP_206, .body_bytes = SIZE - CUT, .body_start = CUT } },
		.n = 2,
		.error = "the registry answers with \"\"",
		.kind = ERR_GENERAL,
		.ranges = "- bytes=100000-",
	},
	{
		.name = "there is no rest",
		.answers = { { .times = 1, .head = HTTP_200, .body_bytes = CUT },
			     { .head = "HTTP/1.1 416 x\r\n" } },
		.n = 2,
		.error =
			"HTTP 416: the registry has fewer than the 3145728 bytes that the manifest promises",
		.kind = ERR_CORRUPT,
		.ranges = "- bytes=100000-",
	},
	{
		.name = "a part without being asked",
		.answers = { { .head = RANGE("bytes 0-" LAST_TEXT "/" SIZE_TEXT),
			       .body_bytes = SIZE } },
		.n = 1,
		.error = "HTTP 206",
		.kind = ERR_GENERAL,
		.ranges = "-",
	},
	{
		.name = "no progress",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .head = REST, .body_bytes = 0 } },
		.n = 2,
		.error = "the answer ends after 100000 of 3145728 bytes",
		.kind = ERR_TRANSPORT,
		.ranges = "- bytes=100000- bytes=100000- bytes=100000- bytes=100000-",
	},
	{
		.name = "a bad moment in between",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_RESET },
			     { .times = 2, .head = HTTP_503 },
			     { .head = REST, .body_bytes = SIZE - CUT, .body_start = CUT } },
		.n = 3,
		/* What a reset leaves of the bytes on their way is not known. */
		.ranges = NULL,
	},
	{
		.name = "wrong bytes, then right ones",
		.answers = { { .times = 1, .head = HTTP_200, .body_bytes = SIZE, .body_start = 1 },
			     { .head = HTTP_200, .body_bytes = SIZE } },
		.n = 2,
		.ranges = "- -",
		.resets = 1,
		.received = 2 * SIZE,
	},
	{
		.name = "wrong bytes",
		.answers = { { .head = HTTP_200, .body_bytes = SIZE, .body_start = 1 } },
		.n = 1,
		.error = "the digest of its bytes is sha256:",
		.kind = ERR_CORRUPT,
		.ranges = "- -",
		.resets = 1,
	},
	{
		.name = "the wrong rest, then all of it",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body_bytes = SIZE,
			       .cut = CUT,
			       .end = SERVER_CLOSE },
			     { .times = 1,
			       .head = REST,
			       .body_bytes = SIZE - CUT,
			       .body_start = CUT + 1 },
			     { .head = HTTP_200, .body_bytes = SIZE } },
		.n = 3,
		.ranges = "- bytes=100000- -",
		.resets = 1,
	},
	{
		.name = "more than promised",
		.answers = { { .head = HTTP_200, .body_bytes = SIZE + 1 } },
		.n = 1,
		.error = "more bytes come than the 3145728 that the manifest promises",
		.kind = ERR_CORRUPT,
		.ranges = "- -",
		.resets = 1,
	},
	{
		.name = "not there",
		.answers = { { .head = "HTTP/1.1 404 x\r\n", .body = "" } },
		.n = 1,
		.error = "HTTP 404 (private, misspelt, or log in)",
		.kind = ERR_GENERAL,
		.ranges = "-",
	},
	{
		.name = "the sink fails",
		.answers = { { .head = HTTP_200, .body_bytes = SIZE } },
		.n = 1,
		.fail = ERR_GENERAL,
		.error = "the sink says no",
		.kind = ERR_GENERAL,
		.ranges = "-",
	},
	{
		.name = "the sink's own connection fails: not ours",
		.answers = { { .head = HTTP_200, .body_bytes = SIZE } },
		.n = 1,
		.fail = ERR_TRANSPORT,
		.error = "the sink says no",
		.kind = ERR_TRANSPORT,
		.ranges = "-",
	},
	{
		.name = "the sink sees damage",
		.answers = { { .head = HTTP_200, .body_bytes = SIZE } },
		.n = 1,
		.fail = ERR_CORRUPT,
		.ranges = "- -",
		.resets = 1,
	},
	{
		.name = "the sink sees damage again",
		.answers = { { .head = HTTP_200, .body_bytes = SIZE } },
		.n = 1,
		.fail = ERR_CORRUPT,
		.fails_again = true,
		.error = "the sink says no",
		.kind = ERR_CORRUPT,
		.ranges = "- -",
		.resets = 1,
	},
};

static void right_bytes_or_an_error(void **state)
{
	blob_digest digest;

	(void)state;
	digest_of_bytes(SIZE, digest);
	each_row(rows, row) {
		CLEANUP_FIXTURE struct fixture fixture;
		CLEANUP(collector_done)
		struct collector collector = {
			.fail = row->fail,
			.fails_again = row->fails_again,
		};
		const struct blob_sink sink = { collect, start_again, &collector };
		CLEANUP_FREE char *ranges = NULL;
		struct err err = { 0 };
		bool ok;

		fixture_start(&fixture, row->answers, row->n, NULL);
		ok = blob_fetch(fixture.registry, digest, SIZE, sink, count_received, &err);
		ranges = ranges_of(fixture.server);
		check(ok == !row->error, "%s: %s", row->name, err.text);
		check(!ok || is_right(&collector.bytes, SIZE), "%s: wrong bytes", row->name);
		check(ok || (span_starts_with(span_of(err.text), "pulling blob of 127.0.0.1:") &&
			     strstr(err.text, digest) && strstr(err.text, row->error)),
		      "%s: %s", row->name, err.text);
		check(err.kind == row->kind || ok, "%s: kind %d", row->name, (int)err.kind);
		check(!row->ranges || strcmp(ranges, row->ranges) == 0, "%s: ranges %s", row->name,
		      ranges);
		check(collector.resets == row->resets, "%s: %zu resets", row->name,
		      collector.resets);
		check(row->received == 0 || collector.received == row->received,
		      "%s: %llu received", row->name, (unsigned long long)collector.received);
	}
}

/* Connections that each carry enough may break any number of times. */
static void progress_is_no_failure(void **state)
{
	enum { PARTS = 12 };
	static const uint64_t part = BLOB_PROGRESS_BYTES;
	struct server_answer answers[PARTS];
	CLEANUP(collector_done) struct collector collector = { 0 };
	const struct blob_sink sink = { collect, start_again, &collector };
	CLEANUP_FIXTURE struct fixture fixture;
	char *heads[PARTS];
	struct err err = { 0 };
	blob_digest digest;

	(void)state;
	digest_of_bytes(PARTS * part, digest);
	for (uint64_t i = 0; i < PARTS; i++) {
		heads[i] = i == 0 ? xstrdup(HTTP_200) :
				    xasprintf(HTTP_206 "Content-Range: bytes %llu-%llu/*\r\n",
					      (unsigned long long)i * part,
					      (unsigned long long)PARTS * part - 1);
		answers[i] = (struct server_answer){
			.times = 1,
			.head = heads[i],
			.body_bytes = (PARTS - i) * part,
			.body_start = i * part,
			.cut = part,
			.end = SERVER_CLOSE,
		};
	}
	fixture_start(&fixture, answers, PARTS, NULL);
	check(blob_fetch(fixture.registry, digest, PARTS * part, sink, NULL, &err), "%s", err.text);
	assert_true(is_right(&collector.bytes, PARTS * part));
	assert_int_equal(server_n_requests(fixture.server), PARTS);
	for (size_t i = 0; i < PARTS; i++)
		free(heads[i]);
}

/* The signed address of the storage opens once: the rest is asked for at the registry, with what it wants to see. */
static void goes_back_to_the_registry(void **state)
{
	static const struct server_answer storage_answers[] = {
		{ .request = "GET /signed?1",
		  .times = 1,
		  .head = HTTP_200,
		  .body_bytes = SIZE,
		  .cut = CUT,
		  .end = SERVER_CLOSE },
		{ .request = "GET /signed?2", .times = 1, .head = "HTTP/1.1 403 expired\r\n" },
		{ .request = "GET /signed?3",
		  .times = 1,
		  .head = REST,
		  .body_bytes = SIZE - CUT,
		  .body_start = CUT },
		{ .head = "HTTP/1.1 403 expired\r\n" },
	};
	CLEANUP_SERVER struct server *storage = server_start(storage_answers,
							     ARRAY_LEN(storage_answers), NULL);
	CLEANUP_FREE char *one = xasprintf("HTTP/1.1 307 x\r\nLocation: %s/signed?1\r\n",
					   server_origin(storage));
	CLEANUP_FREE char *two = xasprintf("HTTP/1.1 307 x\r\nLocation: %s/signed?2\r\n",
					   server_origin(storage));
	CLEANUP_FREE char *three = xasprintf("HTTP/1.1 307 x\r\nLocation: %s/signed?3\r\n",
					     server_origin(storage));
	const struct server_answer answers[] = {
		{ .authorization = "", .head = HTTP_401 "WWW-Authenticate: Basic realm=\"x\"\r\n" },
		{ .times = 1, .head = one },
		{ .times = 1, .head = two },
		{ .times = 1, .head = three },
	};
	CLEANUP(collector_done) struct collector collector = { 0 };
	const struct blob_sink sink = { collect, start_again, &collector };
	CLEANUP_FIXTURE struct fixture fixture;
	CLEANUP_FREE char *ranges = NULL;
	struct err err = { 0 };
	blob_digest digest;

	(void)state;
	digest_of_bytes(SIZE, digest);
	fixture_start(&fixture, answers, ARRAY_LEN(answers), "u:p");
	check(blob_fetch(fixture.registry, digest, SIZE, sink, NULL, &err), "%s", err.text);
	assert_true(is_right(&collector.bytes, SIZE));
	ranges = ranges_of(storage);
	assert_string_equal(ranges, "- bytes=100000- bytes=100000-");
	fixture_check_log(storage, "storage",
			  "GET /signed?1 -\nGET /signed?2 -\nGET /signed?3 -\n");
}

/* A server that says nothing more after the last byte has said all. */
static void the_last_byte_is_the_end(void **state)
{
	static const struct server_answer answers[] = {
		{ .head = HTTP_200 "Transfer-Encoding: chunked\r\n",
		  .body = "2\r\n{}\r\n",
		  .has_length = true,
		  .end = SERVER_CLOSE },
	};
	static const char digest[] =
		"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
	CLEANUP_FIXTURE struct fixture fixture;
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	check(blob_fetch_text(fixture.registry, digest, 2, 2, &text, &err), "%s", err.text);
	assert_string_equal(str_text(&text), "{}");
	assert_int_equal(server_n_requests(fixture.server), 1);
}

static void small_blobs_come_as_text(void **state)
{
	static const struct server_answer answers[] = {
		{ .times = 1, .head = HTTP_200, .body = "[]" },
		{ .times = 1, .head = HTTP_200, .body = "{}" },
		{ .head = HTTP_200, .body = "" },
	};
	static const char digest[] =
		"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
	static const char digest_of_nothing[] =
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	CLEANUP_FIXTURE struct fixture fixture;
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	str_add(&text, "before ");
	check(blob_fetch_text(fixture.registry, digest, 2, 2, &text, &err), "%s", err.text);
	assert_string_equal(str_text(&text), "before {}");
	check(blob_fetch_text(fixture.registry, digest_of_nothing, 0, 2, &text, &err), "%s",
	      err.text);
	assert_false(blob_fetch_text(fixture.registry, digest, 3, 2, &text, &err));
	check(strstr(err.text, "has 3 bytes, which is more than the 2 that it may"), "%s",
	      err.text);
	assert_string_equal(str_text(&text), "before {}");
	assert_int_equal(server_n_requests(fixture.server), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_bytes_or_an_error),
		cmocka_unit_test(progress_is_no_failure),
		cmocka_unit_test(goes_back_to_the_registry),
		cmocka_unit_test(the_last_byte_is_the_end),
		cmocka_unit_test(small_blobs_come_as_text),
	};

	return unit_main(tests);
}
