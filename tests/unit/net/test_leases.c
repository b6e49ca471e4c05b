/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/leases.h: the vectors of cli.md 3.4, in both formats where they mean the same. */
#include <time.h>

#include "net/leases.h"
#include "unit.h"

#define NOW        1700000000
#define EXPIRED    "1699999999"
#define MINUTES_5  "1700000300"
#define MINUTES_10 "1700000600"
#define MAC        "11:22:33:44:55:66"

#define OBJECT(mac, ip, expires) \
	"{\"ip-address\":\"" ip "\",\"mac-address\":\"" mac "\",\"expiry-time\":" expires "}"

static struct mac mac_of(const char *text)
{
	struct mac mac;

	assert_true(mac_parse(span_of(text), &mac));
	return mac;
}

static void check_lease(const char *name, const struct lease *got, const char *want)
{
	char text[IPV4_TEXT_SIZE];

	ipv4_print(got->address, text);
	check(strcmp(got->address ? text : "none", want) == 0, "%s: %s", name, text);
}

static void dnsmasq(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *mac;
		const char *address;
	} rows[] = {
		{ "expired, valid, expired",
		  EXPIRED " " MAC " 66.66.66.66 * *\n" MINUTES_10 " " MAC " 1.2.3.4 * *\n" EXPIRED
			  " " MAC " 66.66.66.66 * *\n",
		  MAC, "1.2.3.4" },
		{ "the later expiry first",
		  MINUTES_10 " " MAC " 192.168.64.1 * *\n" MINUTES_5 " " MAC " 192.168.64.2 * *\n",
		  MAC, "192.168.64.1" },
		{ "the later expiry last",
		  MINUTES_5 " " MAC " 192.168.64.2 * *\n" MINUTES_10 " " MAC " 192.168.64.1 * *\n",
		  MAC, "192.168.64.1" },
		{ "of a tie the later entry",
		  MINUTES_5 " " MAC " 10.0.0.1 * *\n" MINUTES_5 " " MAC " 10.0.0.2 * *\n", MAC,
		  "10.0.0.2" },
		{ "two VMs, the first",
		  MINUTES_5 " 00:11:22:33:44:55 1.2.3.4 * *\n" MINUTES_5
			    " aa:bb:cc:dd:ee:ff 5.6.7.8 * *\n",
		  "00:11:22:33:44:55", "1.2.3.4" },
		{ "two VMs, the second, in capitals",
		  MINUTES_5 " 00:11:22:33:44:55 1.2.3.4 * *\n" MINUTES_5
			    " AA:BB:CC:DD:EE:FF 5.6.7.8 * *\n",
		  "aa:bb:cc:dd:ee:ff", "5.6.7.8" },
		{ "only expired ones", EXPIRED " " MAC " 1.2.3.4 * *\n", MAC, "none" },
		{ "expiring now", "1700000000 " MAC " 1.2.3.4 * *\n", MAC, "none" },
		{ "no such MAC", MINUTES_5 " 11:22:33:44:55:67 1.2.3.4 * *\n", MAC, "none" },
		{ "an empty file", "", MAC, "none" },
		{ "never expires", "0 52:54:00:aa:bb:cc 10.0.0.5 * *", "52:54:00:aa:bb:cc",
		  "10.0.0.5" },
		{ "never expires beats a date",
		  "0 " MAC " 10.0.0.5 * *\n" MINUTES_5 " " MAC " 10.0.0.6 * *\n", MAC, "10.0.0.5" },
		{ "another type of hardware", "1799999999 06-11:22:33:44:55:66 10.0.0.6 * *\n", MAC,
		  "none" },
		{ "Ethernet, said so", "1799999999 01-11:22:33:44:55:66 10.0.0.6 * *\n", MAC,
		  "10.0.0.6" },
		{ "blank lines, no newline at the end", "\n\n" MINUTES_5 " " MAC " 1.2.3.4 * *",
		  MAC, "1.2.3.4" },
		{ "two fields", MINUTES_5 " " MAC "\n" MINUTES_5 " " MAC " 1.2.3.4\n", MAC,
		  "1.2.3.4" },
		{ "one that is being written", MINUTES_10 " " MAC " 10.0.\n", MAC, "none" },
		{ "not IPv4", MINUTES_5 " " MAC " fd00::5 * *\n", MAC, "none" },
		{ "what follows a duid", "duid 00:01:00:01:2b\n" MINUTES_5 " " MAC " 1.2.3.4 * *\n",
		  MAC, "none" },
		{ "a host called duid", MINUTES_5 " " MAC " 1.2.3.4 duid *\n", MAC, "1.2.3.4" },
		{ "the client-id is no MAC", MINUTES_5 " 52:54:00:aa:bb:cc 1.2.3.4 * 01:" MAC "\n",
		  MAC, "none" },
		{ "a time that is none", "soon " MAC " 1.2.3.4 * *\n", MAC, "none" },
		{ "a time before 1970", "-5 " MAC " 1.2.3.4 * *\n", MAC, "none" },
		{ "a time that no clock shows", "9223372036854775808 " MAC " 1.2.3.4 * *\n", MAC,
		  "none" },
		{ "a malformed MAC", MINUTES_5 " 11:22:33:44:55:6g 1.2.3.4 * *\n", MAC, "none" },
		{ "no address", MINUTES_5 " " MAC " 0.0.0.0 * *\n", MAC, "none" },
		{ "tabs and carriage returns", MINUTES_5 "\t" MAC "\t1.2.3.4\r\n", MAC, "1.2.3.4" },
	};

	(void)state;
	each_row(rows, row) {
		struct mac mac = mac_of(row->mac);
		struct lease best = { 0 };

		leases_of_dnsmasq(span_of(row->text), &mac, NOW, &best);
		check_lease(row->name, &best, row->address);
	}
}

