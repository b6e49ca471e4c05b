/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WWW-Authenticate headers: image-format.md 9.1, cli.md 3.9, RFC 9110 section 11. Pure; the text is from a server and
 * not trusted.
 *
 * Beyond the RFC, as registries in the field have it: unquoted values may hold any visible characters but commas and
 * quotes ("realm=https://host/token"), and Basic needs no realm.
 */
#ifndef TART_REGISTRY_CHALLENGE_H
#define TART_REGISTRY_CHALLENGE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"

#define CHALLENGE_HEADER_MAX 8192

enum challenge_scheme { CHALLENGE_OTHER, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge_param {
	char *key;   /* lower case */
	char *value; /* unquoted */
};

struct challenge {
	enum challenge_scheme scheme;
	char *scheme_text; /* as the server spells it */
	VEC(struct challenge_param) params;
	/* Among the params; NULL when absent, but the realm of a Bearer challenge that was chosen. */
	const char *realm;
	const char *service;
	const char *scope;
};

void challenge_done(struct challenge *challenge); /* fits CLEANUP() */

/* The challenge to answer among those of all headers: Bearer if there is one, else Basic, else the first. A challenge
 * that is malformed, and all that follow it in its header, are passed over; an error when no other is left, or there is
 * no header at all ("got HTTP 401, but WWW-Authenticate header is missing"). */
bool challenge_choose(const struct span *headers, size_t n, struct challenge *ret, struct err *err);

/* All challenges of one header, well-formed ones first to last. False with *err set when it ends in a malformed one:
 * those before it are in *ret all the same. */
struct challenge_list {
	VEC(struct challenge) items;
};
bool challenge_list_parse(struct span header, struct challenge_list *ret, struct err *err);
void challenge_list_done(struct challenge_list *list); /* fits CLEANUP() */

#endif
