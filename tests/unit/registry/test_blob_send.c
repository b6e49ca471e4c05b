/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of sending and mounting in registry/blob.h: what is asked, in which order, and with which bytes. */
#include <sys/mman.h>

#include "http/retry.h"
#include "registry/blob.h"
#include "registry/session_fixture.h"

#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define QUERY  "digest=sha256%3Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define POST   "POST /v2/org/vm/blobs/uploads/"
#define MOUNT \
	POST "?mount=sha256%3Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&from=org%2Fother"
#define HEAD         "HEAD /v2/org/vm/blobs/" DIGEST
#define HTTP_201     "HTTP/1.1 201 Created\r\n"
#define HTTP_202     "HTTP/1.1 202 Accepted\r\n"
#define HTTP_204     "HTTP/1.1 204 No Content\r\n"
#define HTTP_416     "HTTP/1.1 416 x\r\n"
#define AT(location) "Location: " location "\r\n"
#define OPENED(location)                                                   \
	{                                                                  \
		.request = POST, .times = 1, .head = HTTP_202 AT(location) \
	}

/* Of ten bytes, so that all of it can be read here. */
#define CONTENT "0123456789"

/* "METHOD PATH [Content-Range] BODY" for each request. */
static char *log_of(struct server *server)
{
	struct str log = { 0 };
	size_t n = server_n_requests(server);

	for (size_t i = 0; i < n; i++) {
		const struct server_request *request = server_request(server, i);
		CLEANUP_FREE char *range = server_header_dup(request, "content-range");

		str_addf(&log, "%s", request->line);
		if (range)
			str_addf(&log, " [%s]", range);
		if (request->body.len > 0)
			str_addf(&log, " %s", str_text(&request->body));
		str_add_char(&log, '\n');
	}
	return str_take(&log);
}

