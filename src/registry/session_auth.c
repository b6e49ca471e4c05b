/* SPDX-License-Identifier: Apache-2.0 */
/* Grants: getting, sharing and renewing them. */
#include "registry/session_auth.h"

#include <string.h>

#include "base/vec.h"
#include "registry/challenge.h"
#include "registry/session_private.h"
#include "registry/session_token.h"

void pass_done(struct pass *pass)
{
	secret_free(pass->authorization);
	*pass = (struct pass){ 0 };
}

void demand_done(struct demand *demand)
{
	free(demand->realm);
	free(demand->service);
	free(demand->scope);
	*demand = (struct demand){ 0 };
}

static char *dup_or_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static struct demand demand_dup(const struct demand *demand)
{
	return (struct demand){
		.is_bearer = demand->is_bearer,
		.realm = dup_or_null(demand->realm),
		.service = dup_or_null(demand->service),
		.scope = dup_or_null(demand->scope),
	};
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same_demand(const struct demand *a, const struct demand *b)
{
	return a->is_bearer == b->is_bearer && is_same_text(a->realm, b->realm) &&
	       is_same_text(a->service, b->service) && is_same_text(a->scope, b->scope);
}

static void grant_done(struct grant *grant)
{
	demand_done(&grant->demand);
	secret_free(grant->authorization);
	*grant = (struct grant){ 0 };
}

void auth_init(struct auth *auth, const struct credentials *given)
{
	*auth = (struct auth){ 0 };
	pthread_mutex_init(&auth->lock, NULL);
	pthread_cond_init(&auth->changed, NULL);
	if (!given)
		return;
	auth->has_looked = true;
	auth->has_credentials = true;
	auth->credentials = (struct credentials){
		.user = xstrdup(given->user),
		.password = xstrdup(given->password),
	};
}

void auth_done(struct auth *auth)
{
	for (size_t i = 0; i < GRANTS_MAX; i++)
		grant_done(&auth->grants[i]);
	demand_done(&auth->failed);
	credentials_done(&auth->credentials);
	pthread_cond_destroy(&auth->changed);
	pthread_mutex_destroy(&auth->lock);
}

static struct grant *find_grant(struct auth *auth, const struct demand *demand)
{
	for (size_t i = 0; i < GRANTS_MAX; i++)
		if (auth->grants[i].serial > 0 && is_same_demand(&auth->grants[i].demand, demand))
			return &auth->grants[i];
	return NULL;
}

/* A free place has the serial 0. */
static struct grant *oldest_grant(struct auth *auth)
{
	struct grant *oldest = &auth->grants[0];

	for (size_t i = 1; i < GRANTS_MAX; i++)
		if (auth->grants[i].serial < oldest->serial)
			oldest = &auth->grants[i];
	return oldest;
}

static void give_pass(const struct auth *auth, const struct grant *grant, struct pass *pass)
{
	pass_done(pass);
	pass->horizon = auth->serial;
	if (!grant)
		return;
	pass->serial = grant->serial;
	pass->authorization = grant->authorization ? xstrdup(grant->authorization) : NULL;
}

/* The credentials to answer with; NULL = there are none. Only for the thread that authenticates. */
static bool find_credentials(struct registry *registry, const struct credentials **ret,
			     struct err *err)
{
	struct auth *auth = &registry->auth;

	if (!auth->has_looked && !credentials_find(registry->host, &registry->notice,
						   &auth->credentials, &auth->has_credentials, err))
		return false;
	auth->has_looked = true;
	*ret = auth->has_credentials ? &auth->credentials : NULL;
	return true;
}

static bool fetch_basic(struct registry *registry, struct grant *ret, struct err *err)
{
	const struct credentials *credentials;

	if (!find_credentials(registry, &credentials, err))
		return false;
	ret->authorization = credentials ? basic_authorization(credentials) : NULL;
	ret->renew_at = INT64_MAX;
	ret->was_valid = true;
	return true;
}

static bool fetch_bearer(struct registry *registry, const struct demand *demand, struct grant *ret,
			 struct err *err)
{
	const struct credentials *credentials;
	CLEANUP(token_done) struct token token = { 0 };

	if (!find_credentials(registry, &credentials, err) ||
	    !token_fetch(registry, demand, credentials, &token, err))
		return false;
	ret->authorization = xasprintf("Bearer %s", token.text);
	ret->renew_at = token.renew_at;
	ret->was_valid = token_is_valid(&token, registry->now());
	return true;
}

/* A grant for this demand that a request with *pass could not know, or that is good by its dates and not the one that was
 * refused. */
static struct grant *find_other(struct auth *auth, const struct demand *demand,
				const struct pass *pass, int64_t now)
{
	struct grant *grant = find_grant(auth, demand);

	if (!grant)
		return NULL;
	if (grant->serial > pass->horizon)
		return grant;
	return grant->serial != pass->serial && now < grant->renew_at ? grant : NULL;
}

/* Waits while somebody else authenticates. False when that was for the same, and failed. */
static bool wait_for_other(struct auth *auth, const struct demand *demand, struct err *err)
{
	uint64_t round = auth->round;

	while (auth->round == round)
		pthread_cond_wait(&auth->changed, &auth->lock);
	if (auth->has_failed && is_same_demand(&auth->failed, demand)) {
		*err = auth->failure;
		return false;
	}
	return true;
}

static struct grant *keep(struct auth *auth, const struct demand *demand, struct grant *fresh)
{
	struct grant *place = find_grant(auth, demand);

	place = place ? place : oldest_grant(auth);
	grant_done(place);
	*place = *fresh;
	*fresh = (struct grant){ 0 };
	place->demand = demand_dup(demand);
	place->serial = ++auth->serial;
	return place;
}

/* With the lock held, but not while it talks to the network, perhaps to other programs. NULL when it failed. */
static struct grant *authenticate(struct registry *registry, const struct demand *demand,
				  struct err *err)
{
	struct auth *auth = &registry->auth;
	CLEANUP(grant_done) struct grant fresh = { 0 };
	bool ok;

	auth->is_busy = true;
	pthread_mutex_unlock(&auth->lock);
	ok = demand->is_bearer ? fetch_bearer(registry, demand, &fresh, err) :
				 fetch_basic(registry, &fresh, err);
	pthread_mutex_lock(&auth->lock);
	auth->is_busy = false;
	auth->round++;
	demand_done(&auth->failed);
	auth->has_failed = !ok;
	if (!ok) {
		auth->failed = demand_dup(demand);
		auth->failure = *err;
	}
	pthread_cond_broadcast(&auth->changed);
	return ok ? keep(auth, demand, &fresh) : NULL;
}

/* With the lock held. */
static bool obtain(struct registry *registry, enum auth_use use, const struct demand *demand,
		   struct pass *pass, struct err *err)
{
	struct auth *auth = &registry->auth;
	struct grant *grant = find_other(auth, demand, pass, registry->now());
	bool is_fresh;

	while (!grant && auth->is_busy) {
		if (!wait_for_other(auth, demand, err))
			return false;
		grant = find_other(auth, demand, pass, registry->now());
	}
	is_fresh = !grant;
	if (!grant)
		grant = authenticate(registry, demand, err);
	if (!grant)
		return false;
	auth->current[use] = grant;
	give_pass(auth, grant, pass);
	pass->is_fresh = is_fresh;
	return true;
}

/* With the lock held. */
static bool choose_pass(struct registry *registry, enum auth_use use, struct pass *ret,
			struct err *err)
{
	struct auth *auth = &registry->auth;
	const struct grant *grant = auth->current[use];
	CLEANUP(demand_done) struct demand demand = { 0 };

	/* Who may read may perhaps write, and the other way round: a refusal names what is missing. */
	for (int other = 0; !grant && other < AUTH_USES; other++)
		grant = auth->current[other];
	give_pass(auth, grant, ret);
	if (!grant || registry->now() < grant->renew_at)
		return true;
	if (!grant->was_valid) {
		/* Its dates cannot be believed: the registry has to say whether it wants another. */
		pass_done(ret);
		ret->horizon = auth->serial;
		return true;
	}
	demand = demand_dup(&grant->demand);
	return obtain(registry, use, &demand, ret, err);
}

bool auth_get_pass(struct registry *registry, enum auth_use use, struct pass *ret, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&registry->auth.lock);
	ok = choose_pass(registry, use, ret, err);
	pthread_mutex_unlock(&registry->auth.lock);
	return ok;
}

