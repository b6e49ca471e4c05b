/* SPDX-License-Identifier: Apache-2.0 */
/* User name and password in one word, as HTTP's Basic scheme (RFC 7617) and configuration files have them. */
#ifndef TART_REGISTRY_BASIC_H
#define TART_REGISTRY_BASIC_H

#include <stdbool.h>

#include "base/span.h"
#include "base/str.h"
#include "registry/credentials.h"

/* Appends the Base64 of "user:password"; the user has no colon in it. */
void basic_add(struct str *out, const struct credentials *credentials);

/* Splits at the first colon. False, with *ret untouched, for what is no Base64 of two texts with a colon between them,
 * or of two empty ones. NULs at the end of the password are dropped, as Docker does. */
bool basic_decode(struct span text, struct credentials *ret);

#endif