static const struct {
	const char *name;
	uint64_t chunk_bytes;
	const char *mount_from;
	struct server_answer answers[8];
	size_t n;
	const char *error; /* part of it; NULL = none */
	const char *log;
} rows[] = {
	{
		.name = "whole",
		.answers = { OPENED("/u/1"), { .request = "PUT /u/1?" QUERY, .head = HTTP_201 } },
		.n = 2,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\n",
	},
	{
		.name = "absolute Location with a query of its own",
		.answers = { OPENED("@ORIGIN@/u/1?_state=x%2Fy&z"),
			     { .request = "PUT /u/1?_state=x%2Fy&z&" QUERY, .head = HTTP_201 } },
		.n = 2,
		.log = POST "\nPUT /u/1?_state=x%2Fy&z&" QUERY " " CONTENT "\n",
	},
	{
		.name = "Location relative to where we are",
		.answers = { OPENED("1"),
			     { .request = "PUT /v2/org/vm/blobs/uploads/1?" QUERY,
			       .head = HTTP_201 } },
		.n = 2,
		.log = POST "\nPUT /v2/org/vm/blobs/uploads/1?" QUERY " " CONTENT "\n",
	},
	{
		.name = "no Location",
		.answers = { { .request = POST, .head = HTTP_202 } },
		.n = 1,
		.error = "pushing blob (POST) of 127.0.0.1:",
		.log = POST "\n",
	},
	{
		.name = "Location that is none",
		.answers = { OPENED("ftp://x/") },
		.n = 1,
		.error = "pushing blob (POST) of 127.0.0.1:",
		.log = POST "\n",
	},
	{
		.name = "in chunks",
		.chunk_bytes = 4,
		.answers = { OPENED("/u/1"),
			     { .request = "PATCH /u/1",
			       .head = HTTP_202 AT("/u/2") "Range: 0-3\r\n" },
			     { .request = "PATCH /u/2", .head = HTTP_202 AT("/u/3?a=b") },
			     { .request = "PUT /u/3?a=b&" QUERY, .head = HTTP_201 } },
		.n = 4,
		.log = POST "\nPATCH /u/1 [0-3] 0123\nPATCH /u/2 [4-7] 4567\nPUT /u/3?a=b&" QUERY
			    " [8-9] 89\n",
	},
	{
		.name = "in chunks, as ECR has it",
		.chunk_bytes = 5,
		.answers = { OPENED("/u/1"),
			     { .request = "PATCH /u/1", .head = HTTP_201 },
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_202 } },
		.n = 3,
		.log = POST "\nPATCH /u/1 [0-4] 01234\nPUT /u/1?" QUERY " [5-9] 56789\n",
	},
	{
		.name = "one chunk is all",
		.chunk_bytes = 10,
		.answers = { OPENED("/u/1"), { .request = "PUT /u/1?" QUERY, .head = HTTP_201 } },
		.n = 2,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\n",
	},
	{
		.name = "chunks are too short for the registry",
		.chunk_bytes = 3,
		.answers = { { .request = POST,
			       .head = HTTP_202 AT("/u/1") "OCI-Chunk-Min-Length: 6\r\n" },
			     { .request = "PATCH /u/1", .head = HTTP_202 AT("/u/2") },
			     { .request = "PUT /u/2?" QUERY, .head = HTTP_201 } },
		.n = 3,
		.log = POST "\nPATCH /u/1 [0-5] 012345\nPUT /u/2?" QUERY " [6-9] 6789\n",
	},
	{
		.name = "chunks are long enough",
		.chunk_bytes = 6,
		.answers = { { .request = POST,
			       .head = HTTP_202 AT("/u/1") "OCI-Chunk-Min-Length: 3\r\n" },
			     { .request = "PATCH /u/1", .head = HTTP_202 AT("/u/2") },
			     { .request = "PUT /u/2?" QUERY, .head = HTTP_201 } },
		.n = 3,
		.log = POST "\nPATCH /u/1 [0-5] 012345\nPUT /u/2?" QUERY " [6-9] 6789\n",
	},
	{
		.name = "a minimum does not make chunks",
		.answers = { { .request = POST,
			       .head = HTTP_202 AT("/u/1") "OCI-Chunk-Min-Length: 3\r\n" },
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_201 } },
		.n = 2,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\n",
	},
	{
		.name = "a chunk is taken in part",
		.chunk_bytes = 6,
		.answers = { OPENED("/u/1"),
			     { .request = "PATCH /u/1",
			       .head = HTTP_202 AT("/u/2") "Range: 0-3\r\n" },
			     { .request = "PUT /u/2?" QUERY, .head = HTTP_201 } },
		.n = 3,
		.log = POST "\nPATCH /u/1 [0-5] 012345\nPUT /u/2?" QUERY " [4-9] 456789\n",
	},
	{
		.name = "a chunk is out of order: asks",
		.chunk_bytes = 4,
		.answers = { OPENED("/u/1"),
			     { .request = "PATCH /u/1", .head = HTTP_202 AT("/u/2") },
			     { .request = "PATCH /u/2", .times = 1, .head = HTTP_416 },
			     { .request = "GET /u/2",
			       .head = HTTP_204 AT("/u/3") "Range: 0-1\r\n" },
			     { .request = "PATCH /u/3", .head = HTTP_202 AT("/u/4") },
			     { .request = "PUT /u/4?" QUERY, .head = HTTP_201 } },
		.n = 6,
		.log = POST "\nPATCH /u/1 [0-3] 0123\nPATCH /u/2 [4-7] 4567\nGET /u/2\n"
			    "PATCH /u/3 [2-5] 2345\nPUT /u/4?" QUERY " [6-9] 6789\n",
	},
	{
		.name = "breaks, goes on where the registry is",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_503 },
			     { .request = "GET /u/1",
			       .head = HTTP_204 AT("/u/2") "Range: 0-5\r\n" },
			     { .request = "PUT /u/2?" QUERY, .head = HTTP_201 } },
		.n = 4,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\nGET /u/1\nPUT /u/2?" QUERY
			    " [6-9] 6789\n",
	},
	{
		.name = "breaks without a word",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY, .end = SERVER_CLOSE },
			     { .request = "GET /u/1",
			       .head = HTTP_204 AT("/u/2") "Range: 0-5\r\n" },
			     { .request = "PUT /u/2?" QUERY, .head = HTTP_201 } },
		.n = 4,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\nGET /u/1\nPUT /u/2?" QUERY
			    " [6-9] 6789\n",
	},
	{
		.name = "breaks when all was there",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY, .times = 1, .head = HTTP_503 },
			     { .request = "GET /u/1", .head = HTTP_204 "Range: bytes=0-9\r\n" },
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_201 } },
		.n = 4,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\nGET /u/1\nPUT /u/1?" QUERY "\n",
	},
	{
		.name = "breaks, and has been done",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_503 },
			     { .request = HEAD, .head = HTTP_200 } },
		.n = 3,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\nGET /u/1\nDELETE /u/1\n" HEAD "\n",
	},
	{
		.name = "breaks, and nothing is left",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_503 },
			     OPENED("/u/2"),
			     { .request = "PUT /u/2?" QUERY, .head = HTTP_201 } },
		.n = 4,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\nGET /u/1\nDELETE /u/1\n" HEAD
			    "\n" POST "\nPUT /u/2?" QUERY " " CONTENT "\n",
	},
	{
		.name = "the registry has nothing, or one byte",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_503 },
			     { .request = "GET /u/1", .head = HTTP_204 "Range: 0-0\r\n" },
			     { .request = "DELETE /u/1", .head = HTTP_204 },
			     OPENED("/u/2"),
			     { .request = "PUT /u/2?" QUERY, .head = HTTP_201 } },
		.n = 6,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\nGET /u/1\nDELETE /u/1\n" HEAD
			    "\n" POST "\nPUT /u/2?" QUERY " " CONTENT "\n",
	},
	{
		.name = "the registry has more than there is",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_503 },
			     { .request = "GET /u/1", .head = HTTP_204 "Range: 0-10\r\n" },
			     { .request = "DELETE /u/1", .head = HTTP_204 },
			     OPENED("/u/2"),
			     { .request = "PUT /u/2?" QUERY, .head = HTTP_201 } },
		.n = 6,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\nGET /u/1\nDELETE /u/1\n" HEAD
			    "\n" POST "\nPUT /u/2?" QUERY " " CONTENT "\n",
	},
	{
		.name = "the question breaks, too",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_503 },
			     { .request = "GET /u/1", .times = 1, .head = HTTP_503 },
			     { .request = "GET /u/1", .times = 1, .end = SERVER_CLOSE },
			     { .request = "GET /u/1",
			       .head = HTTP_204 AT("/u/2") "Range: 0-5\r\n" },
			     { .request = "PUT /u/2?" QUERY, .head = HTTP_201 } },
		.n = 6,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT
			    "\nGET /u/1\nGET /u/1\nGET /u/1\nPUT /u/2?" QUERY " [6-9] 6789\n",
	},
	{
		.name = "what was put together is refused",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_503 },
			     { .request = "GET /u/1",
			       .head = HTTP_204 AT("/u/2") "Range: 0-5\r\n" },
			     { .request = "PUT /u/2?" QUERY, .head = "HTTP/1.1 400 x\r\n" },
			     { .request = "DELETE /u/2", .head = HTTP_204 },
			     OPENED("/u/3"),
			     { .request = "PUT /u/3?" QUERY, .head = HTTP_201 } },
		.n = 7,
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\nGET /u/1\nPUT /u/2?" QUERY
			    " [6-9] 6789\nDELETE /u/2\n" POST "\nPUT /u/3?" QUERY " " CONTENT "\n",
	},
	{
		.name = "what came in one piece is refused",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY,
			       .head = "HTTP/1.1 400 x\r\n",
			       .body = "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}" },
			     { .request = "DELETE /u/1", .head = HTTP_204 } },
		.n = 3,
		.error = "pushing blob (PUT) of 127.0.0.1:",
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\nDELETE /u/1\n",
	},
	{
		.name = "the session is lost between chunks",
		.chunk_bytes = 5,
		.answers = { OPENED("/u/1"),
			     { .request = "PATCH /u/1", .head = "HTTP/1.1 404 x\r\n" },
			     OPENED("/u/2"),
			     { .request = "PATCH /u/2", .head = HTTP_202 },
			     { .request = "PUT /u/2?" QUERY, .head = HTTP_201 } },
		.n = 5,
		.log = POST "\nPATCH /u/1 [0-4] 01234\nDELETE /u/1\n" POST
			    "\nPATCH /u/2 [0-4] 01234\nPUT /u/2?" QUERY " [5-9] 56789\n",
	},
	{
		.name = "later, much",
		.answers = { OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY,
			       .head = "HTTP/1.1 429 x\r\nRetry-After: 9999\r\n" },
			     { .request = "DELETE /u/1", .head = HTTP_204 } },
		.n = 3,
		.error = "it asks to wait for 9999 s",
		.log = POST "\nPUT /u/1?" QUERY " " CONTENT "\nDELETE /u/1\n",
	},
	{
		.name = "pushing is not allowed",
		.answers = { { .request = POST,
			       .head = "HTTP/1.1 403 x\r\n",
			       .body = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"read only\"}]}" } },
		.n = 1,
		.error = "HTTP 403: DENIED: read only (log in with an account that may push there)",
		.log = POST "\n",
	},
	{
		.name = "mounted",
		.mount_from = "org/other",
		.answers = { { .request = MOUNT, .head = HTTP_201 AT("/v2/org/vm/blobs/x") } },
		.n = 1,
		.log = MOUNT "\n",
	},
	{
		.name = "not mounted: the session is used",
		.mount_from = "org/other",
		.answers = { { .request = MOUNT, .head = HTTP_202 AT("/u/1") },
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_201 } },
		.n = 2,
		.log = MOUNT "\nPUT /u/1?" QUERY " " CONTENT "\n",
	},
	{
		.name = "mounting is refused: sends",
		.mount_from = "org/other",
		.answers = { { .request = MOUNT, .head = "HTTP/1.1 403 x\r\n" },
			     OPENED("/u/1"),
			     { .request = "PUT /u/1?" QUERY, .head = HTTP_201 } },
		.n = 3,
		.log = MOUNT "\n" POST "\nPUT /u/1?" QUERY " " CONTENT "\n",
	},
};

