/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of the token protocol: GET with Basic, and OAuth2's refresh_token for identity tokens. */
#include "registry/session_token.h"

#include <string.h>

#include "base/secret.h"
#include "http/retry.h"
#include "http/url.h"
#include "registry/basic.h"
#include "registry/session_error.h"
#include "registry/session_private.h"

/* What goes to the realm, and what it said. */
struct token_request {
	enum http_method method;
	const char *url;
	const char *authorization;
	struct span form; /* for POST */
	enum refusal_view view;
};

struct token_answer {
	int status; /* 200, or what the caller can do something about */
	struct str body;
};

static void token_answer_done(struct token_answer *answer)
{
	secret_str_done(&answer->body);
}

char *basic_authorization(const struct credentials *credentials)
{
	struct str header = { 0 };

	str_add(&header, "Basic ");
	basic_add(&header, credentials);
	return str_take(&header);
}

/* Whether another try may help; *err is set when the answer is none. */
static bool ask_once(struct registry *registry, const struct token_request *request,
		     struct token_answer *ret, bool *ret_is_worth_it, uint64_t *ret_after_s,
		     struct err *err)
{
	static const struct http_header form_header = { "Content-Type",
							"application/x-www-form-urlencoded" };
	const struct http_request http_request = {
		.method = request->method,
		.url = request->url,
		.headers = &form_header,
		.n_headers = request->method == HTTP_POST ? 1 : 0,
		.authorization = request->authorization,
		.body = { .bytes = request->form, .fd = -1 },
	};
	CLEANUP_EXCHANGE struct http_exchange *exchange = NULL;
	int status;

	*ret_after_s = 0;
	if (!http_start(registry->http, &http_request, &exchange, err)) {
		*ret_is_worth_it = err->kind == ERR_TRANSPORT;
		return false;
	}
	status = http_status(exchange);
	ret->status = status;
	if (request->method == HTTP_POST && (status == 404 || status == 405))
		return true;
	if (status == 200) {
		secret_str_done(&ret->body);
		/* Hardly an answer is longer, so that none of it stays behind where the text has grown. */
		secret_reserve(&ret->body, TOKEN_TEXT_MAX);
		if (http_read_all(exchange, TOKEN_ANSWER_MAX, &ret->body, err))
			return true;
		*ret_is_worth_it = err->kind == ERR_TRANSPORT;
		return false;
	}
	*ret_is_worth_it = retry_status(status);
	*ret_after_s = registry_retry_after(registry, exchange);
	return refusal_of(exchange, request->view, err);
}

static bool ask(struct registry *registry, const struct token_request *request,
		struct token_answer *ret, struct err *err)
{
	struct attempt_failure failure = { 0 };
	bool is_worth_it = false;

	while (!ask_once(registry, request, ret, &is_worth_it, &failure.after_s, err)) {
		failure.attempts++;
		if (!is_worth_it)
			return false;
		if (failure.after_s > RETRY_AFTER_MAX_S)
			return refusal_add_wait(failure.after_s, err);
		if (!registry_pause(registry, "authenticating", failure, err))
			return false;
	}
	return true;
}

/* Several scopes stand in one text, with blanks between; servers expect each as a parameter of its own. */
static void add_scopes(struct str *url, const char *scopes)
{
	struct span rest = span_of(scopes);
	struct span scope;

	while (span_next(&rest, ' ', &scope))
		if (scope.len > 0)
			url_add_query(url, "scope", scope);
}

static bool ask_by_get(struct registry *registry, const struct demand *demand,
		       const struct credentials *credentials, struct token_answer *ret,
		       struct err *err)
{
	CLEANUP_STR struct str url = { 0 };
	CLEANUP_SECRET char *authorization = NULL;

	str_add(&url, demand->realm);
	if (demand->scope)
		add_scopes(&url, demand->scope);
	if (demand->service)
		url_add_query(&url, "service", span_of(demand->service));
	if (credentials)
		authorization = basic_authorization(credentials);
	return ask(registry,
		   &(struct token_request){
			   .method = HTTP_GET,
			   .url = str_text(&url),
			   .authorization = authorization,
			   .view = credentials ? REFUSAL_TOKEN : REFUSAL_ANONYMOUS_TOKEN,
		   },
		   ret, err);
}

static void add_field(struct str *form, const char *key, const char *value)
{
	if (!value)
		return;
	if (form->len > 0)
		str_add_char(form, '&');
	str_add(form, key);
	str_add_char(form, '=');
	url_add_encoded(form, span_of(value));
}

static size_t len_of(const char *text)
{
	return text ? strlen(text) : 0;
}

static bool ask_by_post(struct registry *registry, const struct demand *demand,
			const char *refresh_token, struct token_answer *ret, struct err *err)
{
	CLEANUP_SECRET_STR struct str form = { 0 };

	/* Percent-encoding makes three bytes of one; 100 are more than all the keys take. */
	secret_reserve(&form, 100 + 3 * (len_of(refresh_token) + len_of(demand->service) +
					 len_of(demand->scope)));
	add_field(&form, "grant_type", "refresh_token");
	add_field(&form, "refresh_token", refresh_token);
	add_field(&form, "service", demand->service);
	add_field(&form, "scope", demand->scope);
	add_field(&form, "client_id", "tart");
	return ask(registry,
		   &(struct token_request){
			   .method = HTTP_POST,
			   .url = demand->realm,
			   .form = str_span(&form),
			   .view = REFUSAL_TOKEN,
		   },
		   ret, err);
}

static bool fetch(struct registry *registry, const struct demand *demand,
		  const struct credentials *credentials, struct token *ret, struct err *err)
{
	CLEANUP(token_answer_done) struct token_answer answer = { 0 };

	if (credentials && strcmp(credentials->user, CREDENTIALS_TOKEN_USER) == 0 &&
	    !ask_by_post(registry, demand, credentials->password, &answer, err))
		return false;
	/* Servers without POST: 404 or 405. */
	if (answer.status != 200 && !ask_by_get(registry, demand, credentials, &answer, err))
		return false;
	return token_parse(str_span(&answer.body), registry->now(), ret, err);
}

bool token_fetch(struct registry *registry, const struct demand *demand,
		 const struct credentials *credentials, struct token *ret, struct err *err)
{
	CLEANUP(url_done) struct url realm = { 0 };

	if (!url_parse(span_of(demand->realm), &realm, err))
		return err_context(err, "authenticating: the token server that the registry names");
	if (registry->origin.is_tls && !realm.is_tls)
		return err_set(
			err, ERR_GENERAL,
			"authenticating: the registry names a token server without TLS, on %s: nothing "
			"was sent to it",
			realm.host);
	if (!fetch(registry, demand, credentials, ret, err))
		return err_context(err, "authenticating with %s", realm.host);
	return true;
}
