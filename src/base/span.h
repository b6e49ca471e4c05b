/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed run of bytes: pointer and length, never a terminating NUL of its own. */
#ifndef TART_BASE_SPAN_H
#define TART_BASE_SPAN_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *ptr;
	size_t len;
};

/* For printf's "%.*s". */
#define SPAN_ARG(s) (int)(s).len, (s).ptr

static inline struct span span_of(const char *text)
{
	return (struct span){ .ptr = text, .len = strlen(text) };
}

static inline struct span span_make(const char *ptr, size_t len)
{
	return (struct span){ .ptr = ptr, .len = len };
}

/* An empty span may have no pointer at all, which memcmp() does not allow. */
static inline bool span_equal(struct span a, struct span b)
{
	if (a.len != b.len || a.len == 0)
		return a.len == b.len;
	assert(a.ptr && b.ptr);
	return memcmp(a.ptr, b.ptr, a.len) == 0;
}

static inline bool span_is(struct span s, const char *text)
{
	return span_equal(s, span_of(text));
}

static inline bool span_starts_with(struct span s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && span_is(span_make(s.ptr, n), prefix);
}

static inline bool span_ends_with(struct span s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.len >= n && span_is(span_make(n > 0 ? s.ptr + s.len - n : NULL, n), suffix);
}

/* For libraries that only read, by a struct that serves for writing, too. */
static inline uint8_t *span_lend(struct span s)
{
	const union {
		const char *borrowed;
		uint8_t *lent;
	} ptr = { .borrowed = s.ptr };

	return ptr.lent;
}

/* Offset of the first / last `c`, or s.len when there is none. */
static inline size_t span_find(struct span s, char c)
{
	size_t i = 0;

	while (i < s.len && s.ptr[i] != c)
		i++;
	return i;
}

static inline size_t span_rfind(struct span s, char c)
{
	size_t i = s.len;

	while (i > 0 && s.ptr[i - 1] != c)
		i--;
	return i > 0 ? i - 1 : s.len;
}

static inline struct span span_from(struct span s, size_t start)
{
	return span_make(s.ptr + start, s.len - start);
}

static inline struct span span_first(struct span s, size_t len)
{
	return span_make(s.ptr, len);
}

/* Cuts the piece before the next `sep` off the front of *rest; false when nothing is left.
 * "a,,b" gives "a", "", "b"; "" gives one empty piece when *rest.ptr is not NULL. */
static inline bool span_next(struct span *rest, char sep, struct span *ret)
{
	size_t end;

	if (!rest->ptr)
		return false;
	end = span_find(*rest, sep);
	*ret = span_first(*rest, end);
	*rest = end < rest->len ? span_from(*rest, end + 1) : span_make(NULL, 0);
	return true;
}

#endif
