/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/mac.h. */
#include "net/mac.h"

#include <string.h>

#include "unit.h"

static const struct {
	const char *name;
	const char *text;
	const char *printed; /* NULL: refused */
} rows[] = {
	{ "two digits each", "11:22:33:44:55:66", "11:22:33:44:55:66" },
	{ "one digit each", "0:1:2:a:b:c", "00:01:02:0a:0b:0c" },
	{ "mixed lengths and cases", "0A:b:Cc:0:fF:1", "0a:0b:cc:00:ff:01" },
	{ "five groups", "11:22:33:44:55", NULL },
	{ "seven groups", "11:22:33:44:55:66:77", NULL },
	{ "an empty group", "11:22::44:55:66", NULL },
	{ "an empty last group", "11:22:33:44:55:", NULL },
	{ "three digits", "11:22:33:44:55:066", NULL },
	{ "not hexadecimal", "11:22:33:44:55:6g", NULL },
	{ "dashes", "11-22-33-44-55-66", NULL },
	{ "space before", " 11:22:33:44:55:66", NULL },
	{ "newline after", "11:22:33:44:55:66\n", NULL },
	{ "sign", "11:22:33:44:55:+6", NULL },
	{ "nothing", "", NULL },
};

static void parses_and_prints(void **state)
{
	(void)state;
	each_row(rows, row) {
		struct mac mac = { { 1, 2, 3, 4, 5, 6 } };
		char text[MAC_TEXT_SIZE];
		bool ok = mac_parse(span_of(row->text), &mac);

		check(ok == (row->printed != NULL), "%s: %s", row->name,
		      ok ? "accepted" : "refused");
		mac_print(&mac, text);
		check(strcmp(text, ok ? row->printed : "01:02:03:04:05:06") == 0, "%s: got %s",
		      row->name, text);
	}
}

static void random_ones_are_local_unicast(void **state)
{
	struct mac previous = { { 0 } };

	(void)state;
	for (int i = 0; i < 64; i++) {
		struct mac mac;

		mac_random(&mac);
		assert_int_equal(mac.octets[0] & 0x03, 0x02);
		assert_false(mac_equal(&mac, &previous));
		previous = mac;
	}
}

static void compares_octets(void **state)
{
	struct mac a;
	struct mac b;

	(void)state;
	assert_true(mac_parse(span_of("0:1:2:a:b:c"), &a));
	assert_true(mac_parse(span_of("00:01:02:0A:0B:0C"), &b));
	assert_true(mac_equal(&a, &b));
	assert_true(mac_is(&a, span_of("0:1:2:A:B:C")));
	assert_false(mac_is(&a, span_of("0:1:2:A:B:D")));
	assert_false(mac_is(&a, span_of("0:1:2:A:B")));
	b.octets[5] = 0;
	assert_false(mac_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints),
		cmocka_unit_test(random_ones_are_local_unicast),
		cmocka_unit_test(compares_octets),
	};

	return unit_main(tests);
}