static void blobs_are_sent(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP_FIXTURE struct fixture fixture;
		const struct blob_upload upload = {
			.digest = DIGEST,
			.content = { .bytes = { CONTENT, strlen(CONTENT) }, .fd = -1 },
			.chunk_bytes = row->chunk_bytes,
			.mount_from = row->mount_from,
		};
		CLEANUP_FREE char *log = NULL;
		struct err err = { 0 };
		bool ok;

		fixture_start(&fixture, row->answers, row->n, NULL);
		ok = blob_send(fixture.registry, &upload, &err);
		log = log_of(fixture.server);
		check(ok == !row->error, "%s: %s\n%s", row->name, err.text, log);
		check(ok || (strstr(err.text, row->error) && strstr(err.text, DIGEST)), "%s: %s",
		      row->name, err.text);
		check(strcmp(log, row->log) == 0, "%s: asked\n%swanted\n%s", row->name, log,
		      row->log);
	}
}

/* Broken five times without getting on: enough. */
static void gives_up(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = POST, .head = HTTP_202 AT("/u/1") },
		{ .request = "PUT /u/1?" QUERY, .head = HTTP_503, .body = "not now" },
		{ .request = "GET /u/1", .head = HTTP_204 "Range: 0-5\r\n" },
	};
	const struct blob_upload upload = {
		.digest = DIGEST,
		.content = { .bytes = { CONTENT, strlen(CONTENT) }, .fd = -1 },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	CLEANUP_FREE char *log = NULL;
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	assert_false(blob_send(fixture.registry, &upload, &err));
	check(strstr(err.text, "HTTP 503") && strcmp(err.detail, "not now") == 0, "%s", err.text);
	log = log_of(fixture.server);
	assert_int_equal(count_of(log, "PUT "), RETRY_ATTEMPTS);
	assert_int_equal(count_of(log, "DELETE "), 1);
	assert_int_equal(count_of(str_text(&fixture.told), "attempting to re-try"),
			 RETRY_ATTEMPTS - 1);
}

