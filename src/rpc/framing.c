/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC's messages inside a stream of bytes. */
#include "rpc/framing.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* A body of more than this is not kept for the next message. */
#define KEEP_ROOM ((size_t)64 << 10)

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void take_prefix(struct framing *framing, struct span *bytes)
{
	size_t n = least(FRAMING_PREFIX - framing->n_prefix, bytes->len);

	if (n > 0)
		memcpy(framing->prefix + framing->n_prefix, bytes->ptr, n);
	framing->n_prefix += n;
	*bytes = span_from(*bytes, n);
}

static size_t announced(const struct framing *framing)
{
	const unsigned char *p = framing->prefix;

	return (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | (size_t)p[4];
}

/* The message that was given last is no longer used. */
static void begin(struct framing *framing)
{
	if (framing->body.room > KEEP_ROOM)
		str_done(&framing->body);
	str_clear(&framing->body);
}

enum framing_step framing_next(struct framing *framing, struct span *bytes, size_t max,
			       struct span *ret)
{
	size_t len, n;

	if (framing->n_prefix == 0)
		begin(framing);
	take_prefix(framing, bytes);
	if (framing->n_prefix < FRAMING_PREFIX)
		return FRAMING_MORE;
	len = announced(framing);
	if (len > max)
		return FRAMING_TOO_LARGE;
	if (framing->prefix[0] != 0)
		return FRAMING_COMPRESSED;

	n = least(len - framing->body.len, bytes->len);
	if (n < len) {
		str_add_span(&framing->body, span_first(*bytes, n));
		*ret = str_span(&framing->body);
	} else {
		*ret = span_first(*bytes, n); /* all of it at once: no copy */
	}
	*bytes = span_from(*bytes, n);
	if (ret->len < len)
		return FRAMING_MORE;
	framing->n_prefix = 0;
	return FRAMING_MESSAGE;
}

size_t framing_kept(const struct framing *framing)
{
	return framing->n_prefix == 0 ? 0 : framing->body.len;
}

bool framing_is_between(const struct framing *framing)
{
	return framing->n_prefix == 0;
}

void framing_done(struct framing *framing)
{
	str_done(&framing->body);
	*framing = (struct framing){ 0 };
}

void framing_put(struct queue *out, struct span message)
{
	size_t len = message.len;
	const char prefix[FRAMING_PREFIX] = {
		0, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len,
	};

	assert(len <= UINT32_MAX);
	queue_put(out, span_make(prefix, sizeof(prefix)));
	queue_put(out, message);
}
