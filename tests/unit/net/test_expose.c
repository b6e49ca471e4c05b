/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/expose.h: network.md 2.2, cli.md 2.3. */
#include "net/expose.h"

#include "unit.h"

#define OPTION "--net-softnet-expose"
#define FORM   " is not of the form EXTERNAL:INTERNAL (TCP ports, 1 to 65535)"

static void parses_and_prints(void **state)
{
	static const struct {
		const char *text;
		const char *printed;
	} rows[] = {
		{ "2222:22", "2222:22" },
		{ "2222:22,8080:80", "2222:22,8080:80" },
		{ "1:65535,65535:1", "1:65535,65535:1" },
		{ "2222:22,2223:22", "2222:22,2223:22" },
		{ "02222:22", "2222:22" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str text = { 0 };
		expose_list list = { 0 };
		struct err err = { 0 };

		check(expose_list_parse(span_of(row->text), OPTION, &list, &err), "'%s': %s",
		      row->text, err.text);
		expose_list_print(&list, &text);
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
		{ "", OPTION ": ''" FORM },
		{ "2222", OPTION ": '2222'" FORM },
		{ ":22", OPTION ": ':22'" FORM },
		{ "2222:", OPTION ": '2222:'" FORM },
		{ "0:22", OPTION ": '0:22'" FORM },
		{ "2222:0", OPTION ": '2222:0'" FORM },
		{ "65536:22", OPTION ": '65536:22'" FORM },
		{ "2222:65536", OPTION ": '2222:65536'" FORM },
		{ "2222:22:tcp", OPTION ": '2222:22:tcp'" FORM },
		{ "2222:22/udp", OPTION ": '2222:22/udp'" FORM },
		{ " 2222:22", OPTION ": ' 2222:22'" FORM },
		{ "+2222:22", OPTION ": '+2222:22'" FORM },
		{ "2222:22,", OPTION ": ''" FORM },
		{ "2222:22,,80:80", OPTION ": ''" FORM },
		{ "2222:22,80:80,2222:23", OPTION ": '2222:23': port 2222 is exposed twice" },
		{ "18446744073709551617:22", OPTION ": '18446744073709551617:22'" FORM },
	};

	(void)state;
	each_row(rows, row) {
		expose_list list = { 0 };
		struct err err = { 0 };

		check(!expose_list_parse(span_of(row->text), OPTION, &list, &err), "'%s': accepted",
		      row->text);
		check(strcmp(err.text, row->error) == 0, "'%s': %s", row->text, err.text);
		check(err.kind == ERR_USAGE && list.n == 0, "'%s'", row->text);
		vec_done(&list);
	}
}

/* Options add up, and so do their conflicts; a list that is refused leaves what was there. */
static void appends(void **state)
{
	expose_list list = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(expose_list_parse(span_of("1:1"), OPTION, &list, &err));
	assert_true(expose_list_parse(span_of("2:1"), OPTION, &list, &err));
	assert_false(expose_list_parse(span_of("3:1,1:2"), OPTION, &list, &err));
	assert_int_equal(list.n, 2);
	vec_done(&list);
}

static void has_a_limit(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	expose_list list = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int port = 1; port <= EXPOSE_MAX; port++)
		str_addf(&text, "%s%d:%d", port > 1 ? "," : "", port, port);
	assert_true(expose_list_parse(str_span(&text), OPTION, &list, &err));
	assert_false(expose_list_parse(span_of("999:1"), OPTION, &list, &err));
	assert_string_equal(err.text, OPTION ": more than 256 ports");
	vec_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints),
		cmocka_unit_test(refuses),
		cmocka_unit_test(appends),
		cmocka_unit_test(has_a_limit),
	};

	return unit_main(tests);
}
