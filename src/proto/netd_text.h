/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes a text of the keeper's protocol may have: one rule for both directions. For netd_encode.c, netd_decode.c. */
#ifndef TART_PROTO_NETD_TEXT_H
#define TART_PROTO_NETD_TEXT_H

#include <stdint.h>

#include "base/span.h"
#include "base/utf8.h"

enum netd_text { NETD_TEXT_LINE, NETD_TEXT_LINES /* newlines, too */ };

/* Bytes of the character at the front of a text that is not empty, or 0 when it may not be there. */
static inline size_t netd_text_next(struct span text, enum netd_text kind)
{
	uint32_t code = 0;
	size_t n = utf8_decode(text, &code);

	if (code == '\n' && kind == NETD_TEXT_LINES)
		return n;
	return n > 0 && code >= 0x20 && (code < 0x7f || code > 0x9f) ? n : 0;
}

#endif
