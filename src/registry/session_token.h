/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching a token from the server that a registry names: image-format.md 9.1. */
#ifndef TART_REGISTRY_SESSION_TOKEN_H
#define TART_REGISTRY_SESSION_TOKEN_H

#include "registry/credentials.h"
#include "registry/session.h"
#include "registry/session_auth.h"
#include "registry/token.h"

/* `credentials` NULL: anonymous. Retries as other requests do. */
bool token_fetch(struct registry *registry, const struct demand *demand,
		 const struct credentials *credentials, struct token *ret, struct err *err);

/* "Basic ..."; the caller wipes it. */
char *basic_authorization(const struct credentials *credentials);

#endif
