/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/session.h: retries, errors in words, warnings, manifests. What is authenticated has its own. */
#include "registry/session.h"

#include "http/retry.h"
#include "registry/session_fixture.h"
#include "registry/user_agent.h"

#define MANIFEST     "GET /v2/org/vm/manifests/t"
#define BY_DIGEST(d) "GET /v2/org/vm/manifests/" d
/* Of "{}". */
#define DIGEST       "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define OTHER_DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define PAGE         "<html>bad gateway</html>"

static const struct {
	const char *name;
	struct server_answer answers[5];
	size_t n;
	const char *error;  /* its end; NULL = none */
	const char *detail; /* NULL = "" */
	size_t n_requests;
	size_t n_told;
} rows[] = {
	{
		.name = "nothing wrong",
		.answers = { { .head = HTTP_200, .body = "{}" } },
		.n = 1,
		.n_requests = 1,
	},
	{
		.name = "breaks before an answer",
		.answers = { { .times = 2, .end = SERVER_CLOSE },
			     { .head = HTTP_200, .body = "{}" } },
		.n = 2,
		.n_requests = 3,
		.n_told = 2,
	},
	{
		.name = "breaks in an answer",
		.answers = { { .times = 1,
			       .head = HTTP_200,
			       .body = "{}",
			       .cut = 1,
			       .end = SERVER_CLOSE },
			     { .head = HTTP_200, .body = "{}" } },
		.n = 2,
		.n_requests = 2,
		.n_told = 1,
	},
	{
		.name = "breaks always",
		.answers = { { .head = HTTP_200, .body = "{}", .cut = 1, .end = SERVER_RESET } },
		.n = 1,
		.error = "",
		.n_requests = RETRY_ATTEMPTS,
		.n_told = RETRY_ATTEMPTS - 1,
	},
	{
		.name = "bad moments of all kinds",
		.answers = { { .times = 1, .head = "HTTP/1.1 408 x\r\n" },
			     { .times = 1, .head = "HTTP/1.1 429 x\r\n" },
			     { .times = 1, .head = "HTTP/1.1 500 x\r\n" },
			     { .times = 1, .head = "HTTP/1.1 502 x\r\n" },
			     { .head = HTTP_200, .body = "{}" } },
		.n = 5,
		.n_requests = 5,
		.n_told = 4,
	},
	{
		.name = "and two more",
		.answers = { { .times = 1, .head = HTTP_503 },
			     { .times = 1, .head = "HTTP/1.1 504 x\r\n" },
			     { .head = HTTP_200, .body = "{}" } },
		.n = 3,
		.n_requests = 3,
		.n_told = 2,
	},
	{
		.name = "bad for ever",
		.answers = { { .head = "HTTP/1.1 502 x\r\n", .body = PAGE } },
		.n = 1,
		.error = "HTTP 502",
		.detail = PAGE,
		.n_requests = RETRY_ATTEMPTS,
		.n_told = RETRY_ATTEMPTS - 1,
	},
	{
		.name = "not worth another attempt",
		.answers = { { .head = "HTTP/1.1 501 x\r\n", .body = PAGE } },
		.n = 1,
		.error = "HTTP 501",
		.detail = PAGE,
		.n_requests = 1,
	},
	{
		.name = "later, in a moment",
		.answers = { { .times = 1, .head = "HTTP/1.1 429 x\r\nRetry-After: 2\r\n" },
			     { .head = HTTP_200, .body = "{}" } },
		.n = 2,
		.n_requests = 2,
		.n_told = 1,
	},
	{
		.name = "later, as long as we wait",
		.answers = { { .times = 1, .head = HTTP_503 "Retry-After: 300\r\n" },
			     { .head = HTTP_200, .body = "{}" } },
		.n = 2,
		.n_requests = 2,
		.n_told = 1,
	},
	{
		.name = "much later",
		.answers = { { .head = "HTTP/1.1 429 x\r\nRetry-After: 301\r\n" } },
		.n = 1,
		.error =
			"HTTP 429 (the registry limits requests: wait, or log in); it asks to wait for "
			"301 s, try again later",
		.n_requests = 1,
	},
	{
		.name = "not there",
		.answers = { { .head = "HTTP/1.1 404 x\r\n",
			       .body = "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"no such\"}]}" } },
		.n = 1,
		.error =
			"/org/vm:t: HTTP 404: MANIFEST_UNKNOWN: no such (private, misspelt, or log in)",
		.n_requests = 1,
	},
	{
		.name = "says its digest",
		.answers = { { .head = HTTP_200 "Docker-Content-Digest: " DIGEST "\r\n",
			       .body = "{}" } },
		.n = 1,
		.n_requests = 1,
	},
	{
		.name = "says a digest of a kind that we do not know",
		.answers = { { .head = HTTP_200 "Docker-Content-Digest: sha512:00\r\n",
			       .body = "{}" } },
		.n = 1,
		.n_requests = 1,
	},
	{
		.name = "says a wrong digest",
		.answers = { { .head = HTTP_200 "Docker-Content-Digest: " OTHER_DIGEST "\r\n",
			       .body = "{}" } },
		.n = 1,
		.error = "the registry says that its digest is " OTHER_DIGEST
			 ", but that of its bytes is " DIGEST,
		.n_requests = 1,
	},
	{
		.name = "as long as it may be",
		.answers = { { .head = HTTP_200, .body_bytes = MANIFEST_MAX } },
		.n = 1,
		.n_requests = 1,
	},
	{
		.name = "too long",
		.answers = { { .head = HTTP_200, .body_bytes = MANIFEST_MAX + 1 } },
		.n = 1,
		.error = "the answer is longer than 4194304 bytes",
		.n_requests = 1,
	},
};

