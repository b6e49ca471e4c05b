/* SPDX-License-Identifier: Apache-2.0 */
/* A session: where requests go, what they carry, and how often they are made. */
#include "registry/session.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "base/number.h"
#include "base/random.h"
#include "http/retry.h"
#include "registry/session_error.h"
#include "registry/session_private.h"

#define DRAIN_MAX          ((size_t)16 * 1024)
#define ANSWERS_MAX        3 /* to challenges, for one request */
#define RETRY_DELAY_MAX_MS 60000

enum outcome {
	OUTCOME_DONE,
	OUTCOME_BROKEN, /* worth another attempt */
	OUTCOME_FAILED,
};

static int64_t system_time(void)
{
	return time(NULL);
}

static uint64_t second_ms(void)
{
	const char *text = getenv("TART_RETRY_DELAY");
	uint64_t ms = RETRY_BASE_MS;

	if (text)
		(void)number_parse_u64(span_of(text), RETRY_DELAY_MAX_MS, &ms);
	return ms;
}

bool registry_new(struct http *http, const struct registry_options *options, struct registry **ret,
		  struct err *err)
{
	struct registry *registry;
	CLEANUP_FREE char *base = NULL;
	struct url origin = { 0 };

	if (!credentials_check_host(options->host, err))
		return false;
	base = xasprintf("%s://%s/v2/", options->is_insecure ? "http" : "https", options->host);
	if (!url_parse(span_of(base), &origin, err))
		return false;
	registry = xcalloc(1, sizeof(*registry));
	registry->http = http;
	registry->host = xstrdup(options->host);
	registry->repository = options->repository ? xstrdup(options->repository) : NULL;
	registry->base = TAKE_PTR(base);
	registry->origin = origin;
	registry->second_ms = second_ms();
	registry->notice = options->notice;
	registry->now = options->now ? options->now : system_time;
	auth_init(&registry->auth, options->credentials);
	pthread_mutex_init(&registry->warnings_lock, NULL);
	*ret = registry;
	return true;
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	auth_done(&registry->auth);
	vec_each(&registry->warnings, text)
		free(*text);
	vec_done(&registry->warnings);
	pthread_mutex_destroy(&registry->warnings_lock);
	url_done(&registry->origin);
	free(registry->base);
	free(registry->repository);
	free(registry->host);
	free(registry);
}

bool registry_owns(const struct registry *registry, const char *url)
{
	CLEANUP(url_done) struct url parsed = { 0 };
	struct err ignored = { 0 };

	return url_parse(span_of(url), &parsed, &ignored) &&
	       url_same_origin(&parsed, &registry->origin);
}

bool registry_context(const struct registry *registry, const char *doing, const char *reference,
		      struct err *err)
{
	if (!registry->repository)
		return err_context(err, "%s of %s", doing, registry->host);
	return err_context(err, "%s of %s/%s%s", doing, registry->host, registry->repository,
			   reference ? reference : "");
}

/* An address that the registry has named must be one, and keep what https promises. */
static bool check_named(const struct registry *registry, const char *named, struct err *err)
{
	CLEANUP(url_done) struct url url = { 0 };

	if (!url_parse(span_of(named), &url, err))
		return false;
	if (registry->origin.is_tls && !url.is_tls)
		return err_set(
			err, ERR_GENERAL,
			"the registry goes on at an address without TLS, on %s (a proxy in front of it "
			"may not pass on X-Forwarded-Proto)",
			url.host);
	return true;
}

static bool find_address(const struct registry *registry, const char *path, struct str *url,
			 struct err *err)
{
	if (path && strstr(path, "://")) {
		str_add(url, path);
		return check_named(registry, path, err);
	}
	assert(!path || registry->repository);
	str_add(url, registry->base);
	if (path)
		str_addf(url, "%s/%s", registry->repository, path);
	return true;
}

static bool send_once(struct registry *registry, const struct registry_request *request,
		      const char *url, const char *authorization, struct http_exchange **ret,
		      struct err *err)
{
	const struct http_request http_request = {
		.method = request->method,
		.url = url,
		.headers = request->headers,
		.n_headers = request->n_headers,
		.authorization = authorization,
		.body = request->body,
		.is_once = request->once,
		.sent = request->sent,
		.ctx = request->ctx,
	};

