/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and ports of the loopback interface that stand for those of a guest. */
#include "net/alias.h"

#include "unit.h"

static void expect_alias(const char *guest, unsigned int attempt, const char *alias)
{
	char text[IPV4_TEXT_SIZE];
	ipv4 address;

	assert_true(ipv4_parse(span_of(guest), &address));
	ipv4_print(alias_of(address, attempt), text);
	assert_string_equal(text, alias);
}

static void aliases_keep_the_last_two_bytes(void **state)
{
	(void)state;
	expect_alias("192.168.64.11", 0, "127.64.64.11");
	expect_alias("192.168.64.11", 1, "127.65.64.11");
	expect_alias("10.1.255.254", ALIAS_ATTEMPTS - 1, "127.95.255.254");
}

static void low_ports_move_when_they_are_root_s(void **state)
{
	(void)state;
	assert_int_equal(alias_port(22, 1024), 20022);
	assert_int_equal(alias_port(22, 22), 22);
	assert_int_equal(alias_port(21, 22), 20021);
	assert_int_equal(alias_port(22, 0), 22);
	assert_int_equal(alias_port(3389, 1024), 3389);
	assert_int_equal(alias_port(5900, 65536), 25900);
	/* There is no place 20000 above: better to try than to wrap around. */
	assert_int_equal(alias_port(50000, 65536), 50000);
}

static void usual_ports_end(void **state)
{
	size_t n = 0;

	(void)state;
	assert_int_equal(alias_ports[0], 22);
	while (alias_ports[n])
		n++;
	assert_int_equal(n, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aliases_keep_the_last_two_bytes),
		cmocka_unit_test(low_ports_move_when_they_are_root_s),
		cmocka_unit_test(usual_ports_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
