/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of token servers: image-format.md 9.1, cli.md 3.10. Pure; errors never quote the answer.
 *
 * When a token ends: `expires_in` seconds after `issued_at`. Servers are careless about both, clocks differ:
 * an issued_at that cannot be read, is of before 1970 (zero times) or of the future counts as now; an expires_in that is
 * missing, no number or not positive counts as 60, one beyond a day as a day.
 *
 * The request that needed a token uses it whatever its dates say: with a clock that runs fast, ours or theirs, a fresh
 * token may look expired, and one more 401 is all that can happen.
 */
#ifndef TART_REGISTRY_TOKEN_H
#define TART_REGISTRY_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define TOKEN_ANSWER_MAX     ((size_t)1 << 20)
#define TOKEN_TEXT_MAX       ((size_t)64 << 10)
#define TOKEN_LIFE_DEFAULT_S 60
#define TOKEN_LIFE_MAX_S     86400
#define TOKEN_EARLY_S        5 /* renewed this long before it ends, if it lives longer than that */

struct token {
	char *text;         /* owned; printable ASCII, fit for a header */
	int64_t expires_at; /* seconds since 1970 */
	int64_t renew_at;   /* from here on it is not used any more */
};

void token_done(struct token *token); /* wipes it; fits CLEANUP() */
bool token_parse(struct span answer, int64_t now, struct token *ret, struct err *err);
bool token_is_valid(const struct token *token, int64_t now); /* false for an empty one */

/* "1970-01-01T00:00:00Z", with fractions (cut off) and offsets; a leap second is the next second. */
bool token_parse_time(struct span text, int64_t *ret);

#endif
