/* SPDX-License-Identifier: Apache-2.0 */
/* Listening ports in the kernel's table of connections. */
#include "netd/links_port.h"

#include "unit.h"

#define HEAD                                                                                  \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  " \
	"timeout inode\n"
#define TAIL " 00000000:00000000 00:00000000 00000000     0        0 1234 1 0 100 0 0 10 0\n"
#define V6   "00000000000000000000000000000000"

static void finds_listening_ports(void **state)
{
	static const struct {
		const char *name, *table;
		uint16_t port;
		bool is_there;
	} rows[] = {
		{ "listens", HEAD "   0: 00000000:0016 00000000:0000 0A" TAIL, 22, true },
		{ "on one address", HEAD "   0: 0100007F:1F90 00000000:0000 0A" TAIL, 8080, true },
		{ "the highest", HEAD "   0: 00000000:FFFF 00000000:0000 0A" TAIL, 65535, true },
		{ "IPv6", HEAD "   0: " V6 ":0016 " V6 ":0000 0A" TAIL, 22, true },
		{ "in the second line",
		  HEAD "   0: 00000000:0017 00000000:0000 0A" TAIL
		       "   1: 00000000:0016 00000000:0000 0A" TAIL,
		  22, true },
		{ "with a long number", HEAD "12345: 00000000:0016 00000000:0000 0A" TAIL, 22,
		  true },
		{ "another port", HEAD "   0: 00000000:0016 00000000:0000 0A" TAIL, 23, false },
		{ "a connection", HEAD "   0: 00000000:0016 0200000A:C001 01" TAIL, 22, false },
		{ "the other side's", HEAD "   0: 00000000:0017 00000000:0016 0A" TAIL, 22, false },
		{ "another's end", HEAD "   0: 00000000:1016 00000000:0000 0A" TAIL, 22, false },
		{ "no line", HEAD, 22, false },
		{ "nothing", "", 22, false },
		{ "a cut line", HEAD "   0: 00000000:0016", 22, false },
		{ "blanks", "          \n  \n", 22, false },
	};

	(void)state;
	each_row(rows, row)
		check(port_is_in_table(span_of(row->table), row->port) == row->is_there, "%s",
		      row->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_listening_ports),
	};

	return unit_main(tests);
}
