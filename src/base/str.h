/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owned, growing text with an optional cap.
 *
 * A struct str starts as { 0 } (no cap) or STR_CAPPED(n). `ptr` is NULL while nothing was ever added,
 * else NUL-terminated; `len` excludes the NUL. Appending beyond the cap adds nothing and sets `overflow`,
 * which stays set: check it once at the end. Memory that cannot be had ends the process (base/mem.h).
 */
#ifndef TART_BASE_STR_H
#define TART_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/span.h"

struct str {
	char *ptr;
	size_t len;
	size_t room; /* allocated bytes */
	size_t cap;  /* most bytes of text, 0 = unlimited */
	bool overflow;
};

#define STR_CAPPED(max)      \
	{                    \
		.cap = (max) \
	}
#define CLEANUP_STR CLEANUP(str_done)

void str_add(struct str *s, const char *text);
void str_add_span(struct str *s, struct span text);
void str_add_char(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_vaddf(struct str *s, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

/* Drops everything past `len`; no effect when the text is shorter. */
void str_truncate(struct str *s, size_t len);
void str_clear(struct str *s);

/* Text for reading: never NULL. */
const char *str_text(const struct str *s);
struct span str_span(const struct str *s);

/* Hands the text to the caller (freed with free, never NULL) and empties *s. */
char *str_take(struct str *s);
void str_done(struct str *s);

/* Appends text with control characters and non-UTF-8 bytes written as \xNN, for terminals and logs. */
void str_add_escaped(struct str *s, struct span text);

#endif
