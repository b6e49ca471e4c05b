/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of vmnet/interfaces.h: the list of the keeper's program, and what is said of a name that is not in it. */
#include "vmnet/interfaces.h"

#include "unit.h"

static void parses(void **state)
{
	static const struct {
		const char *name, *text;
		size_t n; /* 0 with `ok`: an empty list */
		bool ok;
		const char *first, *kind;
	} rows[] = {
		{ "nothing", "", 0, true, NULL, NULL },
		{ "one", "br0 bridge\n", 1, true, "br0", "bridge" },
		{ "no newline at the end", "eth0 device\nbr0 bridge", 2, true, "eth0", "device" },
		{ "longest name", "enp0s31f6abcdef device\n", 1, true, "enp0s31f6abcdef",
		  "device" },
		{ "a name that is too long", "enp0s31f6abcdefg device\n", 0, false, NULL, NULL },
		{ "no kind", "br0\n", 0, false, NULL, NULL },
		{ "empty kind", "br0 \n", 0, false, NULL, NULL },
		{ "no name", " bridge\n", 0, false, NULL, NULL },
		{ "a path", "../x device\n", 0, false, NULL, NULL },
		{ "a kind that is too long", "br0 bridgebridgebridge\n", 0, false, NULL, NULL },
		{ "right, then wrong", "br0 bridge\nx\n", 0, false, NULL, NULL },
	};

	(void)state;
	each_row(rows, row) {
		host_interfaces got = { 0 };
		struct err err = { 0 };

		check(interfaces_parse(span_of(row->text), &got, &err) == row->ok, "%s: %s",
		      row->name, err.text);
		check(got.n == row->n, "%s: %zu", row->name, got.n);
		if (row->n > 0) {
			assert_string_equal(got.v[0].name, row->first);
			assert_string_equal(got.v[0].kind, row->kind);
		}
		vec_done(&got);
	}
}

static void names_those_that_there_are(void **state)
{
	host_interfaces all = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_false(interfaces_check(&all, "br0", &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.text,
			    "no bridge interfaces matched \"br0\", available interfaces: none");
	assert_true(interfaces_parse(span_of("br0 bridge\neth0 device\n"), &all, &err));
	assert_true(interfaces_check(&all, "eth0", &err));
	assert_true(interfaces_check(&all, "br0", &err));
	assert_false(interfaces_check(&all, "eth", &err));
	assert_string_equal(
		err.text, "no bridge interfaces matched \"eth\", available interfaces: br0, eth0");
	vec_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(names_those_that_there_are),
	};

	return unit_main(tests);
}
