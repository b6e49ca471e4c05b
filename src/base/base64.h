/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, section 4: "+" and "/"). */
#ifndef TART_BASE_BASE64_H
#define TART_BASE_BASE64_H

#include "base/span.h"
#include "base/str.h"

/* Appends the text of these bytes, padded. Memory grows at most once, so that no copy of a secret is left behind. */
void base64_add(struct str *out, struct span bytes);

/* Appends the bytes that `text` stands for. Nothing but the alphabet, then the padding, which may be missing as a whole;
 * bits that a last group has too many must be zero. False adds nothing. */
bool base64_decode(struct span text, struct str *out);

#endif
