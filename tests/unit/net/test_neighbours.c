/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/neighbours.h: the vectors of cli.md 3.5. */
#include "net/neighbours.h"

#include "unit.h"

#define HEADER "IP address       HW type     Flags       HW address            Mask     Device\n"

static void finds_addresses(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *address;
	} rows[] = {
		{ "one line", "192.168.122.7 0x1 0x2 52:54:00:12:34:56 * virbr0", "192.168.122.7" },
		{ "incomplete", "192.168.122.7 0x1 0x0 52:54:00:12:34:56 * virbr0", "none" },
		{ "header line only", HEADER, "none" },
		{ "as arp -an of a Mac has it",
		  "? (192.168.64.9) at 52:54:0:12:34:56 on bridge100 ifscope [bridge]",
		  "192.168.64.9" },
		{ "as arp -an of Linux has it",
		  "? (192.168.64.9) at 52:54:00:12:34:56 [ether] on virbr0", "192.168.64.9" },
		{ "incomplete in arp -an",
		  "? (192.168.64.9) at (incomplete) on bridge100\n"
		  "? (192.168.64.9) at <incomplete> on virbr0\n",
		  "none" },
		{ "as the kernel writes it",
		  HEADER "192.168.64.1     0x1         0x0         00:00:00:00:00:00     *        "
			 "tart0\n"
			 "192.168.64.9     0x1         0x6         52:54:00:12:34:56     *        "
			 "tart-0123abcd\n",
		  "192.168.64.9" },
		{ "the first of two",
		  "10.0.0.1 0x1 0x2 52:54:00:12:34:56 * a\n10.0.0.2 0x1 0x2 52:54:00:12:34:56 * b\n",
		  "10.0.0.1" },
		{ "the one that is complete",
		  "10.0.0.1 0x1 0x0 52:54:00:12:34:56 * a\n10.0.0.2 0x1 0x2 52:54:00:12:34:56 * b\n",
		  "10.0.0.2" },
		{ "another's", "10.0.0.1 0x1 0x2 52:54:00:12:34:57 * a\n", "none" },
		{ "not Ethernet", "10.0.0.1 0x20 0x2 52:54:00:12:34:56 * ib0\n", "none" },
		{ "IPv6", "fe80::1 0x1 0x2 52:54:00:12:34:56 * a\n", "none" },
		{ "a line that is cut off", "10.0.0.1 0x1 0x2\n", "none" },
		{ "nothing in parentheses", "? () at 52:54:0:12:34:56 on x\n", "none" },
		{ "empty", "", "none" },
	};
	static const struct mac mac = { { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 } };

	(void)state;
	each_row(rows, row) {
		char text[IPV4_TEXT_SIZE];
		ipv4 address = 7;
		bool found = neighbours_of_proc(span_of(row->text), &mac, &address);

		ipv4_print(address, text);
		check(strcmp(found ? text : "none", row->address) == 0, "%s: %s", row->name, text);
		check(found || address == 7, "%s: the result was touched", row->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_addresses),
	};

	return unit_main(tests);
}
