/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that cannot fail for its callers. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/checked.h"

_Noreturn void mem_exhausted(void)
{
	static const char text[] = "Error: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

void *xcalloc(size_t n, size_t size)
{
	void *ptr = calloc(n ? n : 1, size ? size : 1);

	if (!ptr)
		mem_exhausted();
	return ptr;
}

void *xrealloc(void *ptr, size_t n, size_t size)
{
	size_t bytes;
	void *moved;

	if (ckd_mul(&bytes, n, size))
		mem_exhausted();
	moved = realloc(ptr, bytes ? bytes : 1);
	if (!moved)
		mem_exhausted();
	return moved;
}

char *xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t len)
{
	char *copy = xcalloc(len + 1, 1);

	memcpy(copy, text, len);
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0 || !text)
		mem_exhausted();
	return text;
}

void *mem_grow(void *array, size_t *cap, size_t item_size)
{
	size_t want = *cap ? *cap : 4;

	if (ckd_mul(&want, want, (size_t)2))
		mem_exhausted();
	array = xrealloc(array, want, item_size);
	*cap = want;
	return array;
}
