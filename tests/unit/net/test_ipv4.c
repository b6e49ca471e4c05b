/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/ipv4.h. */
#include "net/ipv4.h"

#include "unit.h"

static void addresses(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		ipv4 address;
	} rows[] = {
		{ "192.168.64.1", true, 0xc0a84001 },
		{ "0.0.0.0", true, 0 },
		{ "255.255.255.255", true, 0xffffffff },
		{ "127.64.0.11", true, 0x7f40000b },
		{ "", false, 0 },
		{ "1", false, 0 },
		{ "1.2.3", false, 0 },
		{ "1.2.3.", false, 0 },
		{ ".1.2.3", false, 0 },
		{ "1..2.3", false, 0 },
		{ "1.2.3.4.5", false, 0 },
		{ "1.2.3.256", false, 0 },
		{ "1.2.3.04", false, 0 },
		{ "1.2.3.0000", false, 0 },
		{ "1.2.3.0x4", false, 0 },
		{ " 1.2.3.4", false, 0 },
		{ "1.2.3.4 ", false, 0 },
		{ "1.2.3.4\n", false, 0 },
		{ "1.2.3.-4", false, 0 },
		{ "1.2.3.+4", false, 0 },
		{ "::1", false, 0 },
	};

	(void)state;
	each_row(rows, row) {
		char text[IPV4_TEXT_SIZE];
		ipv4 address = 7;
		bool ok = ipv4_parse(span_of(row->text), &address);

		check(ok == row->ok, "'%s': %s", row->text, ok ? "accepted" : "refused");
		check(address == (ok ? row->address : 7), "'%s': 0x%08x", row->text, address);
		ipv4_print(address, text);
		check(!ok || strcmp(text, row->text) == 0, "'%s': printed as %s", row->text, text);
	}
	assert_false(ipv4_parse(span_make(NULL, 0), &(ipv4){ 0 }));
}

static void networks(void **state)
{
	static const struct {
		const char *text;
		const char *printed; /* NULL: refused */
		const char *last;
	} rows[] = {
		{ "10.0.0.0/8", "10.0.0.0/8", "10.255.255.255" },
		{ "10.1.2.3/8", "10.0.0.0/8", "10.255.255.255" },
		{ "10.1.2.3", "10.1.2.3/32", "10.1.2.3" },
		{ "10.1.2.3/32", "10.1.2.3/32", "10.1.2.3" },
		{ "10.1.2.3/31", "10.1.2.2/31", "10.1.2.3" },
		{ "255.255.255.255/0", "0.0.0.0/0", "255.255.255.255" },
		{ "255.255.255.255/1", "128.0.0.0/1", "255.255.255.255" },
		{ "10.0.0.0/33", NULL, NULL },
		{ "10.0.0.0/", NULL, NULL },
		{ "10.0.0.0/08", NULL, NULL },
		{ "10.0.0.0/-1", NULL, NULL },
		{ "10.0.0.0/8/8", NULL, NULL },
		{ "10.0.0.0/8 ", NULL, NULL },
		{ "10.0.0/8", NULL, NULL },
		{ "/8", NULL, NULL },
		{ "10.0.0.0/255.0.0.0", NULL, NULL },
		{ "10.0.0.0/4294967296", NULL, NULL },
		{ "fe80::/10", NULL, NULL },
		{ "", NULL, NULL },
	};

	(void)state;
	each_row(rows, row) {
		struct cidr cidr = { 0 };
		char text[CIDR_TEXT_SIZE];
		char last[IPV4_TEXT_SIZE];
		bool ok = cidr_parse(span_of(row->text), &cidr);

		check(ok == (row->printed != NULL), "'%s': %s", row->text,
		      ok ? "accepted" : "refused");
		if (!ok)
			continue;
		cidr_print(&cidr, text);
		ipv4_print(cidr_last(&cidr), last);
		check(strcmp(text, row->printed) == 0, "'%s': %s", row->text, text);
		check(strcmp(last, row->last) == 0, "'%s': to %s", row->text, last);
	}
}

static void netmasks(void **state)
{
	static const struct {
		const char *text;
		int prefix; /* -1: refused */
	} rows[] = {
		{ "255.255.255.0", 24 },    { "255.255.0.0", 16 },
		{ "255.255.255.248", 29 },  { "255.255.255.255", 32 },
		{ "0.0.0.0", 0 },           { "128.0.0.0", 1 },
		{ "255.0.255.0", -1 },      { "0.255.255.255", -1 },
		{ "255.255.255.1", -1 },    { "24", -1 },
		{ "255.255.255.0/24", -1 },
	};

	(void)state;
	each_row(rows, row) {
		uint8_t prefix = 99;
		bool ok = netmask_parse(span_of(row->text), &prefix);

		check(ok == (row->prefix >= 0), "'%s': %s", row->text, ok ? "accepted" : "refused");
		check(prefix == (ok ? row->prefix : 99), "'%s': %u", row->text, prefix);
	}
	for (uint8_t prefix = 0; prefix <= 32; prefix++) {
		char text[IPV4_TEXT_SIZE];
		uint8_t again = 99;

		ipv4_print(netmask_of(prefix), text);
		assert_true(netmask_parse(span_of(text), &again));
		assert_int_equal(again, prefix);
	}
}

static struct cidr cidr(const char *text)
{
	struct cidr result = { 0 };

	assert_true(cidr_parse(span_of(text), &result));
	return result;
}

static ipv4 address(const char *text)
{
	return cidr(text).network;
}

static void contains(void **state)
{
	static const struct {
		const char *net;
		const char *address;
		bool has;
	} rows[] = {
		{ "192.168.64.0/24", "192.168.64.0", true },
		{ "192.168.64.0/24", "192.168.64.255", true },
		{ "192.168.64.0/24", "192.168.65.0", false },
		{ "192.168.64.0/24", "192.168.63.255", false },
		{ "0.0.0.0/0", "255.255.255.255", true },
		{ "1.2.3.4", "1.2.3.4", true },
		{ "1.2.3.4", "1.2.3.5", false },
	};

	(void)state;
	each_row(rows, row) {
		struct cidr net = cidr(row->net);

		check(cidr_has(&net, address(row->address)) == row->has, "%s, %s", row->net,
		      row->address);
	}
}

static void overlaps(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		bool overlap;
	} rows[] = {
		{ "192.168.0.0/16", "192.168.64.0/24", true },
		{ "192.168.64.0/24", "192.168.64.0/24", true },
		{ "192.168.64.0/24", "192.168.65.0/24", false },
		{ "0.0.0.0/0", "10.0.0.0/8", true },
		{ "10.0.0.0/9", "10.128.0.0/9", false },
	};

	(void)state;
	each_row(rows, row) {
		struct cidr a = cidr(row->a);
		struct cidr b = cidr(row->b);

		check(cidr_overlaps(&a, &b) == row->overlap, "%s, %s", row->a, row->b);
		check(cidr_overlaps(&b, &a) == row->overlap, "%s, %s", row->b, row->a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses), cmocka_unit_test(networks), cmocka_unit_test(netmasks),
		cmocka_unit_test(contains),  cmocka_unit_test(overlaps),
	};

	return unit_main(tests);
}
