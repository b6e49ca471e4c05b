/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of vmnet/neighbour_table.h: the choice among the kernel's entries, and packets that are none. */
#include "vmnet/neighbour_table.h"

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"
#include "unit.h"

static const struct mac wanted = { { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 } };
static const struct mac other = { { 0x52, 0x54, 0x00, 0x12, 0x34, 0x57 } };

struct entry {
	const struct mac *mac; /* NULL = the end of a list */
	const char *address;
	uint16_t state;
	uint32_t confirmed;
};

static void add_bytes(struct str *out, const void *data, size_t len)
{
	str_add_span(out, span_make(data, len));
}

static void add_attribute(struct str *out, unsigned short type, const void *data, size_t len)
{
	struct rtattr head = { .rta_len = (unsigned short)RTA_LENGTH(len), .rta_type = type };

	add_bytes(out, &head, sizeof(head));
	add_bytes(out, data, len);
	while (out->len % 4 != 0)
		str_add_char(out, '\0');
}

static void add_message(struct str *out, uint16_t type, const struct str *body)
{
	struct nlmsghdr head = { .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + body->len),
				 .nlmsg_type = type };

	add_bytes(out, &head, sizeof(head));
	str_add_span(out, str_span(body));
}

static void add_entry(struct str *out, const struct entry *entry)
{
	CLEANUP_STR struct str body = { 0 };
	struct ndmsg message = { .ndm_family = AF_INET, .ndm_state = entry->state };
	struct nda_cacheinfo info = { .ndm_confirmed = entry->confirmed };
	uint32_t address = inet_addr(entry->address);

	add_bytes(&body, &message, sizeof(message));
	add_attribute(&body, NDA_DST, &address, sizeof(address));
	add_attribute(&body, NDA_LLADDR, entry->mac->octets, sizeof(entry->mac->octets));
	add_attribute(&body, NDA_CACHEINFO, &info, sizeof(info));
	add_message(out, RTM_NEWNEIGH, &body);
}

static void chooses(void **state)
{
	static const struct {
		const char *name;
		struct entry entries[4];
		const char *want;
	} rows[] = {
		{ "nobody", { { NULL, NULL, 0, 0 } }, "0.0.0.0" },
		{ "somebody else", { { &other, "10.0.0.1", NUD_REACHABLE, 0 } }, "0.0.0.0" },
		{ "one", { { &wanted, "192.168.122.7", NUD_STALE, 5 } }, "192.168.122.7" },
		{ "unfinished", { { &wanted, "10.0.0.1", NUD_INCOMPLETE, 0 } }, "0.0.0.0" },
		{ "failed", { { &wanted, "10.0.0.1", NUD_FAILED, 0 } }, "0.0.0.0" },
		{ "without ARP", { { &wanted, "10.0.0.1", NUD_NOARP, 0 } }, "0.0.0.0" },
		{ "without a state", { { &wanted, "10.0.0.1", NUD_NONE, 0 } }, "0.0.0.0" },
		{ "delay and probe count",
		  { { &wanted, "10.0.0.1", NUD_DELAY, 9 }, { &wanted, "10.0.0.2", NUD_PROBE, 8 } },
		  "10.0.0.2" },
		{ "reachable before stale",
		  { { &wanted, "10.0.0.1", NUD_STALE, 1 },
		    { &wanted, "10.0.0.2", NUD_REACHABLE, 900 },
		    { &wanted, "10.0.0.3", NUD_STALE, 0 } },
		  "10.0.0.2" },
		{ "permanent before stale",
		  { { &wanted, "10.0.0.1", NUD_PERMANENT, 900 },
		    { &wanted, "10.0.0.3", NUD_STALE, 0 } },
		  "10.0.0.1" },
		{ "the one confirmed last",
		  { { &wanted, "10.0.0.1", NUD_STALE, 50 },
		    { &wanted, "10.0.0.2", NUD_STALE, 20 },
		    { &wanted, "10.0.0.3", NUD_STALE, 70 } },
		  "10.0.0.2" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str packet = { 0 };
		struct neighbour best = { 0 };
		char got[IPV4_TEXT_SIZE];

		for (const struct entry *e = row->entries; e->mac; e++)
			add_entry(&packet, e);
		check(neighbour_table_read(str_span(&packet), &wanted, &best) ==
			      NEIGHBOUR_TABLE_MORE,
		      "%s", row->name);
		ipv4_print(best.address, got);
		check(strcmp(got, row->want) == 0, "%s: got %s", row->name, got);
	}
}

static void knows_the_end(void **state)
{
	static const struct entry stale = { &wanted, "10.0.0.1", NUD_STALE, 1 };
	CLEANUP_STR struct str packet = { 0 };
	const struct str none = { 0 };
	struct neighbour best = { 0 };

	(void)state;
	add_entry(&packet, &stale);
	add_message(&packet, NLMSG_DONE, &none);
	assert_int_equal(neighbour_table_read(str_span(&packet), &wanted, &best),
			 NEIGHBOUR_TABLE_END);
	assert_int_equal(best.address, 0x0a000001);
	str_clear(&packet);
	add_message(&packet, NLMSG_ERROR, &none);
	assert_int_equal(neighbour_table_read(str_span(&packet), &wanted, &best),
			 NEIGHBOUR_TABLE_BROKEN);
}

/* Of an entry that is cut anywhere nothing beyond the cut is believed, or read. */
static void survives_every_cut(void **state)
{
	static const struct entry stale = { &wanted, "10.0.0.1", NUD_STALE, 1 };
	CLEANUP_STR struct str packet = { 0 };

	(void)state;
	add_entry(&packet, &stale);
	for (size_t len = 0; len < packet.len; len++) {
		CLEANUP_FREE char *copy = xcalloc(1, len > 0 ? len : 1);
		struct neighbour best = { 0 };

		memcpy(copy, packet.ptr, len);
		if (neighbour_table_read(span_make(copy, len), &wanted, &best) ==
		    NEIGHBOUR_TABLE_MORE)
			assert_true(len < sizeof(struct nlmsghdr));
		assert_int_equal(best.address, 0);
		/* The same with a length that claims to be right. */
		if (len < sizeof(struct nlmsghdr))
			continue;
		memcpy(copy, &(uint32_t){ (uint32_t)len }, sizeof(uint32_t));
		assert_int_equal(neighbour_table_read(span_make(copy, len), &wanted, &best),
				 NEIGHBOUR_TABLE_MORE);
	}
}

static void asks_the_kernel(void **state)
{
	static const struct mac nobody = { { 0x02, 0, 0, 0, 0, 0x01 } };
	struct err err = { 0 };
	ipv4 address = 1;

	(void)state;
	assert_true(neighbour_table_find(&nobody, &address, &err));
	assert_int_equal(address, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses),
		cmocka_unit_test(knows_the_end),
		cmocka_unit_test(survives_every_cut),
		cmocka_unit_test(asks_the_kernel),
	};

	return unit_main(tests);
}
