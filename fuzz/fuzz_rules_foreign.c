/* SPDX-License-Identifier: Apache-2.0 */
/* Other people's rules, as nft lists them. What comes of them are whole lines that a terminal can show. */
#include "netd/rules_foreign.h"

#include "base/mem.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct subnet subnet = { .cidr = { 0xc0a84000, 24 }, .gateway = 0xc0a84001 };
	CLEANUP_STR struct str out = { 0 };

	rules_foreign_find(span_make((const char *)data, size), &subnet, &out);
	fuzz_check(out.len == 0 || out.ptr[out.len - 1] == '\n');
	for (size_t i = 0; i < out.len; i++)
		fuzz_check(out.ptr[i] == '\n' || (unsigned char)out.ptr[i] >= ' ');
	return 0;
}