static bool ends_with(const char *text, const char *end)
{
	return span_ends_with(span_of(text), end);
}

static void manifests_are_pulled(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP_FIXTURE struct fixture fixture;
		CLEANUP(fetched_manifest_done) struct fetched_manifest fetched = { 0 };
		struct err err = { 0 };
		bool ok;

		fixture_start(&fixture, row->answers, row->n, NULL);
		ok = registry_get_manifest(fixture.registry, "t", &fetched, NULL, &err);
		check(ok == !row->error, "%s: %s", row->name, err.text);
		check(ok || (span_starts_with(span_of(err.text),
					      "pulling manifest of 127.0.0.1:") &&
			     strstr(err.text, "/org/vm:t: ") && ends_with(err.text, row->error)),
		      "%s: %s", row->name, err.text);
		check(strcmp(err.detail, row->detail ? row->detail : "") == 0 || ok,
		      "%s: detail %s", row->name, err.detail);
		check(server_n_requests(fixture.server) == row->n_requests, "%s: %zu requests",
		      row->name, server_n_requests(fixture.server));
		check(count_of(str_text(&fixture.told), "Error pulling manifest: \"") ==
				      row->n_told &&
			      count_of(str_text(&fixture.told), "\", attempting to re-try...\n") ==
				      row->n_told,
		      "%s: told %s", row->name, str_text(&fixture.told));
		check(!ok || fetched.bytes.len == (row->answers[row->n - 1].body ?
							   2 :
							   row->answers[row->n - 1].body_bytes),
		      "%s: %zu bytes", row->name, fetched.bytes.len);
	}
}

static void a_manifest_comes_with_its_digest_and_type(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = MANIFEST,
		  .head = HTTP_200 "Content-Type: application/x; charset=utf-8\r\n",
		  .body = "{}" },
		{ .request = BY_DIGEST(DIGEST), .head = HTTP_200, .body = "{}" },
		{ .request = BY_DIGEST(OTHER_DIGEST), .head = HTTP_200, .body = "{}" },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	CLEANUP(fetched_manifest_done) struct fetched_manifest fetched = { 0 };
	CLEANUP_FREE char *accept = NULL;
	struct err err = { 0 };
	bool found = false;

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	assert_true(registry_get_manifest(fixture.registry, "t", &fetched, &found, &err));
	assert_true(found);
	assert_string_equal(fetched.digest, DIGEST);
	assert_string_equal(fetched.media_type, "application/x");
	accept = server_header_dup(server_request(fixture.server, 0), "accept");
	assert_string_equal(accept, "application/vnd.oci.image.manifest.v1+json, "
				    "application/vnd.oci.image.index.v1+json, "
				    "application/vnd.docker.distribution.manifest.v2+json, "
				    "application/vnd.docker.distribution.manifest.list.v2+json");

	fetched_manifest_done(&fetched);
	assert_true(registry_get_manifest(fixture.registry, DIGEST, &fetched, NULL, &err));
	assert_null(fetched.media_type);
	fetched_manifest_done(&fetched);
	assert_false(registry_get_manifest(fixture.registry, OTHER_DIGEST, &fetched, &found, &err));
	assert_int_equal(err.kind, ERR_CORRUPT);
	check(strstr(err.text, "/org/vm@" OTHER_DIGEST ": the digest of what came is " DIGEST),
	      "%s", err.text);
}

