/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate headers: image-format.md 9.1, cli.md 3.9. Pure; the text is from a server and not trusted. */
#ifndef TART_REGISTRY_CHALLENGE_H
#define TART_REGISTRY_CHALLENGE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"

#define CHALLENGE_HEADER_MAX 8192

enum challenge_scheme { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
	enum challenge_scheme scheme;
	char *scheme_text;
	/* Bearer; NULL when absent, but realm. */
	char *realm;
	char *service;
	char *scope;
};

void challenge_done(struct challenge *challenge); /* fits CLEANUP() */

/* The challenge to answer among those of all headers: Bearer if there is one, else Basic, else the first. An error when
 * a header is malformed and no other can be used, or there is none ("got HTTP 401, but WWW-Authenticate header is
 * missing"). */
bool challenge_choose(const struct span *headers, size_t n, struct challenge *ret, struct err *err);

#endif
