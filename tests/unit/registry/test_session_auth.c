/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of registry/session_auth.h and session_token.h: who is asked what, and what is sent to whom. */
#include "registry/session_auth.h"

#include "http/retry.h"
#include "registry/session_fixture.h"
#include "registry/session_private.h"
#include "registry/session_token.h"

#define MANIFEST     "GET /v2/org/vm/manifests/t"
#define CHALLENGE(s) HTTP_401 "WWW-Authenticate: " s "\r\n"
#define BEARER     \
	CHALLENGE( \
		"Bearer realm=\"@ORIGIN@/token\",service=\"reg\",scope=\"repository:org/vm:pull\"")
#define TOKEN "GET /token?scope=repository%3Aorg%2Fvm%3Apull&service=reg"
/* u:p */
#define BASIC "Basic dTpw"

static bool pull(struct fixture *fixture, struct err *err)
{
	CLEANUP(fetched_manifest_done) struct fetched_manifest fetched = { 0 };

	return registry_get_manifest(fixture->registry, "t", &fetched, NULL, err);
}

static const struct {
	const char *name;
	const char *user;
	struct server_answer answers[6];
	size_t n;
	const char *error; /* part of it; NULL = none */
	const char *log;
} rows[] = {
	{
		.name = "nothing wanted",
		.user = "u:p",
		.answers = { { .head = HTTP_200, .body = "{}" } },
		.n = 1,
		.log = MANIFEST " -\n",
	},
	{
		.name = "Basic",
		.user = "u:p",
		.answers = { { .authorization = BASIC, .head = HTTP_200, .body = "{}" },
			     { .head = CHALLENGE("Basic realm=\"x\"") } },
		.n = 2,
		.log = MANIFEST " -\n" MANIFEST " " BASIC "\n",
	},
	{
		.name = "Basic, but nobody knows a password",
		.answers = { { .head = CHALLENGE("Basic realm=\"x\"") } },
		.n = 1,
		.error = "HTTP 401 (private, misspelt, or log in)",
		.log = MANIFEST " -\n",
	},
	{
		.name = "Basic, wrong password",
		.user = "u:p",
		.answers = { { .head = CHALLENGE("Basic realm=\"x\"") } },
		.n = 1,
		.error = "HTTP 401 (private, misspelt, or log in)",
		.log = MANIFEST " -\n" MANIFEST " " BASIC "\n",
	},
	{
		.name = "anonymous token",
		.answers = { { .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
			     { .request = TOKEN, .head = HTTP_200, .body = "{\"token\":\"T\"}" },
			     { .head = BEARER } },
		.n = 3,
		.log = MANIFEST " -\n" TOKEN " -\n" MANIFEST " Bearer T\n",
	},
	{
		.name = "token for a password",
		.user = "u:p",
		.answers = { { .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
			     { .request = TOKEN,
			       .authorization = BASIC,
			       .head = HTTP_200,
			       .body = "{\"access_token\":\"T\"}" },
			     { .head = BEARER } },
		.n = 3,
		.log = MANIFEST " -\n" TOKEN " " BASIC "\n" MANIFEST " Bearer T\n",
	},
	{
		.name = "Bearer is preferred to Basic",
		.user = "u:p",
		.answers = { { .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
			     { .request = "GET /t", .head = HTTP_200, .body = "{\"token\":\"T\"}" },
			     { .head = HTTP_401
			       "WWW-Authenticate: Basic realm=\"x\"\r\n"
			       "WWW-Authenticate: Bearer realm=\"@ORIGIN@/t\"\r\n" } },
		.n = 3,
		.log = MANIFEST " -\nGET /t " BASIC "\n" MANIFEST " Bearer T\n",
	},
	{
		.name = "the token is refused: final",
		.answers = { { .request = TOKEN, .head = HTTP_200, .body = "{\"token\":\"T\"}" },
			     { .head = BEARER,
			       .body = "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"go away\"}]}" } },
		.n = 2,
		.error = "pulling manifest of 127.0.0.1:",
		.log = MANIFEST " -\n" TOKEN " -\n" MANIFEST " Bearer T\n",
	},
	{
		.name = "the realm's own query, several scopes",
		.answers = { { .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
			     { .request = "GET /token?a=b&scope=x%3Ay&scope=z",
			       .head = HTTP_200,
			       .body = "{\"token\":\"T\"}" },
			     { .head = CHALLENGE(
				       "Bearer realm=\"@ORIGIN@/token?a=b\",scope=\"x:y  z\"") } },
		.n = 3,
		.log = MANIFEST " -\nGET /token?a=b&scope=x%3Ay&scope=z -\n" MANIFEST " Bearer T\n",
	},
	{
		.name = "identity token",
		.user = "<token>:id&1",
		.answers = { { .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
			     { .request = "POST /token",
			       .head = HTTP_200,
			       .body = "{\"access_token\":\"T\"}" },
			     { .head = BEARER } },
		.n = 3,
		.log = MANIFEST " -\nPOST /token -\n" MANIFEST " Bearer T\n",
	},
	{
		.name = "identity token where POST is missing",
		.user = "<token>:p",
		.answers = { { .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
			     { .request = "POST /token", .head = "HTTP/1.1 405 No\r\n" },
			     { .request = TOKEN, .head = HTTP_200, .body = "{\"token\":\"T\"}" },
			     { .head = BEARER } },
		.n = 4,
		.log = MANIFEST " -\nPOST /token -\n" TOKEN " Basic PHRva2VuPjpw\n" MANIFEST
				" Bearer T\n",
	},
	{
		.name = "identity token where POST is unknown",
		.user = "<token>:p",
		.answers = { { .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
			     { .request = "POST /token", .head = "HTTP/1.1 404 No\r\n" },
			     { .request = TOKEN, .head = HTTP_200, .body = "{\"token\":\"T\"}" },
			     { .head = BEARER } },
		.n = 4,
		.log = MANIFEST " -\nPOST /token -\n" TOKEN " Basic PHRva2VuPjpw\n" MANIFEST
				" Bearer T\n",
	},
	{
		.name = "identity token that is refused",
		.user = "<token>:p",
		.answers = { { .request = "POST /token",
			       .head = HTTP_401,
			       .body = "the secret that you sent is p" },
			     { .head = BEARER } },
		.n = 2,
		.error = "authenticating with 127.0.0.1: HTTP 401 (wrong user name or password?)",
		.log = MANIFEST " -\nPOST /token -\n",
	},
	{
		.name = "scheme that nobody knows",
		.user = "u:p",
		.answers = { { .head = CHALLENGE("Digest realm=\"x\"") } },
		.n = 1,
		.error = "authentication scheme 'Digest' is unsupported",
		.log = MANIFEST " -\n",
	},
	{
		.name = "no challenge",
		.user = "u:p",
		.answers = { { .head = HTTP_401 } },
		.n = 1,
		.error = "got HTTP 401, but WWW-Authenticate header is missing",
		.log = MANIFEST " -\n",
	},
	{
		.name = "realm that is no address",
		.user = "u:p",
		.answers = { { .head = CHALLENGE("Bearer realm=\"token\"") } },
		.n = 1,
		.error = "authenticating: the token server that the registry names",
		.log = MANIFEST " -\n",
	},
	{
		.name = "token server refuses",
		.user = "u:p",
		.answers = { { .request = TOKEN,
			       .head = "HTTP/1.1 403 No\r\n",
			       .body = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"}]}" },
			     { .head = BEARER } },
		.n = 2,
		.error = "HTTP 403: DENIED: no (wrong user name or password?)",
		.log = MANIFEST " -\n" TOKEN " " BASIC "\n",
	},
	{
		.name = "token server refuses somebody without a name",
		.answers = { { .request = TOKEN, .head = HTTP_401 }, { .head = BEARER } },
		.n = 2,
		.error = "authenticating with 127.0.0.1: HTTP 401 (private, misspelt, or log in)",
		.log = MANIFEST " -\n" TOKEN " -\n",
	},
	{
		.name = "token server has a bad moment",
		.answers = { { .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
			     { .request = TOKEN, .times = 1, .head = HTTP_503 },
			     { .request = TOKEN,
			       .times = 1,
			       .head = HTTP_200,
			       .body = "xx",
			       .cut = 1,
			       .end = SERVER_RESET },
			     { .request = TOKEN, .head = HTTP_200, .body = "{\"token\":\"T\"}" },
			     { .head = BEARER } },
		.n = 5,
		.log = MANIFEST " -\n" TOKEN " -\n" TOKEN " -\n" TOKEN " -\n" MANIFEST
				" Bearer T\n",
	},
	{
		.name = "token server has many bad moments",
		.answers = { { .request = TOKEN, .head = HTTP_503 }, { .head = BEARER } },
		.n = 2,
		.error = "authenticating with 127.0.0.1: HTTP 503",
		.log = MANIFEST " -\n" TOKEN " -\n" TOKEN " -\n" TOKEN " -\n" TOKEN " -\n" TOKEN
				" -\n",
	},
	{
		.name = "token server says nothing",
		.answers = { { .request = TOKEN, .head = HTTP_200, .body = "{}" },
			     { .head = BEARER } },
		.n = 2,
		.error = "authenticating with 127.0.0.1: ",
		.log = MANIFEST " -\n" TOKEN " -\n",
	},
};

static void answers_challenges(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP_FIXTURE struct fixture fixture;
		struct err err = { 0 };
		bool ok;

		fixture_start(&fixture, row->answers, row->n, row->user);
		ok = pull(&fixture, &err);
		check(ok == !row->error, "%s: %s", row->name, err.text);
		check(!row->error || strstr(err.text, row->error), "%s: %s", row->name, err.text);
		check(!strstr(err.text, "secret") && !strstr(err.detail, "secret"),
		      "%s: told: %s %s", row->name, err.text, err.detail);
		fixture_check_log(fixture.server, row->name, row->log);
	}
}

static void identity_tokens_travel_in_a_form(void **state)
{
	static const struct server_answer answers[] = {
		{ .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
		{ .request = "POST /token", .head = HTTP_200, .body = "{\"access_token\":\"T\"}" },
		{ .head = BEARER },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };
	CLEANUP_FREE char *type = NULL;

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), "<token>:a b&c");
	assert_true(pull(&fixture, &err));
	type = server_header_dup(server_request(fixture.server, 1), "content-type");
	assert_string_equal(type, "application/x-www-form-urlencoded");
	assert_string_equal(str_text(&server_request(fixture.server, 1)->body),
			    "grant_type=refresh_token&refresh_token=a%20b%26c&service=reg&"
			    "scope=repository%3Aorg%2Fvm%3Apull&client_id=tart");
}

/* The environment is asked after a 401 only, and once. */
static void finds_credentials_once(void **state)
{
	static const struct server_answer answers[] = {
		{ .authorization = BASIC, .head = HTTP_200, .body = "{}" },
		{ .head = CHALLENGE("Basic realm=\"x\"") },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	(void)setenv("TART_REGISTRY_USERNAME", "u", 1);
	(void)setenv("TART_REGISTRY_PASSWORD", "p", 1);
	check(pull(&fixture, &err), "%s", err.text);
	(void)unsetenv("TART_REGISTRY_USERNAME");
	check(pull(&fixture, &err), "%s", err.text);
	fixture_check_log(fixture.server, "again",
			  MANIFEST " -\n" MANIFEST " " BASIC "\n" MANIFEST " " BASIC "\n");
}

static void tokens_are_renewed_before_they_end(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = TOKEN,
		  .times = 1,
		  .head = HTTP_200,
		  .body = "{\"token\":\"T1\",\"expires_in\":100}" },
		{ .request = TOKEN,
		  .head = HTTP_200,
		  .body = "{\"token\":\"T2\",\"expires_in\":100}" },
		{ .authorization = "Bearer T1", .head = HTTP_200, .body = "{}" },
		{ .authorization = "Bearer T2", .head = HTTP_200, .body = "{}" },
		{ .head = BEARER },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };

	(void)state;
	fixture_time = 1000000;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	check(pull(&fixture, &err), "%s", err.text);
	fixture_time += 100 - TOKEN_EARLY_S - 1;
	check(pull(&fixture, &err), "%s", err.text);
	fixture_time += 1;
	check(pull(&fixture, &err), "%s", err.text);
	fixture_check_log(fixture.server, "renewal",
			  MANIFEST " -\n" TOKEN " -\n" MANIFEST " Bearer T1\n" MANIFEST
				   " Bearer T1\n" TOKEN " -\n" MANIFEST " Bearer T2\n");
}

/* Clocks differ: a token that has ended by its dates serves the request that it was got for, and no other. */
static void stale_tokens_are_used_once(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = TOKEN,
		  .head = HTTP_200,
		  .body = "{\"token\":\"T\",\"expires_in\":60,\"issued_at\":\"1970-01-02T00:00:00Z\"}" },
		{ .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
		{ .head = BEARER },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	check(pull(&fixture, &err), "%s", err.text);
	check(pull(&fixture, &err), "%s", err.text);
	fixture_check_log(fixture.server, "stale",
			  MANIFEST " -\n" TOKEN " -\n" MANIFEST " Bearer T\n" MANIFEST " -\n" TOKEN
				   " -\n" MANIFEST " Bearer T\n");
}

#define PUT        "PUT /v2/org/vm/manifests/t"
#define PUSH_TOKEN "GET /token?scope=repository%3Aorg%2Fvm%3Apull%2Cpush&service=reg"

/* A token for reading does not allow writing; afterwards both are known. */
static void scopes_have_tokens_of_their_own(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = TOKEN, .head = HTTP_200, .body = "{\"token\":\"R\"}" },
		{ .request = PUSH_TOKEN, .head = HTTP_200, .body = "{\"token\":\"W\"}" },
		{ .request = MANIFEST,
		  .authorization = "Bearer R",
		  .head = HTTP_200,
		  .body = "{}" },
		{ .request = MANIFEST, .head = BEARER },
		{ .request = PUT, .authorization = "Bearer W", .head = "HTTP/1.1 201 Created\r\n" },
		{ .request = PUT,
		  .head = CHALLENGE("Bearer realm=\"@ORIGIN@/token\",service=\"reg\","
				    "scope=\"repository:org/vm:pull,push\"") },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	for (int i = 0; i < 2; i++) {
		check(pull(&fixture, &err), "%s", err.text);
		check(registry_put_manifest(fixture.registry, "t", "a/b", span_of("{}"), &err),
		      "%s", err.text);
	}
	fixture_check_log(fixture.server, "scopes",
			  MANIFEST " -\n" TOKEN " -\n" MANIFEST " Bearer R\n" PUT
				   " Bearer R\n" PUSH_TOKEN " -\n" PUT " Bearer W\n" MANIFEST
				   " Bearer R\n" PUT " Bearer W\n");
}

/* Storage that a registry redirects to wants to know who we are: not from us. */
static void nobody_else_is_answered(void **state)
{
	static const struct server_answer thief_answers[] = {
		{ .head = CHALLENGE("Basic realm=\"x\"") },
	};
	CLEANUP_SERVER struct server *thief = server_start(thief_answers, ARRAY_LEN(thief_answers),
							   NULL);
	CLEANUP_FREE char *head = xasprintf(
		"HTTP/1.1 307 There\r\nLocation: %s/take?sig=hidden\r\n", server_origin(thief));
	const struct server_answer answers[] = {
		{ .authorization = BASIC, .head = head },
		{ .head = CHALLENGE("Basic realm=\"x\"") },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), "u:p");
	assert_false(pull(&fixture, &err));
	check(strstr(err.text, "127.0.0.1, where the registry sends us, answers: HTTP 401") &&
		      !strstr(err.text, "hidden"),
	      "%s", err.text);
	/* It may have been a permission that had run out: each attempt begins at the registry. */
	fixture_check_log(thief, "thief",
			  "GET /take?sig=hidden -\nGET /take?sig=hidden -\nGET /take?sig=hidden -\n"
			  "GET /take?sig=hidden -\nGET /take?sig=hidden -\n");
}

/* Nor when the registry itself has wanted nothing so far: neither password nor token request goes there. */
static void nobody_else_names_a_realm(void **state)
{
	static const struct server_answer thief_answers[] = {
		{ .request = "GET /basic", .head = CHALLENGE("Basic realm=\"x\"") },
		{ .request = "GET /bearer", .head = CHALLENGE("Bearer realm=\"@ORIGIN@/token\"") },
	};
	static const char *const paths[] = { "/basic", "/bearer" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CLEANUP_SERVER struct server *thief = server_start(thief_answers,
								   ARRAY_LEN(thief_answers), NULL);
		CLEANUP_FREE char *head = xasprintf("HTTP/1.1 307 There\r\nLocation: %s%s\r\n",
						    server_origin(thief), paths[i]);
		const struct server_answer answers[] = { { .head = head } };
		CLEANUP_FIXTURE struct fixture fixture;
		CLEANUP_FREE char *log = NULL;
		struct err err = { 0 };

		fixture_start(&fixture, answers, ARRAY_LEN(answers), "u:p");
		assert_false(pull(&fixture, &err));
		log = fixture_log(thief);
		check(count_of(log, " -\n") == RETRY_ATTEMPTS &&
			      count_of(log, "\n") == RETRY_ATTEMPTS && !strstr(log, "token"),
		      "%s: asked\n%s", paths[i], log);
	}
}

static void passwords_are_refused_once(void **state)
{
	static const struct server_answer answers[] = {
		{ .authorization = BASIC, .times = 1, .head = HTTP_200, .body = "{}" },
		{ .head = CHALLENGE("Basic realm=\"x\"") },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct err err = { 0 };

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), "u:p");
	check(pull(&fixture, &err), "%s", err.text);
	assert_false(pull(&fixture, &err));
	fixture_check_log(fixture.server, "refused",
			  MANIFEST " -\n" MANIFEST " " BASIC "\n" MANIFEST " " BASIC "\n");
}

static void https_names_https_only(void **state)
{
	const struct registry_options options = { .host = "registry.example", .repository = "a" };
	const struct demand demand = { .is_bearer = true,
				       .realm = (char[]){ "http://127.0.0.1:1/token" } };
	CLEANUP_HTTP struct http *http = NULL;
	CLEANUP_REGISTRY struct registry *registry = NULL;
	CLEANUP(token_done) struct token token = { 0 };
	struct err err = { 0 };

	(void)state;
	fixture_forget_environment();
	http = client_new(0);
	assert_true(registry_new(http, &options, &registry, &err));
	assert_false(token_fetch(registry, &demand, NULL, &token, &err));
	check(strstr(err.text, "a token server without TLS"), "%s", err.text);
}

#define STORM 8

struct storm {
	struct fixture *fixture;
	bool ok[STORM];
	struct err err[STORM];
};

struct stormer {
	struct storm *storm;
	size_t number;
	pthread_t thread;
};

static void *storm_main(void *ctx)
{
	const struct stormer *stormer = ctx;
	struct storm *storm = stormer->storm;

	storm->ok[stormer->number] = pull(storm->fixture, &storm->err[stormer->number]);
	return NULL;
}

static void storm_run(struct storm *storm)
{
	struct stormer stormers[STORM];

	for (size_t i = 0; i < STORM; i++) {
		stormers[i] = (struct stormer){ .storm = storm, .number = i };
		assert_int_equal(
			pthread_create(&stormers[i].thread, NULL, storm_main, &stormers[i]), 0);
	}
	for (size_t i = 0; i < STORM; i++)
		assert_int_equal(pthread_join(stormers[i].thread, NULL), 0);
}

/* All have got their 401 before the token is there. */
static void a_storm_costs_one_token(void **state)
{
	static const struct server_answer answers[] = {
		{ .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
		{ .request = TOKEN,
		  .held_until = STORM + 1,
		  .head = HTTP_200,
		  .body = "{\"token\":\"T\"}" },
		{ .head = BEARER },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct storm storm = { .fixture = &fixture };
	CLEANUP_FREE char *log = NULL;

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	storm_run(&storm);
	for (size_t i = 0; i < STORM; i++)
		check(storm.ok[i], "%zu: %s", i, storm.err[i].text);
	log = fixture_log(fixture.server);
	assert_int_equal(count_of(log, "/token"), 1);
	assert_int_equal(count_of(log, MANIFEST " -\n"), STORM);
}

/* Nor when the token has ended by its dates: all wait for one that none of them can have had. */
static void a_storm_costs_one_stale_token(void **state)
{
	static const struct server_answer answers[] = {
		{ .authorization = "Bearer T", .head = HTTP_200, .body = "{}" },
		{ .request = TOKEN,
		  .held_until = STORM + 1,
		  .head = HTTP_200,
		  .body = "{\"token\":\"T\",\"issued_at\":\"1970-01-02T00:00:00Z\"}" },
		{ .head = BEARER },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct storm storm = { .fixture = &fixture };
	CLEANUP_FREE char *log = NULL;

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	storm_run(&storm);
	for (size_t i = 0; i < STORM; i++)
		check(storm.ok[i], "%zu: %s", i, storm.err[i].text);
	log = fixture_log(fixture.server);
	assert_int_equal(count_of(log, "/token"), 1);
}

/* The same for an answer that is no: those who waited for it do not ask again. */
static void a_storm_fails_once(void **state)
{
	static const struct server_answer answers[] = {
		{ .request = TOKEN,
		  .held_until = STORM + 1,
		  .head = "HTTP/1.1 403 No\r\n",
		  .body = "{\"errors\":[{\"code\":\"DENIED\"}]}" },
		{ .head = BEARER },
	};
	CLEANUP_FIXTURE struct fixture fixture;
	struct storm storm = { .fixture = &fixture };
	CLEANUP_FREE char *log = NULL;

	(void)state;
	fixture_start(&fixture, answers, ARRAY_LEN(answers), NULL);
	storm_run(&storm);
	for (size_t i = 0; i < STORM; i++)
		check(!storm.ok[i] && strstr(storm.err[i].text, "HTTP 403: DENIED"), "%zu: %s", i,
		      storm.err[i].text);
	/* The 401 may reach a thread after the refusal has reached another: that one asks for itself. But not all do. */
	log = fixture_log(fixture.server);
	assert_in_range(count_of(log, "/token"), 1, STORM - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_challenges),
		cmocka_unit_test(identity_tokens_travel_in_a_form),
		cmocka_unit_test(finds_credentials_once),
		cmocka_unit_test(tokens_are_renewed_before_they_end),
		cmocka_unit_test(stale_tokens_are_used_once),
		cmocka_unit_test(scopes_have_tokens_of_their_own),
		cmocka_unit_test(nobody_else_is_answered),
		cmocka_unit_test(nobody_else_names_a_realm),
		cmocka_unit_test(passwords_are_refused_once),
		cmocka_unit_test(https_names_https_only),
		cmocka_unit_test(a_storm_costs_one_token),
		cmocka_unit_test(a_storm_costs_one_stale_token),
		cmocka_unit_test(a_storm_fails_once),
	};

	return unit_main(tests);
}
