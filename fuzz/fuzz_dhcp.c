/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a guest: whatever comes, an answer is whole, goes to that guest, and gives no address but its own. */
#include "net/dhcp.h"

#include <string.h>

#include "fuzz.h"
#include "net/dhcp_packet.h"

static const uint8_t types[] = {
	[DHCP_OFFERED] = DHCP_OFFER, [DHCP_BOUND] = DHCP_ACK, [DHCP_REFUSED] = DHCP_NAK,
	[DHCP_INFORMED] = DHCP_ACK,  [DHCP_DECLINED] = 0,
};

static void check_answer(const struct dhcp_offer *offer, enum dhcp_event event, struct span answer)
{
	struct dhcp_packet packet;
	struct dhcp_sighting seen;

	fuzz_check(dhcp_packet_parse(answer, &packet));
	fuzz_check(packet.op == DHCP_BOOTREPLY && packet.type == types[event]);
	fuzz_check(packet.port_to == DHCP_CLIENT_PORT && packet.server == offer->gateway);
	fuzz_check(mac_equal(&packet.chaddr, &offer->mac));
	fuzz_check(mac_equal(&packet.ethernet_from, &offer->gateway_mac));
	fuzz_check(mac_equal(&packet.ethernet_to, &offer->mac) ||
		   packet.ethernet_to.octets[0] == 0xff);
	fuzz_check(packet.yiaddr ==
		   (event == DHCP_OFFERED || event == DHCP_BOUND ? offer->address : 0));
	fuzz_check(dhcp_snoop(&offer->mac, answer, &seen) == (event == DHCP_BOUND));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dhcp_offer offer = {
		.mac = { { 0x52, 0x54, 0x00, 0xaa, 0x00, 0x01 } },
		.gateway_mac = { { 0x02, 0x74, 0x61, 0x72, 0x74, 0x01 } },
		.address = 0xc0a8400b,
		.gateway = 0xc0a84001,
		.prefix = 24,
		.dns = { 0xc0a84001, 0x08080808, 0x01010101 },
		.lease_s = 86400,
		.mtu = 1500,
	};
	uint8_t answer[DHCP_FRAME_MAX];
	size_t len = SIZE_MAX;
	enum dhcp_event event;

	event = dhcp_answer(&offer, span_make((const char *)data, size), answer, &len);
	fuzz_check(event <= DHCP_DECLINED);
	fuzz_check((len > 0) == (types[event] != 0) && len <= ETHERNET_HEADER + 576);
	if (len > 0)
		check_answer(&offer, event, span_make((const char *)answer, len));
	return 0;
}
