/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour tables. */
#include "net/neighbours.h"

#include "net/columns.h"

#define ETHERNET   "0x1"
#define INCOMPLETE "0x0" /* no flag is set, also while it is being asked for */

enum { PROC_ADDRESS, PROC_TYPE, PROC_FLAGS, PROC_MAC, N_COLUMNS };
enum { ARP_HOST, ARP_ADDRESS, ARP_AT, ARP_MAC };

static bool is_parenthesised(struct span text)
{
	return text.len > 2 && text.ptr[0] == '(' && text.ptr[text.len - 1] == ')';
}

static bool read_line(struct span line, const struct mac *mac, ipv4 *ret)
{
	struct span column[N_COLUMNS];
	struct span address;

	if (columns_split(line, column, N_COLUMNS) < N_COLUMNS)
		return false;
	address = column[ARP_ADDRESS];
	if (span_is(column[ARP_AT], "at") && is_parenthesised(address))
		return mac_is(mac, column[ARP_MAC]) &&
		       ipv4_parse(span_make(address.ptr + 1, address.len - 2), ret);
	return span_is(column[PROC_TYPE], ETHERNET) && !span_is(column[PROC_FLAGS], INCOMPLETE) &&
	       mac_is(mac, column[PROC_MAC]) && ipv4_parse(column[PROC_ADDRESS], ret);
}

bool neighbours_of_proc(struct span text, const struct mac *mac, ipv4 *ret)
{
	struct span line;

	while (span_next(&text, '\n', &line)) {
		if (read_line(line, mac, ret))
			return true;
	}
	return false;
}
