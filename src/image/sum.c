/* SPDX-License-Identifier: Apache-2.0 */
/* Check sums over files with holes. */
#include "image/sum.h"

#include "base/cancel.h"

bool sum_add_zeros(struct digest *digest, uint64_t len, struct err *err)
{
	static const char zeros[65536];
	uint64_t since_check = 0;

	while (len > 0) {
		size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		digest_add(digest, zeros, n);
		len -= n;
		since_check += n;
		if (since_check >= (64 << 20)) {
			since_check = 0;
			if (!cancel_check(err))
				return false;
		}
	}
	return true;
}
