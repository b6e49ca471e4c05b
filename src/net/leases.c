/* SPDX-License-Identifier: Apache-2.0 */
/* Lease databases of other DHCP servers. */
#include "net/leases.h"

#include "base/json.h"
#include "base/number.h"
#include "net/columns.h"

/* dnsmasq writes the type of hardware in front of the address only when it is not 1, Ethernet; accepted is both. */
#define ETHERNET_PREFIX "01-"

/* What one entry says, if it is whole and about `mac`. 0 as the time means for ever, with both servers. */
static void consider(ipv4 address, uint64_t expires, int64_t now_s, struct lease *best)
{
	int64_t expires_s = expires == 0 ? LEASE_NEVER_ENDS : (int64_t)expires;

	if (address == 0 || expires_s <= now_s)
		return;
	if (best->address != 0 && expires_s < best->expires_s)
		return;
	*best = (struct lease){ .address = address, .expires_s = expires_s };
}

enum { COLUMN_EXPIRES, COLUMN_MAC, COLUMN_ADDRESS, N_COLUMNS };

void leases_of_dnsmasq(struct span text, const struct mac *mac, int64_t now_s, struct lease *best)
{
	struct span column[N_COLUMNS];
	struct span line;
	uint64_t expires;
	ipv4 address;

	while (span_next(&text, '\n', &line)) {
		size_t n = columns_split(line, column, N_COLUMNS);

		/* From here on they are DHCPv6's. */
		if (n > 0 && span_is(column[0], "duid"))
			return;
		if (n < N_COLUMNS)
			continue;
		if (span_starts_with(column[COLUMN_MAC], ETHERNET_PREFIX))
			column[COLUMN_MAC] = span_from(column[COLUMN_MAC], strlen(ETHERNET_PREFIX));
		if (number_parse_u64(column[COLUMN_EXPIRES], INT64_MAX, &expires) &&
		    mac_is(mac, column[COLUMN_MAC]) && ipv4_parse(column[COLUMN_ADDRESS], &address))
			consider(address, expires, now_s, best);
	}
}

static struct span member(const struct json *object, const char *key)
{
	const char *text = json_member_text(object, key);

	return text ? span_of(text) : span_make(NULL, 0);
}

static void consider_object(const struct json *object, const struct mac *mac, int64_t now_s,
			    struct lease *best)
{
	uint64_t expires;
	ipv4 address;

	if (json_get_u64(json_member(object, "expiry-time"), &expires) && expires <= INT64_MAX &&
	    mac_is(mac, member(object, "mac-address")) &&
	    ipv4_parse(member(object, "ip-address"), &address))
		consider(address, expires, now_s, best);
}

static bool is_empty(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!strchr(" \t\r\n", text.ptr[i]))
			return false;
	}
	return true;
}

bool leases_of_libvirt(struct span text, const struct mac *mac, int64_t now_s, struct lease *best,
		       struct err *err)
{
	CLEANUP_JSON struct json *list = NULL;

	if (is_empty(text))
		return true;
	if (!json_parse(text, &list, err))
		return false;
	if (json_type(list) != JSON_ARRAY)
		return err_set(err, ERR_GENERAL, "the leases are not a list");
	for (size_t i = 0; i < json_count(list); i++)
		consider_object(json_at(list, i), mac, now_s, best);
	return true;
}