/* An upload may break any number of times that gets further each time. */
static void progress_is_no_failure(void **state)
{
	enum { PARTS = 8 };
	static const uint64_t part = BLOB_PROGRESS_BYTES;
	CLEANUP_FREE char *content = xcalloc(PARTS, part);
	const struct blob_upload upload = {
		.digest = DIGEST,
		.content = { .bytes = { content, PARTS * part }, .fd = -1 },
	};
	struct server_answer answers[1 + 2 * PARTS] = { { .request = POST,
							  .head = HTTP_202 AT("/u/0") } };
	char *texts[3 * PARTS] = { NULL };
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < PARTS; i++) {
		texts[3 * i] = xasprintf("PUT /u/%zu?%s", i, QUERY);
		texts[3 * i + 1] = xasprintf("GET /u/%zu", i);
		texts[3 * i + 2] = xasprintf(HTTP_204 "Location: /u/%zu\r\nRange: 0-%zu\r\n", i + 1,
					     (size_t)((i + 1) * part - 1));
		answers[1 + 2 * i] = (struct server_answer){
			.request = texts[3 * i],
			.head = i + 1 < PARTS ? HTTP_503 : HTTP_201,
		};
		answers[2 + 2 * i] = (struct server_answer){
			.request = texts[3 * i + 1],
			.head = texts[3 * i + 2],
		};
	}
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	check(blob_send(fixture.registry, &upload, &err), "%s", err.text);
	assert_int_equal(server_n_requests(fixture.server), 1 + 2 * PARTS - 1);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
}

