/* SPDX-License-Identifier: Apache-2.0 */
/* Scope cleanup and ownership macros; nothing here allocates or does I/O. */
#ifndef TART_BASE_ATTRS_H
#define TART_BASE_ATTRS_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a)           (sizeof(a) / sizeof((a)[0]))

/* Runs fn(&variable) when the variable leaves scope; fn must accept the variable's empty value. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void cleanup_free(void *slot)
{
	free(*(void **)slot);
}

static inline void cleanup_close(const int *slot)
{
	if (*slot >= 0)
		(void)close(*slot);
}

#define CLEANUP_FREE  CLEANUP(cleanup_free)
#define CLEANUP_CLOSE CLEANUP(cleanup_close)

/* Hands a resource on: the variable is left empty, so its cleanup does nothing. */
#define TAKE_PTR(p)                                 \
	__extension__({                             \
		__typeof__(p) *take_slot_ = &(p);   \
		__typeof__(p) taken_ = *take_slot_; \
		*take_slot_ = NULL;                 \
		taken_;                             \
	})

#define TAKE_FD(fd)                       \
	__extension__({                   \
		int *take_slot_ = &(fd);  \
		int taken_ = *take_slot_; \
		*take_slot_ = -1;         \
		taken_;                   \
	})

#endif
