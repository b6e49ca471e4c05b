/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cursor over borrowed bytes that knows its end. Every read either gives all it was asked for and moves,
 * or gives nothing and marks the reader failed; a failed reader stays failed and behaves as empty.
 */
#ifndef TART_BASE_READER_H
#define TART_BASE_READER_H

#include <stdint.h>

#include "base/span.h"

struct reader {
	struct span rest;
	bool failed;
};

static inline struct reader reader_of(struct span bytes)
{
	return (struct reader){ .rest = bytes };
}

static inline struct span reader_rest(const struct reader *r)
{
	return r->rest;
}

/* The next byte (0 to 255) without moving, or -1 at the end. */
static inline int reader_peek(const struct reader *r)
{
	return r->rest.len > 0 ? (unsigned char)r->rest.ptr[0] : -1;
}

static inline bool reader_take(struct reader *r, size_t len, struct span *ret)
{
	if (r->failed || r->rest.len < len) {
		r->failed = true;
		r->rest.len = 0;
		return false;
	}
	*ret = span_first(r->rest, len);
	r->rest = span_from(r->rest, len);
	return true;
}

static inline bool reader_skip(struct reader *r, size_t len)
{
	struct span ignored;

	return reader_take(r, len, &ignored);
}

static inline bool reader_be(struct reader *r, size_t bytes, uint64_t *ret)
{
	struct span raw;
	uint64_t value = 0;

	if (!reader_take(r, bytes, &raw))
		return false;
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | (unsigned char)raw.ptr[i];
	*ret = value;
	return true;
}

static inline bool reader_le(struct reader *r, size_t bytes, uint64_t *ret)
{
	struct span raw;
	uint64_t value = 0;

	if (!reader_take(r, bytes, &raw))
		return false;
	for (size_t i = bytes; i > 0; i--)
		value = value << 8 | (unsigned char)raw.ptr[i - 1];
	*ret = value;
	return true;
}

#endif