	if (request->begin)
		request->begin(request->ctx);
	if (!http_start(registry->http, &http_request, ret, err))
		return false;
	registry_tell_warnings(registry, *ret);
	return true;
}

/* A connection whose answer was read to its end can be used again. */
static void drain(struct http_exchange *exchange)
{
	char piece[4096];
	struct err ignored = { 0 };
	size_t total = 0;
	size_t n = 0;

	while (total < DRAIN_MAX && http_read(exchange, piece, sizeof(piece), &n, &ignored) &&
	       n > 0)
		total += n;
}

static enum outcome outcome_of(const struct err *err)
{
	return err->kind == ERR_TRANSPORT ? OUTCOME_BROKEN : OUTCOME_FAILED;
}

static bool is_refused(const struct registry *registry, const char *url,
		       const struct http_exchange *exchange)
{
	return http_status(exchange) == 401 && registry_owns(registry, url) &&
	       registry_owns(registry, http_url(exchange));
}

/* One request, and the same again if the registry itself wants to know who asks: with what other requests have got, then
 * with what was got for this one, which is final. Another server, to which it has sent us, is never answered.
 * Authenticating makes attempts of its own: if it fails, that is final, too. */
static enum outcome send(struct registry *registry, const struct registry_request *request,
			 const char *url, struct http_exchange **ret, struct err *err)
{
	enum auth_use use = request->method == HTTP_GET || request->method == HTTP_HEAD ?
				    AUTH_READ :
				    AUTH_WRITE;
	CLEANUP(pass_done) struct pass pass = { 0 };
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	bool again = true;

	if (registry_owns(registry, url) && !auth_get_pass(registry, use, &pass, err))
		return OUTCOME_FAILED;
	if (!send_once(registry, request, url, pass.authorization, &exchange, err))
		return outcome_of(err);
	for (int n = 0; n < ANSWERS_MAX && again && is_refused(registry, url, exchange); n++) {
		if (!auth_answer(registry, use, exchange, &pass, &again, err))
			return OUTCOME_FAILED;
		if (!again)
			break;
		drain(exchange);
		http_end(TAKE_PTR(exchange));
		if (!send_once(registry, request, url, pass.authorization, &exchange, err))
			return outcome_of(err);
		again = !pass.is_fresh;
	}
	*ret = TAKE_PTR(exchange);
	return OUTCOME_DONE;
}

uint64_t registry_retry_after(const struct registry *registry, const struct http_exchange *exchange)
{
	return retry_after_s(http_header(exchange, "Retry-After", 0), registry->now());
}

static enum refusal_view view_of(const struct registry_request *request)
{
	if (!request->path)
		return REFUSAL_PING;
	return request->method == HTTP_GET ? REFUSAL_PULL : REFUSAL_PUSH;
}

/* Whoever holds the bytes may have sent us there with a permission that has run out: the registry gives a new one. */
static bool is_denied_elsewhere(const struct registry *registry, const char *url,
				const struct http_exchange *exchange)
{
	int status = http_status(exchange);

	return (status == 401 || status == 403) && registry_owns(registry, url) &&
	       !registry_owns(registry, http_url(exchange));
}

/* Addresses that registries redirect to hold signatures: no more of them is shown than the host. */
static void say_where(const struct registry *registry, const struct http_exchange *exchange,
		      struct err *err)
{
	CLEANUP(url_done) struct url url = { 0 };
	struct err ignored = { 0 };

	if (url_parse(span_of(http_url(exchange)), &url, &ignored) &&
	    !url_same_origin(&url, &registry->origin))
		(void)err_context(err, "%s, where the registry sends us, answers", url.host);
}

static enum outcome refuse(struct registry *registry, const struct registry_request *request,
			   const char *url, struct http_exchange *exchange,
			   struct attempt_failure *failure, struct err *err)
{
	bool is_worth_it = retry_status(http_status(exchange)) ||
			   is_denied_elsewhere(registry, url, exchange);

	failure->after_s = registry_retry_after(registry, exchange);
	(void)refusal_of(exchange, view_of(request), err);
	say_where(registry, exchange, err);
	if (!is_worth_it)
		return OUTCOME_FAILED;
	if (failure->after_s <= RETRY_AFTER_MAX_S)
		return OUTCOME_BROKEN;
	(void)refusal_add_wait(failure->after_s, err);
	return OUTCOME_FAILED;
}