/* Uploads on another host get no credentials, not even when it wants them. */
static void uploads_elsewhere_get_no_credentials(void **state)
{
	static const struct server_answer elsewhere_answers[] = {
		{ .request = "PATCH /u/1", .head = HTTP_202 },
		{ .request = "PUT /u/1?" QUERY,
		  .head = HTTP_401 "WWW-Authenticate: Basic realm=\"x\"\r\n" },
		{ .request = "DELETE /u/1", .head = HTTP_204 },
	};
	CLEANUP_SERVER struct server *elsewhere = server_start(elsewhere_answers,
							       ARRAY_LEN(elsewhere_answers), NULL);
	CLEANUP_FREE char *head = xasprintf(HTTP_202 "Location: %s/u/1\r\n",
					    server_origin(elsewhere));
	const struct server_answer answers[] = {
		{ .authorization = "", .head = HTTP_401 "WWW-Authenticate: Basic realm=\"x\"\r\n" },
		{ .request = POST, .head = head },
	};
	const struct blob_upload upload = {
		.digest = DIGEST,
		.content = { .bytes = { CONTENT, strlen(CONTENT) }, .fd = -1 },
		.chunk_bytes = 5,
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), "u:p");
	assert_false(blob_send(fixture.registry, &upload, &err));
	check(strstr(err.text, "HTTP 401"), "%s", err.text);
	fixture_check_log(fixture.server, "registry", POST " -\n" POST " Basic dTpw\n");
	fixture_check_log(elsewhere, "elsewhere",
			  "PATCH /u/1 -\nPUT /u/1?" QUERY " -\nDELETE /u/1 -\n");
}

