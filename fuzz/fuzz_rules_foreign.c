/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages about other people's chains and rules: what is read is within its bounds, and what comes of them are whole lines
 * that a terminal can show. The input is messages of a byte that says which, two of length, and attributes.
 */
#include "netd/rules_foreign.h"

#include <linux/netfilter.h>

#include "base/mem.h"
#include "fuzz.h"

static const struct subnet subnet = { .cidr = { 0xc0a84000, 24 }, .gateway = 0xc0a84001 };

/* A copy as long as it is, so that a sanitizer sees its end. */
static void take(struct rules_foreign *foreign, bool is_rule, const uint8_t *data, size_t len)
{
	char *copy = xrealloc(NULL, len ? len : 1, 1);

	memcpy(copy, data, len);
	if (is_rule)
		rules_foreign_add_rule(foreign, &subnet, NFPROTO_INET, span_make(copy, len));
	else
		rules_foreign_add_chain(foreign, NFPROTO_INET, span_make(copy, len));
	free(copy);
}

static void check_lines(const struct str *out)
{
	fuzz_check(out->len == 0 || out->ptr[out->len - 1] == '\n');
	for (size_t i = 0; i < out->len; i++)
		fuzz_check(out->ptr[i] == '\n' || (unsigned char)out->ptr[i] >= ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(rules_foreign_done) struct rules_foreign foreign = { 0 };
	CLEANUP_STR struct str out = { 0 };

	while (size >= 3) {
		size_t len = data[1] | (size_t)data[2] << 8;

		len = len < size - 3 ? len : size - 3;
		take(&foreign, data[0] & 1, data + 3, len);
		data += 3 + len;
		size -= 3 + len;
	}
	rules_foreign_print(&foreign, &subnet, &out);
	check_lines(&out);
	return 0;
}
