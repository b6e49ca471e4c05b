/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on numbers from outside: each call says whether the result fits (true = it does not). */
#ifndef TART_BASE_CHECKED_H
#define TART_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

/* Same contract as C23 <stdckdint.h>, which Debian 12 lacks: *ret is set, true means overflow. */
#define ckd_add(ret, a, b) __builtin_add_overflow((a), (b), (ret))
#define ckd_sub(ret, a, b) __builtin_sub_overflow((a), (b), (ret))
#define ckd_mul(ret, a, b) __builtin_mul_overflow((a), (b), (ret))

/* Narrowing without a cast: false, and *ret untouched, when the value does not fit. */
static inline bool to_u32(uint64_t value, uint32_t *ret)
{
	if (value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static inline bool to_i64(uint64_t value, int64_t *ret)
{
	if (value > INT64_MAX)
		return false;
	*ret = (int64_t)value;
	return true;
}

#endif
