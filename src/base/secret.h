/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords and tokens in memory: overwritten before they are freed, and not scattered by texts that grow. */
#ifndef TART_BASE_SECRET_H
#define TART_BASE_SECRET_H

#include <stddef.h>

#include "base/str.h"

/* Overwrites a text and frees it. Accepts NULL. */
void secret_free(char *text);

/* The same for a variable that holds one: CLEANUP_SECRET char *password = NULL; */
static inline void secret_cleanup(char **slot)
{
	secret_free(*slot);
	*slot = NULL;
}
#define CLEANUP_SECRET CLEANUP(secret_cleanup)

void secret_str_done(struct str *s);
#define CLEANUP_SECRET_STR CLEANUP(secret_str_done)

/* Makes room for `extra` bytes. A text that has to move for it is overwritten where it was: what fits into the room
 * leaves no copies behind. Respects a cap by leaving it to the appending calls. */
void secret_reserve(struct str *s, size_t extra);

#endif