/* What a file has between two offsets, and how much of it is said to have gone. */
static void sends_from_a_file(void **state)
{
	static const struct server_answer answers[] = {
		OPENED("/u/1"),
		{ .request = "PATCH /u/1", .head = HTTP_202 },
		{ .request = "PUT /u/1?" QUERY, .head = HTTP_201 },
	};
	CLEANUP_CLOSE int fd = memfd_create("blob", MFD_CLOEXEC);
	const struct blob_upload upload = {
		.digest = DIGEST,
		.content = { .fd = fd, .fd_offset = 3, .fd_len = 10 },
		.chunk_bytes = 6,
	};
	CLEANUP_FIXTURE struct fixture fixture;
	CLEANUP_FREE char *log = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(write(fd, "xxx" CONTENT "yyy", 16), 16);
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	check(blob_send(fixture.registry, &upload, &err), "%s", err.text);
	log = log_of(fixture.server);
	assert_string_equal(log, POST "\nPATCH /u/1 [0-5] 012345\nPUT /u/1?" QUERY " [6-9] 6789\n");
}

/* The token ends on the way: the registry says so before it has read the body, and hangs up. */
static void a_body_is_sent_again_with_a_new_token(void **state)
{
	enum { LEN = 5 << 20 };
	static const char challenge[] = HTTP_401
		"WWW-Authenticate: Bearer realm=\"@ORIGIN@/token\"\r\n";
	static const struct server_answer answers[] = {
		{ .request = "GET /token",
		  .times = 1,
		  .head = HTTP_200,
		  .body = "{\"token\":\"T1\"}" },
		{ .request = "GET /token",
		  .times = 1,
		  .head = HTTP_200,
		  .body = "{\"token\":\"T2\"}" },
		{ .request = POST, .authorization = "Bearer T1", .head = HTTP_202 AT("/u/1") },
		{ .request = "PUT /u/1?" QUERY, .authorization = "Bearer T2", .head = HTTP_201 },
		{ .request = "PUT /u/1?" QUERY,
		  .head = challenge,
		  .is_early = true,
		  .end = SERVER_CLOSE },
		{ .head = challenge },
	};
	CLEANUP_FREE char *content = xcalloc(LEN, 1);
	const struct blob_upload upload = {
		.digest = DIGEST,
		.content = { .bytes = { content, LEN }, .fd = -1 },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		content[i] = server_byte(i);
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	check(blob_send(fixture.registry, &upload, &err), "%s", err.text);
	fixture_check_log(fixture.server, "tokens",
			  POST " -\nGET /token -\n" POST " Bearer T1\nPUT /u/1?" QUERY
			       " Bearer T1\nGET /token -\nPUT /u/1?" QUERY " Bearer T2\n");
	assert_true(span_equal(str_span(&server_request(fixture.server, 5)->body),
			       span_make(content, LEN)));
}

struct sent_log {
	pthread_mutex_t lock;
	struct str totals;
};

static void log_sent(void *ctx, uint64_t total_bytes)
{
	struct sent_log *sent = ctx;

	pthread_mutex_lock(&sent->lock);
	str_addf(&sent->totals, " %llu", (unsigned long long)total_bytes);
	pthread_mutex_unlock(&sent->lock);
}

/* Forwards within a part; back to where the registry is after a break. */
static void tells_how_much_has_gone(void **state)
{
	static const struct server_answer answers[] = {
		OPENED("/u/1"),
		{ .request = "PUT /u/1?" QUERY, .end = SERVER_CLOSE },
		{ .request = "GET /u/1", .head = HTTP_204 AT("/u/2") "Range: 0-5\r\n" },
		{ .request = "PUT /u/2?" QUERY, .head = HTTP_201 },
	};
	struct sent_log sent = { .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct blob_upload upload = {
		.digest = DIGEST,
		.content = { .bytes = { CONTENT, strlen(CONTENT) }, .fd = -1 },
		.sent = log_sent,
		.ctx = &sent,
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	check(blob_send(fixture.registry, &upload, &err), "%s", err.text);
	assert_string_equal(str_text(&sent.totals), " 0 10 6 10");
	str_done(&sent.totals);
}

static const struct {
	const char *name;
	struct server_answer answers[2];
	size_t n;
	bool mounted;
	const char *error;
	const char *log;
} mount_rows[] = {
	{ "mounted", { { .head = HTTP_201 } }, 1, true, NULL, MOUNT "\n" },
	{ "not, and a session to cancel",
	  { { .request = MOUNT, .head = HTTP_202 AT("/u/1") },
	    { .request = "DELETE /u/1", .head = HTTP_204 } },
	  2,
	  false,
	  NULL,
	  MOUNT "\nDELETE /u/1\n" },
	{ "not known", { { .head = "HTTP/1.1 404 x\r\n" } }, 1, false, NULL, MOUNT "\n" },
	{ "not allowed",
	  { { .head = HTTP_401 "WWW-Authenticate: Basic realm=\"x\"\r\n" } },
	  1,
	  false,
	  NULL,
	  MOUNT "\n" },
	{ "no answer",
	  { { .end = SERVER_CLOSE } },
	  1,
	  false,
	  "mounting blob of 127.0.0.1:",
	  MOUNT "\n" MOUNT "\n" MOUNT "\n" MOUNT "\n" MOUNT "\n" },
};

static void blobs_are_mounted(void **state)
{
	(void)state;
	each_row(mount_rows, row) {
		CLEANUP_FIXTURE struct fixture fixture;
		CLEANUP_FREE char *log = NULL;
		struct err err = { 0 };
		bool mounted = false;
		bool ok;

		fixture_start(&fixture, row->answers, row->n, NULL);
		ok = blob_mount(fixture.registry, DIGEST, "org/other", &mounted, &err);
		check(ok == !row->error, "%s: %s", row->name, err.text);
		check(ok || strstr(err.text, row->error), "%s: %s", row->name, err.text);
		check(mounted == row->mounted, "%s", row->name);
		log = log_of(fixture.server);
		check(strcmp(log, row->log) == 0, "%s: asked\n%s", row->name, log);
	}
}

static void presence_is_asked_for(void **state)
{
	static const struct server_answer answers[] = {
		{ .times = 1, .head = HTTP_200 "Content-Length: 7\r\n", .has_length = true },
		{ .times = 1, .head = "HTTP/1.1 404 x\r\n" },
		{ .head = "HTTP/1.1 403 x\r\n" },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };
	bool exists = false;

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	assert_true(blob_exists(fixture.registry, DIGEST, &exists, &err));
	assert_true(exists);
	assert_true(blob_exists(fixture.registry, DIGEST, &exists, &err));
	assert_false(exists);
	assert_false(blob_exists(fixture.registry, DIGEST, &exists, &err));
	check(strstr(err.text, "checking blob of 127.0.0.1:") && strstr(err.text, "HTTP 403"), "%s",
	      err.text);
	fixture_check_log(fixture.server, "presence", HEAD " -\n" HEAD " -\n" HEAD " -\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blobs_are_sent),
		cmocka_unit_test(gives_up),
		cmocka_unit_test(progress_is_no_failure),
		cmocka_unit_test(uploads_elsewhere_get_no_credentials),
		cmocka_unit_test(sends_from_a_file),
		cmocka_unit_test(a_body_is_sent_again_with_a_new_token),
		cmocka_unit_test(tells_how_much_has_gone),
		cmocka_unit_test(blobs_are_mounted),
		cmocka_unit_test(presence_is_asked_for),
	};

	return unit_main(tests);
}