static bool is_expected(const struct registry_request *request, int status)
{
	for (const int *expected = request->expected; *expected; expected++)
		if (*expected == status)
			return true;
	return false;
}

static enum outcome attempt(struct registry *registry, const struct registry_request *request,
			    const char *url, struct attempt_failure *failure,
			    struct http_exchange **ret, struct err *err)
{
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	enum outcome outcome = send(registry, request, url, &exchange, err);

	failure->after_s = 0;
	if (outcome != OUTCOME_DONE)
		return outcome;
	if (!is_expected(request, http_status(exchange)))
		return refuse(registry, request, url, exchange, failure, err);
	*ret = TAKE_PTR(exchange);
	return OUTCOME_DONE;
}

bool registry_try(struct registry *registry, const struct registry_request *request,
		  struct http_exchange **ret, struct err *err)
{
	CLEANUP_STR struct str url = { 0 };
	struct attempt_failure failure = { 0 };
	enum outcome outcome;

	if (!find_address(registry, request->path, &url, err))
		return false;
	for (;;) {
		outcome = attempt(registry, request, str_text(&url), &failure, ret, err);
		if (outcome == OUTCOME_DONE)
			return true;
		failure.attempts++;
		if (outcome == OUTCOME_FAILED || request->once ||
		    !registry_pause(registry, request->doing, failure, err))
			return false;
	}
}

bool registry_start(struct registry *registry, const struct registry_request *request,
		    struct http_exchange **ret, struct err *err)
{
	return registry_try(registry, request, ret, err) ||
	       registry_context(registry, request->doing, request->reference, err);
}

bool registry_do(struct registry *registry, const struct registry_request *request, int *ret_status,
		 struct err *err)
{
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;

	if (!registry_start(registry, request, &exchange, err))
		return false;
	drain(exchange);
	if (ret_status)
		*ret_status = http_status(exchange);
	return true;
}

bool registry_ping(struct registry *registry, struct err *err)
{
	static const int expected[] = { 200, 0 };
	const struct registry_request request = {
		.method = HTTP_GET,
		.body = HTTP_NO_BODY,
		.doing = "doing ping",
		.expected = expected,
	};

	return registry_do(registry, &request, NULL, err);
}

/* In steps: cancellation of this session's requests ends a wait between them, too. */
static bool wait_ms(struct registry *registry, uint64_t ms, struct err *err)
{
	while (ms > 0) {
		uint64_t step = ms < 100 ? ms : 100;

		if (http_is_cancelled(registry->http))
			return err_set(err, ERR_CANCELLED, "cancelled");
		if (!retry_sleep(step, err))
			return false;
		ms -= step;
	}
	return true;
}

bool registry_pause(struct registry *registry, const char *doing, struct attempt_failure failure,
		    struct err *err)
{
	uint64_t ms;

	if (failure.attempts >= RETRY_ATTEMPTS)
		return false;
	notice_tell(&registry->notice, "Error %s: \"%s\", attempting to re-try...", doing,
		    err->text);
	if (failure.after_s > 0) {
		ms = failure.after_s * registry->second_ms;
	} else {
		uint64_t bound_ms = retry_bound_ms(failure.attempts, registry->second_ms);

		ms = random_below((uint32_t)bound_ms + 1);
	}
	return wait_ms(registry, ms, err);
}

bool registry_get_text(struct registry *registry, const struct registry_request *request,
		       size_t max, struct str *out, struct http_exchange **ret_exchange,
		       struct err *err)
{
	struct attempt_failure failure = { 0 };

	for (;;) {
		CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
		CLEANUP_STR struct str text = { 0 };

		if (!registry_try(registry, request, &exchange, err))
			break;
		if (http_read_all(exchange, max, &text, err)) {
			str_add_span(out, str_span(&text));
			*ret_exchange = TAKE_PTR(exchange);
			return true;
		}
		failure.attempts++;
		if (err->kind != ERR_TRANSPORT ||
		    !registry_pause(registry, request->doing, failure, err))
			break;
	}
	return registry_context(registry, request->doing, request->reference, err);
}
