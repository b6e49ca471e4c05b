/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of sessions share: a registry that plays answers, a session with it, what it tells and what was asked. */
#ifndef TART_TESTS_SESSION_FIXTURE_H
#define TART_TESTS_SESSION_FIXTURE_H

#include <pthread.h>
#include <string.h>

#include "base/digest.h"
#include "http/client.h"
#include "http/server.h"
#include "registry/session.h"
#include "unit.h"

#define HTTP_200 "HTTP/1.1 200 OK\r\n"
#define HTTP_401 "HTTP/1.1 401 Unauthorized\r\n"
#define HTTP_503 "HTTP/1.1 503 Service Unavailable\r\n"

/* Where the clock of sessions in tests stands; each test sets it. */
static int64_t fixture_time = 1000000;

static inline int64_t fixture_now(void)
{
	return fixture_time;
}

struct fixture {
	struct server *server;
	struct http *http;
	struct registry *registry;
	pthread_mutex_t lock;
	struct str told; /* notices, each with its newline */
};

static inline void fixture_tell(void *ctx, const char *line)
{
	struct fixture *fixture = ctx;

	pthread_mutex_lock(&fixture->lock);
	str_addf(&fixture->told, "%s\n", line);
	pthread_mutex_unlock(&fixture->lock);
}

/* Nothing of who runs the tests may be found. */
static inline void fixture_forget_environment(void)
{
	static const char *const gone[] = {
		"TART_REGISTRY_USERNAME", "TART_REGISTRY_PASSWORD",   "TART_REGISTRY_HOSTNAME",
		"DOCKER_CONFIG",          "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR",
	};

	client_forget_proxies();
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		(void)unsetenv(gone[i]);
	(void)setenv("HOME", "/nonexistent", 1);
	(void)setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void)setenv("TART_RETRY_DELAY", "1", 1);
}

/* `user` NULL: whatever can be found. "user:password" otherwise. */
static inline void fixture_connect(struct fixture *fixture, const char *user)
{
	const char *colon = user ? strchr(user, ':') : NULL;
	CLEANUP_FREE char *host = xasprintf("127.0.0.1:%u", server_port(fixture->server));
	struct credentials credentials = { 0 };
	struct registry_options options = {
		.host = host,
		.repository = "org/vm",
		.is_insecure = true,
		.notice = { .tell = fixture_tell, .ctx = fixture },
		.now = fixture_now,
	};
	struct err err = { 0 };

	if (colon) {
		credentials.user = xstrndup(user, (size_t)(colon - user));
		credentials.password = xstrdup(colon + 1);
		options.credentials = &credentials;
	}
	check(registry_new(fixture->http, &options, &fixture->registry, &err), "%s", err.text);
	credentials_done(&credentials);
}

static inline void fixture_start(struct fixture *fixture, const struct server_answer *answers,
				 size_t n, const char *user)
{
	fixture_forget_environment();
	*fixture = (struct fixture){ 0 };
	pthread_mutex_init(&fixture->lock, NULL);
	fixture->server = server_start(answers, n, NULL);
	fixture->http = client_new(0);
	fixture_connect(fixture, user);
}

static inline void fixture_stop(struct fixture *fixture)
{
	registry_free(fixture->registry);
	http_free(fixture->http);
	if (fixture->server)
		server_stop(fixture->server);
	str_done(&fixture->told);
	pthread_mutex_destroy(&fixture->lock);
}
#define CLEANUP_FIXTURE CLEANUP(fixture_stop)

/* "GET /v2/ AUTHORIZATION" or "GET /v2/ -" for each request, with newlines. */
static inline char *fixture_log(struct server *server)
{
	struct str log = { 0 };
	size_t n = server_n_requests(server);

	for (size_t i = 0; i < n; i++) {
		const struct server_request *request = server_request(server, i);
		CLEANUP_FREE char *value = server_header_dup(request, "authorization");

		str_addf(&log, "%s %s\n", request->line, value ? value : "-");
	}
	return str_take(&log);
}

static inline void fixture_check_log(struct server *server, const char *name, const char *want)
{
	CLEANUP_FREE char *log = fixture_log(server);

	check(strcmp(log, want) == 0, "%s: asked\n%swanted\n%s", name, log, want);
}

static inline size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part))) {
		n++;
		text += strlen(part);
	}
	return n;
}

#endif
