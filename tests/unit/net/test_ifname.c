/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/ifname.h. */
#include "net/ifname.h"

#include "unit.h"

static void tells_names(void **state)
{
	static const struct {
		const char *name;
		bool ok;
	} rows[] = {
		{ "eth0", true },
		{ "enp0s31f6.100", true },
		{ "br-0123456789ab", true },
		{ "...", true },
		{ "", false },
		{ ".", false },
		{ "..", false },
		{ "0123456789abcdef", false },
		{ "a/b", false },
		{ "eth0:1", false },
		{ "a b", false },
		{ "a\tb", false },
		{ "a,b", false },
		{ "a#b", false },
		{ "a\"b", false },
		{ "tap%d", false },
		{ "caf\xc3\xa9", false },
		{ "a\x7f", false },
	};

	(void)state;
	each_row(rows, row)
		check(ifname_is_valid(span_of(row->name)) == row->ok, "'%s'", row->name);
	assert_false(ifname_is_valid(span_make("a\0b", 3)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_names),
	};

	return unit_main(tests);
}