static void libvirt(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *mac;
		const char *address;
	} rows[] = {
		{ "expired, valid, expired",
		  "[" OBJECT(MAC, "66.66.66.66", EXPIRED) "," OBJECT(
			  MAC, "1.2.3.4", MINUTES_10) "," OBJECT(MAC, "66.66.66.66", EXPIRED) "]",
		  MAC, "1.2.3.4" },
		{ "the later expiry first",
		  "[" OBJECT(MAC, "192.168.64.1", MINUTES_10) "," OBJECT(MAC, "192.168.64.2",
									 MINUTES_5) "]",
		  MAC, "192.168.64.1" },
		{ "the later expiry last",
		  "[" OBJECT(MAC, "192.168.64.2", MINUTES_5) "," OBJECT(MAC, "192.168.64.1",
									MINUTES_10) "]",
		  MAC, "192.168.64.1" },
		{ "of a tie the later entry",
		  "[" OBJECT(MAC, "10.0.0.1", MINUTES_5) "," OBJECT(MAC, "10.0.0.2", MINUTES_5) "]",
		  MAC, "10.0.0.2" },
		{ "two VMs, the second, in capitals",
		  "[" OBJECT("00:11:22:33:44:55", "1.2.3.4",
			     MINUTES_5) "," OBJECT("AA:BB:CC:DD:EE:FF", "5.6.7.8", MINUTES_5) "]",
		  "aa:bb:cc:dd:ee:ff", "5.6.7.8" },
		{ "only expired ones", "[" OBJECT(MAC, "1.2.3.4", EXPIRED) "]", MAC, "none" },
		{ "no lease", "[]", MAC, "none" },
		{ "an empty file", "", MAC, "none" },
		{ "a blank file", " \n", MAC, "none" },
		{ "never expires", "[" OBJECT(MAC, "10.0.0.5", "0") "]", MAC, "10.0.0.5" },
		{ "as libvirt writes it",
		  "[\n  {\n    \"ip-address\": \"192.168.122.7\",\n    \"mac-address\": \"" MAC
		  "\",\n    \"hostname\": \"vm\",\n    \"client-id\": \"01:" MAC
		  "\",\n    \"expiry-time\": " MINUTES_5 "\n  }\n]\n",
		  MAC, "192.168.122.7" },
		{ "what is not whole is skipped",
		  "[{},{\"mac-address\":\"" MAC
		  "\"},{\"ip-address\":\"1.1.1.1\",\"mac-address\":\"" MAC
		  "\"},1,null,\"x\",[]," OBJECT("junk", "2.2.2.2", MINUTES_5) "," OBJECT(MAC, "fd00::5", MINUTES_5) "," OBJECT(
			  MAC, "3.3.3.3",
			  "-1") "," OBJECT(MAC, "4.4.4.4",
					   "1e99") "," OBJECT(MAC, "5.5.5.5",
							      "\"" MINUTES_5
							      "\"") "," OBJECT(MAC, "6.6.6.6",
									       "9223372036854775808") "," OBJECT(MAC,
														 "1.2.3.4",
														 MINUTES_5) "]",
		  MAC, "1.2.3.4" },
	};

	(void)state;
	each_row(rows, row) {
		struct mac mac = mac_of(row->mac);
		struct lease best = { 0 };
		struct err err = { 0 };

		check(leases_of_libvirt(span_of(row->text), &mac, NOW, &best, &err), "%s: %s",
		      row->name, err.text);
		check_lease(row->name, &best, row->address);
	}
}

static void libvirt_refuses(void **state)
{
	static const char *const rows[] = { "{}", "null", "[", "[]x", "1700000300 x", "\"\"" };
	struct mac mac = mac_of(MAC);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lease best = { .address = 7, .expires_s = 8 };
		struct err err = { 0 };

		check(!leases_of_libvirt(span_of(rows[i]), &mac, NOW, &best, &err), "%s: accepted",
		      rows[i]);
		check(err.kind == ERR_GENERAL && best.address == 7 && best.expires_s == 8, "%s",
		      rows[i]);
	}
}

/* All sources are merged: an entry counts only if it is better than what was found before. */
static void sources_are_merged(void **state)
{
	struct mac mac = mac_of(MAC);
	struct lease best = { 0 };
	struct err err = { 0 };

	(void)state;
	leases_of_dnsmasq(span_of(MINUTES_5 " " MAC " 10.0.0.1 * *\n"), &mac, NOW, &best);
	assert_true(leases_of_libvirt(span_of("[" OBJECT(MAC, "10.0.0.2", MINUTES_10) "]"), &mac,
				      NOW, &best, &err));
	leases_of_dnsmasq(span_of(MINUTES_5 " " MAC " 10.0.0.3 * *\n"), &mac, NOW, &best);
	check_lease("merged", &best, "10.0.0.2");
}

static void times_are_utc(void **state)
{
	struct mac mac = mac_of(MAC);
	struct lease best = { 0 };
	char text[32];
	struct tm tm;

	(void)state;
	leases_of_dnsmasq(span_of("1701173918 " MAC " 1.2.3.4 * *\n"), &mac, NOW, &best);
	assert_non_null(gmtime_r(&best.expires_s, &tm));
	assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
	assert_string_equal(text, "2023-11-28T12:18:38Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dnsmasq),         cmocka_unit_test(libvirt),
		cmocka_unit_test(libvirt_refuses), cmocka_unit_test(sources_are_merged),
		cmocka_unit_test(times_are_utc),
	};

	return unit_main(tests);
}