static void absence_is_an_answer_to_who_asks_for_it(void **state)
{
	static const struct server_answer answers[] = { { .head = "HTTP/1.1 404 x\r\n" } };
	CLEANUP_FIXTURE struct fixture fixture;
	struct fetched_manifest fetched = { 0 };
	struct err err = { 0 };
	bool found = true;

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	assert_true(registry_get_manifest(fixture.registry, "t", &fetched, &found, &err));
	assert_false(found);
	assert_null(fetched.bytes.ptr);
}

static const struct {
	const char *name;
	struct server_answer answer;
	const char *error; /* part of it; NULL = none */
} put_rows[] = {
	{ "created", { .head = "HTTP/1.1 201 x\r\n" }, NULL },
	{ "created, says the digest",
	  { .head = "HTTP/1.1 201 x\r\nDocker-Content-Digest: " DIGEST "\r\n" },
	  NULL },
	{ "something else was created",
	  { .head = "HTTP/1.1 201 x\r\nDocker-Content-Digest: " OTHER_DIGEST "\r\n" },
	  "the registry says that its digest is " OTHER_DIGEST },
	{ "refused",
	  { .head = "HTTP/1.1 403 x\r\n" },
	  "/org/vm:t: HTTP 403 (log in with an account that may push there)" },
};

static void manifests_are_pushed(void **state)
{
	(void)state;
	each_row(put_rows, row) {
		CLEANUP_FIXTURE struct fixture fixture;
		CLEANUP_FREE char *type = NULL;
		struct err err = { 0 };
		bool ok;

		fixture_start(&fixture, &row->answer, 1, NULL);
		ok = registry_put_manifest(fixture.registry, "t", "application/y", span_of("{}"),
					   &err);
		check(ok == !row->error, "%s: %s", row->name, err.text);
		check(ok || (strstr(err.text, "pushing manifest of 127.0.0.1:") &&
			     strstr(err.text, row->error)),
		      "%s: %s", row->name, err.text);
		type = server_header_dup(server_request(fixture.server, 0), "content-type");
		check(type && strcmp(type, "application/y") == 0, "%s: %s", row->name, type);
		check(span_is(str_span(&server_request(fixture.server, 0)->body), "{}"), "%s",
		      row->name);
		fixture_check_log(fixture.server, row->name, "PUT /v2/org/vm/manifests/t -\n");
	}
}

