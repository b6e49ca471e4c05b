/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer with an unexpected status becomes for the user: image-format.md 9.3 and 9.4, cli.md 1.4. */
#ifndef TART_REGISTRY_SESSION_ERROR_H
#define TART_REGISTRY_SESSION_ERROR_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "http/http.h"

#define REFUSAL_BODY_MAX   ((size_t)64 * 1024) /* read of an error's body */
#define REFUSAL_SHOWN_MAX  1000                /* characters of it shown */
#define REFUSAL_ERRORS_MAX 3                   /* of the list that registries answer with */

enum refusal_view {
	REFUSAL_PULL, /* reading: what is not there may be private */
	REFUSAL_PUSH, /* writing */
	REFUSAL_PING, /* asking whether there is a registry, and who we are to it */
	/* A token server, with and without credentials: nothing of a body is shown but errors of the usual form. */
	REFUSAL_TOKEN,
	REFUSAL_ANONYMOUS_TOKEN,
};

/* Sets *err for status and body: "HTTP 404: NAME_UNKNOWN: repository name not known (hint)", the start of a body of
 * another form as its detail. Pure. */
bool refusal_describe(int status, struct span body, enum refusal_view view, struct err *err);

/* The same for an answer, whose body is read here. */
bool refusal_of(struct http_exchange *exchange, enum refusal_view view, struct err *err);

/* Adds to *err that the answer asks for a wait which is longer than ours are. */
bool refusal_add_wait(uint64_t after_s, struct err *err);

#endif
