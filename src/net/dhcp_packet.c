/* SPDX-License-Identifier: Apache-2.0 */
/* Reading DHCP messages. */
#include "net/dhcp_packet.h"

#include "base/reader.h"

#define IPV4_HEADER_MIN 20
#define UDP_HEADER      8
#define PROTOCOL_UDP    17
#define FRAGMENT        0x3fff /* of the field: "more fragments", or an offset */

#define HTYPE_ETHERNET 1
#define FLAG_BROADCAST 0x8000
#define SNAME_SIZE     64
#define FILE_SIZE      128
#define COOKIE         0x63825363

/* Where options stand besides their own place: bits of option 52. */
#define OVERLOAD_FILE  1
#define OVERLOAD_SNAME 2

static bool take_u8(struct reader *r, uint8_t *ret)
{
	uint64_t value;

	if (!reader_be(r, 1, &value))
		return false;
	*ret = (uint8_t)value;
	return true;
}

static bool take_u16(struct reader *r, uint16_t *ret)
{
	uint64_t value;

	if (!reader_be(r, 2, &value))
		return false;
	*ret = (uint16_t)value;
	return true;
}

static bool take_u32(struct reader *r, uint32_t *ret)
{
	uint64_t value;

	if (!reader_be(r, 4, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool take_mac(struct reader *r, struct mac *ret)
{
	struct span raw;

	if (!reader_take(r, sizeof(ret->octets), &raw))
		return false;
	memcpy(ret->octets, raw.ptr, sizeof(ret->octets));
	return true;
}

/* Up to IP's payload. Ethernet may have padded what follows it. */
static bool take_ipv4(struct reader *r, struct span *ret_payload)
{
	struct span whole = reader_rest(r);
	uint8_t version_ihl, protocol;
	uint16_t total, fragment;
	size_t header;

	if (!take_u8(r, &version_ihl) || !reader_skip(r, 1) || !take_u16(r, &total) ||
	    !reader_skip(r, 2) || !take_u16(r, &fragment) || !reader_skip(r, 1) ||
	    !take_u8(r, &protocol))
		return false;
	header = (size_t)(version_ihl & 0x0f) * 4;
	if (version_ihl >> 4 != 4 || header < IPV4_HEADER_MIN || total < header ||
	    total > whole.len || (fragment & FRAGMENT) != 0 || protocol != PROTOCOL_UDP)
		return false;
	*ret_payload = span_from(span_first(whole, total), header);
	return true;
}

static bool take_udp(struct span datagram, uint16_t *ret_port_to, struct span *ret_payload)
{
	struct reader r = reader_of(datagram);
	uint16_t port_to, len;

	if (!reader_skip(&r, 2) || !take_u16(&r, &port_to) || !take_u16(&r, &len) ||
	    len < UDP_HEADER || len > datagram.len)
		return false;
	*ret_port_to = port_to;
	*ret_payload = span_from(span_first(datagram, len), UDP_HEADER);
	return true;
}

/* An option with a number in it. Twice the same is one of twice the length (RFC 3396), which none of ours may have. */
static bool take_number(struct span value, size_t bytes, uint32_t *field)
{
	struct reader r = reader_of(value);
	uint64_t number;

	if (*field != 0 || value.len != bytes || !reader_be(&r, bytes, &number))
		return false;
	*field = (uint32_t)number;
	return true;
}

static bool take_option(uint8_t code, struct span value, struct dhcp_packet *packet,
			uint32_t *overload)
{
	uint32_t type = packet->type;

	switch (code) {
	case DHCP_OPT_REQUESTED:
		return take_number(value, 4, &packet->requested);
	case DHCP_OPT_LEASE:
		return take_number(value, 4, &packet->lease_s);
	case DHCP_OPT_SERVER:
		return take_number(value, 4, &packet->server);
	case DHCP_OPT_OVERLOAD:
		return take_number(value, 1, overload) && *overload <= 3;
	case DHCP_OPT_TYPE:
		if (!take_number(value, 1, &type))
			return false;
		packet->type = (uint8_t)type;
		return true;
	case DHCP_OPT_CLIENT_ID:
		if (packet->client_id.len > 0)
			return false;
		packet->client_id = value;
		return true;
	default:
		return true;
	}
}

/* To the end mark or the field's end; what is cut off there makes all of the message malformed. */
static bool take_options(struct span field, struct dhcp_packet *packet, uint32_t *overload)
{
	struct reader r = reader_of(field);
	uint8_t code, len;
	struct span value;

	while (reader_peek(&r) >= 0 && take_u8(&r, &code) && code != DHCP_OPT_END) {
		if (code == DHCP_OPT_PAD)
			continue;
		if (!take_u8(&r, &len) || !reader_take(&r, len, &value) ||
		    !take_option(code, value, packet, overload))
			return false;
	}
	return true;
}

/* `file` before `sname`: RFC 2131 section 4.1. A second option 52 in one of them has no meaning, and is refused. */
static bool take_all_options(struct span own, struct span file, struct span sname,
			     struct dhcp_packet *packet)
{
	uint32_t overload = 0;
	uint32_t places;

	if (!take_options(own, packet, &overload))
		return false;
	places = overload;
	return (!(places & OVERLOAD_FILE) || take_options(file, packet, &overload)) &&
	       (!(places & OVERLOAD_SNAME) || take_options(sname, packet, &overload)) &&
	       overload == places;
}

static bool take_bootp(struct span payload, struct dhcp_packet *packet)
{
	struct reader r = reader_of(payload);
	uint8_t htype, hlen;
	uint16_t flags;
	uint32_t cookie;
	struct span sname, file;

	if (!take_u8(&r, &packet->op) || !take_u8(&r, &htype) || !take_u8(&r, &hlen) ||
	    !reader_skip(&r, 1) || !take_u32(&r, &packet->xid) || !reader_skip(&r, 2) ||
	    !take_u16(&r, &flags) || !take_u32(&r, &packet->ciaddr) ||
	    !take_u32(&r, &packet->yiaddr) || !reader_skip(&r, 4) ||
	    !take_u32(&r, &packet->giaddr) || !take_mac(&r, &packet->chaddr) ||
	    !reader_skip(&r, 16 - sizeof(packet->chaddr.octets)) ||
	    !reader_take(&r, SNAME_SIZE, &sname) || !reader_take(&r, FILE_SIZE, &file) ||
	    !take_u32(&r, &cookie))
		return false;
	if (htype != HTYPE_ETHERNET || hlen != sizeof(packet->chaddr.octets) || cookie != COOKIE)
		return false;
	packet->broadcast = (flags & FLAG_BROADCAST) != 0;
	return take_all_options(reader_rest(&r), file, sname, packet);
}

bool dhcp_packet_parse(struct span frame, struct dhcp_packet *ret)
{
	struct reader r = reader_of(frame);
	struct dhcp_packet packet = { 0 };
	uint16_t ethertype;
	struct span datagram, payload;

	if (!take_mac(&r, &packet.ethernet_to) || !take_mac(&r, &packet.ethernet_from) ||
	    !take_u16(&r, &ethertype) || ethertype != ETHERTYPE_OF_IPV4 ||
	    !take_ipv4(&r, &datagram) || !take_udp(datagram, &packet.port_to, &payload) ||
	    !take_bootp(payload, &packet))
		return false;
	*ret = packet;
	return true;
}
