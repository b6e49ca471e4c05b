/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation of sizes that we choose; running out of memory ends the process through one hook. */
#ifndef TART_BASE_MEM_H
#define TART_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"

/* All of these return memory the caller frees, never NULL. */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *ptr, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((returns_nonnull));

/* For vec.h: doubles *cap (8 at first) and returns the moved array. */
void *mem_grow(void *array, size_t *cap, size_t item_size) __attribute__((returns_nonnull));

/* Says so on stderr and exits 1. */
_Noreturn void mem_exhausted(void);

#endif
