/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/dns.h. */
#include "netd/dns.h"

#include <string.h>

#include "unit.h"

/* Its first part, whoever is to be asked: no more than this, above all nothing about DHCP. */
#define AT(address)                    \
	"port=53\n"                    \
	"bind-interfaces\n"            \
	"listen-address=" address "\n" \
	"no-hosts\n"                   \
	"pid-file=\n"                  \
	"log-facility=/dev/null\n"     \
	"user=\n"                      \
	"group=\n"

static void test_config(void **state)
{
	static const struct {
		const char *name;
		struct starter_dns dns;
		const char *want;
	} rows[] = {
		{ "the host's nameservers", { .listen = 0xc0a84001 }, AT("192.168.64.1") },
		{ "one",
		  { .listen = 0x0a000001, .upstream = { 0x08080808 } },
		  AT("10.0.0.1") "no-resolv\nserver=8.8.8.8\n" },
		{ "as many as there may be",
		  { .listen = 0xfffffffe, .upstream = { 0x01010101, 0x02020202, 0xffffffff } },
		  AT("255.255.255.254") "no-resolv\nserver=1.1.1.1\nserver=2.2.2.2\n"
					"server=255.255.255.255\n" },
		{ "none after a gap",
		  { .listen = 0xc0a84001, .upstream = { 0x01010101, 0, 0x03030303 } },
		  AT("192.168.64.1") "no-resolv\nserver=1.1.1.1\n" },
		{ "none, but a gap",
		  { .listen = 0xc0a84001, .upstream = { 0, 0x02020202 } },
		  AT("192.168.64.1") },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str text = { 0 };

		dns_print_config(&row->dns, &text);
		check(strcmp(str_text(&text), row->want) == 0, "%s:\n%s", row->name,
		      str_text(&text));
	}
}

static void test_end(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *want;
	} rows[] = {
		{ "code 1", 1 << 8,
		  "dnsmasq exited with code 1: it does not understand its configuration" },
		{ "code 2", 2 << 8, "dnsmasq exited with code 2: it cannot listen at its address" },
		{ "code 3", 3 << 8, "dnsmasq exited with code 3: it cannot read or write a file" },
		{ "code 4", 4 << 8, "dnsmasq exited with code 4: it has no memory left" },
		{ "code 5", 5 << 8, "dnsmasq exited with code 5: another problem" },
		{ "a code of none", 6 << 8, "dnsmasq exited with code 6" },
		{ "the last one", 255 << 8, "dnsmasq exited with code 255" },
		{ "success", 0, "dnsmasq exited with code 0" },
		{ "a signal", 9, "dnsmasq was killed by signal 9 (Killed)" },
		{ "a signal, with a core", 0x80 | 31,
		  "dnsmasq was killed by signal 31 (Bad system call)" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str text = { 0 };

		dns_describe_end(row->status, &text);
		check(strcmp(str_text(&text), row->want) == 0, "%s: '%s'", row->name,
		      str_text(&text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_end),
	};

	return unit_main(tests);
}