static void warnings_are_told_once(void **state)
{
	static const struct server_answer answers[] = {
		{ .head = HTTP_200
		  "Warning: 299 - \"the \\\"free\\\" days are over\"\r\n"
		  "Warning: 110 cache \"stale\"\r\nWarning: 299 - \"\"\r\n"
		  "Warning: 299 - \"open\r\nWarning: 299\r\nWarning: 299 - \"two\"\r\n",
		  .body = "{}" },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	CLEANUP_FREE char *want = NULL;
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	for (int i = 0; i < 3; i++) {
		CLEANUP(fetched_manifest_done) struct fetched_manifest fetched = { 0 };

		assert_true(registry_get_manifest(fixture.registry, "t", &fetched, NULL, &err));
	}
	want = xasprintf("Warning from the registry 127.0.0.1:%u: the \"free\" days are over\n"
			 "Warning from the registry 127.0.0.1:%u: two\n",
			 server_port(fixture.server), server_port(fixture.server));
	assert_string_equal(str_text(&fixture.told), want);
}

static const struct {
	const char *name;
	struct server_answer answer;
	const char *error; /* its end; NULL = none */
} ping_rows[] = {
	{ "a registry", { .head = HTTP_200, .body = "{}" }, NULL },
	{ "none", { .head = "HTTP/1.1 404 x\r\n" }, "HTTP 404 (no registry answers there)" },
	{ "wrong password",
	  { .head = HTTP_401 "WWW-Authenticate: Basic realm=\"x\"\r\n",
	    .body = "{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}" },
	  "HTTP 401: UNAUTHORIZED" },
};

static void registries_are_greeted(void **state)
{
	(void)state;
	each_row(ping_rows, row) {
		CLEANUP_FIXTURE struct fixture fixture;
		struct err err = { 0 };
		bool ok;

		fixture_start(&fixture, &row->answer, 1, "u:p");
		ok = registry_ping(fixture.registry, &err);
		check(ok == !row->error, "%s: %s", row->name, err.text);
		check(ok || (strstr(err.text, "doing ping of 127.0.0.1:") &&
			     ends_with(err.text, row->error)),
		      "%s: %s", row->name, err.text);
		check(strcmp(server_request(fixture.server, 0)->line, "GET /v2/") == 0, "%s",
		      row->name);
	}
}

static const struct {
	const char *name;
	const char *host;
	bool ok;
} hosts[] = {
	{ "name", "registry.example", true },
	{ "port", "localhost:5000", true },
	{ "address of a page", "https://registry.example", false },
	{ "path", "registry.example/x", false },
	{ "nothing", "", false },
	{ "somebody else's", "a@b", false },
};

static void hosts_are_checked(void **state)
{
	CLEANUP_HTTP struct http *http = NULL;

	(void)state;
	fixture_forget_environment();
	http = client_new(0);
	each_row(hosts, row) {
		const struct registry_options options = { .host = row->host };
		CLEANUP_REGISTRY struct registry *registry = NULL;
		struct err err = { 0 };

		check(registry_new(http, &options, &registry, &err) == row->ok, "%s: %s", row->name,
		      err.text);
		check(row->ok || err.kind == ERR_HOST, "%s: %s", row->name, err.text);
	}
}

static void addresses_keep_what_https_promises(void **state)
{
	static const int expected[] = { 200, 0 };
	const struct registry_options options = { .host = "registry.example", .repository = "a" };
	const struct registry_request request = {
		.method = HTTP_GET,
		.path = "http://127.0.0.1:1/upload",
		.body = HTTP_NO_BODY,
		.doing = "testing",
		.expected = expected,
	};
	CLEANUP_HTTP struct http *http = NULL;
	CLEANUP_REGISTRY struct registry *registry = NULL;
	struct err err = { 0 };

	(void)state;
	fixture_forget_environment();
	http = client_new(0);
	assert_true(registry_new(http, &options, &registry, &err));
	assert_false(registry_do(registry, &request, NULL, &err));
	assert_string_equal(
		err.text,
		"testing of registry.example/a: the registry goes on at an address without TLS, on "
		"127.0.0.1 (a proxy in front of it may not pass on X-Forwarded-Proto)");
}

/* A wait between two attempts ends with everything else. */
static void *cancel_main(void *ctx)
{
	struct fixture *fixture = ctx;

	server_wait(fixture->server, 1);
	http_cancel(fixture->http);
	return NULL;
}

static void waits_can_be_cancelled(void **state)
{
	static const struct server_answer answers[] = {
		{ .head = HTTP_503 "Retry-After: 300\r\n" },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct fetched_manifest fetched = { 0 };
	struct err err = { 0 };
	pthread_t thread;

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	registry_free(TAKE_PTR(fixture.registry));
	/* An hour and more. */
	(void)setenv("TART_RETRY_DELAY", "20000", 1);
	fixture_connect(&fixture, NULL);
	assert_int_equal(pthread_create(&thread, NULL, cancel_main, &fixture), 0);
	assert_false(registry_get_manifest(fixture.registry, "t", &fetched, NULL, &err));
	assert_int_equal(err.kind, ERR_CANCELLED);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void introduces_itself(void **state)
{
	CLEANUP_FREE char *agent = registry_user_agent();
	char version[64];
	char release[128];
	char machine[64];
	int end = 0;

	(void)state;
	assert_int_equal(sscanf(agent, "Tart/%63[^ ] (Linux %127[^;]; %63[^)])%n", version, release,
				machine, &end),
			 3);
	assert_int_equal(agent[end], '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifests_are_pulled),
		cmocka_unit_test(a_manifest_comes_with_its_digest_and_type),
		cmocka_unit_test(absence_is_an_answer_to_who_asks_for_it),
		cmocka_unit_test(manifests_are_pushed),
		cmocka_unit_test(warnings_are_told_once),
		cmocka_unit_test(registries_are_greeted),
		cmocka_unit_test(hosts_are_checked),
		cmocka_unit_test(addresses_keep_what_https_promises),
		cmocka_unit_test(waits_can_be_cancelled),
		cmocka_unit_test(introduces_itself),
	};

	return unit_main(tests);
}
