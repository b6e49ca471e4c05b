/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session proves who it is with: image-format.md 9.1.
 *
 * A *grant* is what was got for one demand: a token, or name and password. Grants are kept by demand, as registries ask
 * for different scopes for reading and writing; each kind of use remembers the grant that it was last told to use, and
 * sends that one at once. Expired tokens are renewed before they are sent.
 *
 * One thread at a time authenticates. The others that need the same grant wait for it, and share it or its failure: a
 * storm of 401s costs one token.
 */
#ifndef TART_REGISTRY_SESSION_AUTH_H
#define TART_REGISTRY_SESSION_AUTH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "http/http.h"
#include "registry/credentials.h"

#define GRANTS_MAX 8 /* the oldest is forgotten for the ninth */

struct registry;

enum auth_use { AUTH_READ, AUTH_WRITE, AUTH_USES };

/* What a challenge asks for. */
struct demand {
	bool is_bearer; /* else Basic, and the rest is NULL */
	char *realm;
	char *service; /* NULL = not named, as the scope */
	char *scope;
};

void demand_done(struct demand *demand); /* fits CLEANUP() */

struct grant {
	uint64_t serial; /* counts grants from 1; 0 = this place is free */
	struct demand demand;
	char *authorization; /* value of the header; NULL = none, go on without */
	int64_t renew_at;    /* seconds since 1970 */
	bool was_valid;      /* when it was new; by the server's dates it may have been over then */
};

struct auth {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_busy; /* somebody authenticates */
	struct grant grants[GRANTS_MAX];
	struct grant *current[AUTH_USES]; /* NULL = not asked yet */
	uint64_t serial;
	/* The last attempt that failed, for those who waited for it. */
	uint64_t round; /* counts attempts */
	bool has_failed;
	struct demand failed;
	struct err failure;
	/* Looked for once. Belongs to who is busy. */
	bool has_looked;
	bool has_credentials;
	struct credentials credentials;
};

/* What one request carries, and what was known when it was sent. */
struct pass {
	char *authorization; /* NULL = nothing */
	uint64_t serial;     /* of its grant, 0 = none */
	uint64_t horizon;    /* of the newest grant at that time */
	bool is_fresh;       /* got for this request: if it is refused, that is final */
};

void pass_done(struct pass *pass); /* fits CLEANUP() */

void auth_init(struct auth *auth, const struct credentials *given);
void auth_done(struct auth *auth);

/* What to send with the next request of this use. May renew a token for that. */
bool auth_get_pass(struct registry *registry, enum auth_use use, struct pass *ret, struct err *err);

/* After a 401 of the registry to a request with *pass: replaces it by what to repeat the request with. *ret_again = false
 * when there is nothing to repeat it with. */
bool auth_answer(struct registry *registry, enum auth_use use, const struct http_exchange *refusal,
		 struct pass *pass, bool *ret_again, struct err *err);

#endif
