/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629): checking one sequence, writing one code point. */
#ifndef TART_BASE_UTF8_H
#define TART_BASE_UTF8_H

#include <stdint.h>

#include "base/span.h"
#include "base/str.h"

/* Bytes of the valid sequence at the front, or 0 when there is none; *ret_code (if not NULL) its code point. */
size_t utf8_decode(struct span text, uint32_t *ret_code);

static inline size_t utf8_len(struct span text)
{
	return utf8_decode(text, NULL);
}

/* Appends a code point, which must be valid: below 0x110000 and no surrogate. */
void utf8_add(struct str *out, uint32_t code);

#endif
