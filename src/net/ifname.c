/* SPDX-License-Identifier: Apache-2.0 */
/* Names of interfaces. */
#include "net/ifname.h"

static bool is_fit(char c)
{
	return c > ' ' && c < 0x7f && !strchr("/:\"#,\\%", c);
}

bool ifname_is_valid(struct span text)
{
	if (text.len == 0 || text.len >= IFNAME_SIZE || span_is(text, ".") || span_is(text, ".."))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!is_fit(text.ptr[i]))
			return false;
	}
	return true;
}
