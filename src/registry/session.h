/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry, as seen from one repository: requests with authentication and retries. image-format.md 9.
 *
 * Shared by threads. The first 401 makes one of them authenticate; the others wait and use what it got. Credentials go to
 * the registry's own origin and to the realm it names, which an https registry may only name as https; tokens go to the
 * registry's origin. An answer 401 to fresh authentication is final. docs/ARCHITECTURE.md has the states.
 *
 * Retries: transport errors, 408, 429 (Retry-After), 500, 502, 503, 504, as http/retry.h says, each told by the notice.
 * $TART_RETRY_DELAY replaces the milliseconds that a second of such a wait takes.
 *
 * An error names what was being done, the reference, the HTTP status and the registry's own words: image-format.md 9.4.
 * What else an answer has to say is the error's detail. ERR_TRANSPORT: connections broke, to the last attempt.
 */
#ifndef TART_REGISTRY_SESSION_H
#define TART_REGISTRY_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "http/http.h"
#include "registry/credentials.h"
#include "registry/manifest.h"
#include "registry/notice.h"

struct registry;

struct registry_options {
	const char *host;       /* with port if given */
	const char *repository; /* NULL: for registry_ping() only */
	bool is_insecure;       /* plain HTTP */
	/* Instead of looking for them: for `login`. NULL = credentials_find(), after the first 401. */
	const struct credentials *credentials;
	struct notice notice;
	int64_t (*now)(void); /* seconds since 1970; NULL = the system's clock */
};

/* Options are copied, `http` is borrowed. ERR_HOST for a host that is none. */
bool registry_new(struct http *http, const struct registry_options *options, struct registry **ret,
		  struct err *err);
void registry_free(struct registry *registry);
static inline void registry_cleanup(struct registry **slot)
{
	registry_free(*slot);
}
#define CLEANUP_REGISTRY CLEANUP(registry_cleanup)

struct registry_request {
	enum http_method method;
	/* Below /v2/REPOSITORY/ (NULL: /v2/ itself), or an absolute address that the registry has named: credentials stay away
	 * from one on another origin, and it must not leave https. */
	const char *path;
	const struct http_header *headers;
	size_t n_headers;
	struct http_body body;
	void (*begin)(
		void *ctx); /* the body is about to be sent, perhaps once more; may be NULL, as `sent` */
	void (*sent)(void *ctx, uint64_t bytes);
	void *ctx;
	const char *doing;     /* "pulling blob", for errors */
	const char *reference; /* ":tag" or "@digest", for errors; NULL = none */
	const int *
		expected; /* statuses that are answers, ends with 0; 404 too if the caller wants to see it */
	bool once; /* no retries: the caller has a better way to go on */
};

/* Returns an exchange whose status is one of the expected. The request is borrowed for the call, its body and `sent` until
 * the exchange ends. */
bool registry_start(struct registry *registry, const struct registry_request *request,
		    struct http_exchange **ret, struct err *err);

/* As above, without interest in the body. */
bool registry_do(struct registry *registry, const struct registry_request *request, int *ret_status,
		 struct err *err);

/* Between two attempts, of which `attempts` have been made: tells why (*err) and waits. False when there is nothing to wait
 * for any more; *err is then why, or cancellation. */
struct attempt_failure {
	unsigned attempts;
	uint64_t after_s; /* what a Retry-After header asks for, 0 = nothing */
};
bool registry_pause(struct registry *registry, const char *doing, struct attempt_failure failure,
		    struct err *err);

/* The login check: GET /v2/ answers 200. */
bool registry_ping(struct registry *registry, struct err *err);

/* A manifest or index. `reference` is a tag or digest. The digest is that of the bytes; one that was asked for, and a
 * Docker-Content-Digest header, must agree with it. */
struct fetched_manifest {
	struct str bytes;
	blob_digest digest;
	char *media_type; /* of the answer, without parameters; NULL = none */
};
void fetched_manifest_done(struct fetched_manifest *fetched); /* fits CLEANUP() */

/* *ret_found = false for 404, if ret_found is not NULL; else that is an error. */
bool registry_get_manifest(struct registry *registry, const char *reference,
			   struct fetched_manifest *ret, bool *ret_found, struct err *err);
bool registry_put_manifest(struct registry *registry, const char *reference, const char *media_type,
			   struct span bytes, struct err *err);

#endif
