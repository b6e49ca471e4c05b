/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of token servers: image-format.md 9.1, cli.md 3.10. Pure; errors never quote the answer. */
#ifndef TART_REGISTRY_TOKEN_H
#define TART_REGISTRY_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define TOKEN_ANSWER_MAX   ((size_t)1 << 20)
#define TOKEN_LIFE_MAX_S   86400
#define TOKEN_EARLY_S      5 /* renewed this long before it ends, if it lives that long */

struct token {
	char *text;         /* owned */
	int64_t expires_at; /* seconds since 1970 */
};

void token_done(struct token *token); /* wipes it; fits CLEANUP() */
bool token_parse(struct span answer, int64_t now, struct token *ret, struct err *err);
bool token_is_valid(const struct token *token, int64_t now);

#endif
