/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a session, and of blobs, share. Not for others. */
#ifndef TART_REGISTRY_SESSION_PRIVATE_H
#define TART_REGISTRY_SESSION_PRIVATE_H

#include <pthread.h>

#include "http/url.h"
#include "registry/session.h"
#include "registry/session_auth.h"

#define WARNINGS_MAX 64 /* different texts that are told */

struct registry {
	struct http *http;
	char *host;
	char *repository; /* NULL = none */
	char *base;       /* "https://host/v2/" */
	struct url origin;
	uint64_t second_ms; /* how long a second of back-off takes */
	struct notice notice;
	int64_t (*now)(void);
	struct auth auth;
	pthread_mutex_t warnings_lock;
	VEC(char *) warnings; /* that have been told */
};

/* Whether an answer or address is the registry's own: only it may ask for credentials and get them. */
bool registry_owns(const struct registry *registry, const char *url);

/* "pulling blob of host/repository@digest: " in front of an error. */
bool registry_context(const struct registry *registry, const char *doing, const char *reference,
		      struct err *err);

/* registry_start() whose errors have no context yet: for those that go on after some of them. */
bool registry_try(struct registry *registry, const struct registry_request *request,
		  struct http_exchange **ret, struct err *err);

/* How long the registry asks to wait before the next attempt; 0 = it does not say. */
uint64_t registry_retry_after(const struct registry *registry,
			      const struct http_exchange *exchange);

/* Tells what its Warning headers say, each text once. */
void registry_tell_warnings(struct registry *registry, const struct http_exchange *exchange);

/* A request whose answer is a text of at most `max` bytes; goes on after connections that break in the middle of it.
 * *ret_exchange is the exchange, read to its end. */
bool registry_get_text(struct registry *registry, const struct registry_request *request,
		       size_t max, struct str *out, struct http_exchange **ret_exchange,
		       struct err *err);

#endif
