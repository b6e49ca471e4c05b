/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers from outside. */
#include "base/number.h"

#include "base/checked.h"

bool number_parse_u64(struct span text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		if (ckd_mul(&value, value, (uint64_t)10) ||
		    ckd_add(&value, value, (uint64_t)(text.ptr[i] - '0')))
			return false;
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}
