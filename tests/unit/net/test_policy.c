/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/policy.h, the lists as text: network.md 2.1. */
#include "net/policy.h"

#include "unit.h"

#define OPTION "--net-softnet-allow"
#define FORM   " is neither an IPv4 network (as 10.0.0.0/8 or 10.1.2.3) nor @host"

static void parses_and_prints(void **state)
{
	static const struct {
		const char *text;
		const char *printed;
	} rows[] = {
		{ "10.0.0.0/8", "10.0.0.0/8" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "10.1.2.3", "10.1.2.3/32" },
		{ "10.1.2.3/24", "10.1.2.0/24" },
		{ "@host", "@host" },
		{ "192.168.0.0/16,@host,1.2.3.4", "192.168.0.0/16,@host,1.2.3.4/32" },
		{ "10.0.0.0/8,10.0.0.0/8", "10.0.0.0/8,10.0.0.0/8" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str text = { 0 };
		policy_list list = { 0 };
		struct err err = { 0 };

		check(policy_list_parse(span_of(row->text), OPTION, &list, &err), "'%s': %s",
		      row->text, err.text);
		policy_list_print(&list, &text);
		check(strcmp(str_text(&text), row->printed) == 0, "'%s': %s", row->text,
		      str_text(&text));
		vec_done(&list);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} rows[] = {
		{ "", OPTION ": '' is empty" },
		{ ",", OPTION ": '' is empty" },
		{ "10.0.0.0/8,", OPTION ": '' is empty" },
		{ "10.0.0.0/8,,@host", OPTION ": '' is empty" },
		{ "10.0.0.0/33", OPTION ": '10.0.0.0/33'" FORM },
		{ "10.0.0.0/8;@host", OPTION ": '10.0.0.0/8;@host'" FORM },
		{ "10.0.0.0/8, @host", OPTION ": ' @host'" FORM },
		{ "@HOST", OPTION ": '@HOST'" FORM },
		{ "@host/32", OPTION ": '@host/32'" FORM },
		{ "example.com", OPTION ": 'example.com'" FORM },
		{ "10.0.0.256", OPTION ": '10.0.0.256'" FORM },
		{ "10.0.0.1-10.0.0.9", OPTION ": '10.0.0.1-10.0.0.9'" FORM },
		{ "fe80::/10",
		  OPTION ": 'fe80::/10' is not an IPv4 network: IPv6 is not supported" },
		{ "::", OPTION ": '::' is not an IPv4 network: IPv6 is not supported" },
	};

	(void)state;
	each_row(rows, row) {
		policy_list list = { 0 };
		struct err err = { 0 };

		check(!policy_list_parse(span_of(row->text), OPTION, &list, &err), "'%s': accepted",
		      row->text);
		check(strcmp(err.text, row->error) == 0, "'%s': %s", row->text, err.text);
		check(err.kind == ERR_USAGE && list.n == 0, "'%s'", row->text);
		vec_done(&list);
	}
}

static void appends_up_to_a_limit(void **state)
{
	policy_list list = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < POLICY_LIST_MAX; i++)
		assert_true(policy_list_parse(span_of("@host"), OPTION, &list, &err));
	assert_false(policy_list_parse(span_of("@host"), OPTION, &list, &err));
	assert_string_equal(err.text, OPTION ": more than 1024 networks");
	assert_int_equal(list.n, POLICY_LIST_MAX);
	vec_done(&list);
}

static void peers(void **state)
{
	static const struct {
		const char *allow;
		const char *block;
		bool peer;
	} rows[] = {
		{ "0.0.0.0/0", NULL, true },
		{ "10.0.0.0/8,1.2.3.4/0", NULL, true },
		{ "0.0.0.0/0", "0.0.0.0/0", true },
		{ NULL, "0.0.0.0/0", false },
		{ "0.0.0.0/1,128.0.0.0/1", NULL, false },
		{ "@host", NULL, false },
		{ NULL, NULL, false },
	};

	(void)state;
	each_row(rows, row) {
		struct policy policy = { 0 };
		struct err err = { 0 };

		if (row->allow)
			assert_true(policy_list_parse(span_of(row->allow), OPTION, &policy.allow,
						      &err));
		if (row->block)
			assert_true(policy_list_parse(span_of(row->block), OPTION, &policy.block,
						      &err));
		check(policy_makes_peer(&policy) == row->peer, "%s",
		      row->allow ? row->allow : "none");
		policy_done(&policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints),
		cmocka_unit_test(refuses),
		cmocka_unit_test(appends_up_to_a_limit),
		cmocka_unit_test(peers),
	};

	return unit_main(tests);
}