static bool read_demand(const struct http_exchange *refusal, struct demand *ret, struct err *err)
{
	VEC(struct span) headers = { 0 };
	CLEANUP(challenge_done) struct challenge challenge = { 0 };
	const char *header;
	bool ok;

	for (size_t n = 0; (header = http_header(refusal, "WWW-Authenticate", n)); n++)
		*vec_push(&headers) = span_of(header);
	ok = challenge_choose(headers.v, headers.n, &challenge, err);
	vec_done(&headers);
	if (!ok)
		return false;
	if (challenge.scheme == CHALLENGE_OTHER)
		return err_set(err, ERR_GENERAL, "authentication scheme '%s' is unsupported",
			       challenge.scheme_text);
	if (challenge.scheme == CHALLENGE_BEARER)
		*ret = (struct demand){
			.is_bearer = true,
			.realm = dup_or_null(challenge.realm),
			.service = dup_or_null(challenge.service),
			.scope = dup_or_null(challenge.scope),
		};
	return true;
}

bool auth_answer(struct registry *registry, enum auth_use use, const struct http_exchange *refusal,
		 struct pass *pass, bool *ret_again, struct err *err)
{
	struct auth *auth = &registry->auth;
	CLEANUP(demand_done) struct demand demand = { 0 };
	const struct grant *known;
	bool ok = true;

	if (!read_demand(refusal, &demand, err))
		return false;
	pthread_mutex_lock(&auth->lock);
	known = find_grant(auth, &demand);
	/* Name and password do not get better: they are sent once. */
	if (!demand.is_bearer && known && known->serial == pass->serial)
		pass_done(pass);
	else
		ok = obtain(registry, use, &demand, pass, err);
	pthread_mutex_unlock(&auth->lock);
	*ret_again = ok && pass->authorization;
	return ok;
}
