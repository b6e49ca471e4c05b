/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again, and after how long: exponential back-off with full jitter, as image-format.md 7 has it. */
#ifndef TART_HTTP_RETRY_H
#define TART_HTTP_RETRY_H

#include <stdint.h>

#include "base/err.h"

#define RETRY_ATTEMPTS    5
#define RETRY_BASE_MS     1000
#define RETRY_CAP_MS      20000
#define RETRY_AFTER_MAX_S 300 /* a server that asks for more is told that we do not wait */

/* 408, 429, 500, 502, 503, 504. */
bool retry_status(int status);

/* The upper bound of the delay before attempt `n` (the second try is n = 1): base * 2^(n-1), at most the cap. */
uint64_t retry_bound_ms(unsigned n, uint64_t base_ms);

/* Seconds of a Retry-After header, which is a number or an HTTP date (relative to `now`); 0 when absent or unreadable. */
uint64_t retry_after_s(const char *header, int64_t now);

/* Sleeps; ends early, with ERR_CANCELLED, on cancellation. */
bool retry_sleep(uint64_t ms, struct err *err);

#endif
