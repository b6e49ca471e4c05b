/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of dhcp_snoop() of net/dhcp.h. */
#include "snoop_frames.h"
#include "unit.h"

static struct mac the_mac(void)
{
	struct mac mac;

	memcpy(mac.octets, FRAMES_MAC, 6);
	return mac;
}

static void sees_leases(void **state)
{
	struct mac mac = the_mac();

	(void)state;
	each_row(server_frames, row) {
		struct dhcp_sighting seen = { .address = 7 };
		struct frame frame;
		bool tells;

		server_frame_encode(row, &frame);
		tells = dhcp_snoop(&mac, frame_span(&frame), &seen);
		check(tells == row->tells, "%s: %d", row->name, tells);
		check(seen.address == (tells ? row->yiaddr : 7), "%s: %x", row->name, seen.address);
		check(!tells || (seen.by_dhcp && seen.lease_s == 3600), "%s", row->name);
	}
}

static void sees_arp(void **state)
{
	struct mac mac = the_mac();

	(void)state;
	each_row(arp_frames, row) {
		struct dhcp_sighting seen = { 0 };
		bool tells = dhcp_snoop(&mac, span_make(row->frame.ptr, row->frame.len), &seen);

		check(tells == (row->address != 0) && seen.address == row->address, "%s: %x",
		      row->name, seen.address);
		check(!seen.by_dhcp && seen.lease_s == 0, "%s", row->name);
	}
}

static void clients_tell_nothing(void **state)
{
	struct mac mac = the_mac();

	(void)state;
	each_row(client_frames, row) {
		struct dhcp_sighting seen;
		struct frame frame;

		frame_encode(row, &frame);
		check(!dhcp_snoop(&mac, frame_span(&frame), &seen), "%s", row->name);
	}
}

/* One half of this program understands the other. */
static void our_own_answers_are_seen(void **state)
{
	struct dhcp_offer offer = frames_offer();

	(void)state;
	each_row(client_frames, row) {
		struct dhcp_sighting seen = { 0 };
		struct frame asked;
		struct frame answer;
		bool tells;

		frame_encode(row, &asked);
		(void)dhcp_answer(&offer, frame_span(&asked), answer.bytes, &answer.len);
		tells = dhcp_snoop(&offer.mac, frame_span(&answer), &seen);
		check(tells == (row->event == DHCP_BOUND), "%s: %d", row->name, tells);
		check(!tells || (seen.address == offer.address && seen.lease_s == offer.lease_s),
		      "%s: %x", row->name, seen.address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_leases),
		cmocka_unit_test(sees_arp),
		cmocka_unit_test(clients_tell_nothing),
		cmocka_unit_test(our_own_answers_are_seen),
	};

	return unit_main(tests);
}
