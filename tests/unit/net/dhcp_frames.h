/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that DHCP clients send, and some that nobody should, made by an encoder of their own. The tests of net/dhcp.h go
 * through the list; make_dhcp_seeds writes it to fuzz/corpus/dhcp.
 */
#ifndef TART_TESTS_DHCP_FRAMES_H
#define TART_TESTS_DHCP_FRAMES_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "net/dhcp.h"

/* The client of all of them, and what it gets. */
#define FRAMES_MAC     "\x52\x54\x00\xaa\x00\x01"
#define FRAMES_SERVER  "\x02\x74\x61\x72\x74\x01"
#define EVERYBODY      "\xff\xff\xff\xff\xff\xff"
#define FRAMES_ADDRESS 0xc0a8400b /* 192.168.64.11 */
#define FRAMES_GATEWAY 0xc0a84001

static inline struct dhcp_offer frames_offer(void)
{
	struct dhcp_offer offer = {
		.address = FRAMES_ADDRESS,
		.gateway = FRAMES_GATEWAY,
		.prefix = 24,
		.dns = { FRAMES_GATEWAY },
		.lease_s = 86400,
		.mtu = 1500,
	};

	memcpy(offer.mac.octets, FRAMES_MAC, 6);
	memcpy(offer.gateway_mac.octets, FRAMES_SERVER, 6);
	return offer;
}

/* A text of bytes that may hold NULs. */
struct bytes {
	const char *ptr;
	size_t len;
};
#define BYTES(text)                       \
	{                                 \
		(text), sizeof(text) - 1, \
	}

/* Options as bytes; "\x35\x01\x01" is option 53 of one byte, a DISCOVER. */
#define O_DISCOVER     "\x35\x01\x01"
#define O_REQUEST      "\x35\x01\x03"
#define O_DECLINE      "\x35\x01\x04"
#define O_RELEASE      "\x35\x01\x07"
#define O_INFORM       "\x35\x01\x08"
#define O_OURS         "\x32\x04\xc0\xa8\x40\x0b" /* requested address */
#define O_FOREIGN      "\x32\x04\x0a\x00\x00\x05"
#define O_SERVER       "\x36\x04\xc0\xa8\x40\x01"
#define O_OTHER_SERVER "\x36\x04\x0a\x00\x00\x01"
#define O_MAC_ID       "\x3d\x07\x01" FRAMES_MAC
#define O_DUID \
	"\x3d\x13\xff\x00\xaa\x00\x01\x00\x01\x00\x01\x2c\x3a\x11\x22\x52\x54\x00\xaa\x00\x01"
#define O_LIST     "\x37\x07\x01\x03\x06\x0c\x0f\x1a\x1c" /* what it would like to know */
#define O_MAX_SIZE "\x39\x02\x05\xdc"
#define O_END      "\xff"

struct client_frame {
	const char *name;
	enum dhcp_event event; /* what is to come of it */
	struct bytes options;

	/* What differs from a client without an address; 0 and "" = nothing. */
	ipv4 ciaddr, giaddr;
	const char *to, *from, *chaddr; /* MAC addresses */
	ipv4 ip_from, ip_to;
	uint16_t port_to;
	uint8_t op, htype, hlen, version_ihl, protocol;
	uint16_t fragment, flags, ethertype;
	uint32_t cookie;
	struct bytes sname, file;
	int udp_longer, ip_longer; /* than what is there */
	size_t padding;            /* behind the datagram, by Ethernet */
	size_t cut;                /* bytes missing at the end of the frame */
};

static const struct client_frame client_frames[] = {
	/* Clients as they are. */
	{ "discover", DHCP_OFFERED, .options = BYTES(O_DISCOVER O_MAC_ID O_LIST O_MAX_SIZE O_END) },
	{ "discover-bare", DHCP_OFFERED, .options = BYTES(O_DISCOVER O_END) },
	{ "discover-broadcast", DHCP_OFFERED, .options = BYTES(O_DISCOVER O_END), .flags = 0x8000 },
	{ "discover-duid", DHCP_OFFERED, .options = BYTES(O_DISCOVER O_DUID O_OURS O_END) },
	{ "discover-padded", DHCP_OFFERED,
	  .options = BYTES("\0\0" O_DISCOVER "\0" O_LIST "\0" O_END "\0\0\0"), .padding = 20 },
	{ "discover-without-end", DHCP_OFFERED, .options = BYTES(O_DISCOVER O_LIST) },
	{ "discover-foreign-address", DHCP_OFFERED, .options = BYTES(O_DISCOVER O_FOREIGN O_END) },
	{ "discover-ip-options", DHCP_OFFERED, .options = BYTES(O_DISCOVER O_END),
	  .version_ihl = 0x47 },
	{ "discover-in-file", DHCP_OFFERED, .options = BYTES("\x34\x01\x01" O_END),
	  .file = BYTES(O_DISCOVER O_END) },
	{ "discover-in-sname", DHCP_OFFERED, .options = BYTES("\x34\x01\x02" O_END),
	  .sname = BYTES(O_DISCOVER O_DUID O_END) },
	{ "discover-in-both", DHCP_OFFERED, .options = BYTES("\x34\x01\x03" O_END),
	  .file = BYTES(O_LIST O_END), .sname = BYTES(O_DISCOVER O_END) },
	{ "selecting", DHCP_BOUND,
	  .options = BYTES(O_REQUEST O_OURS O_SERVER O_MAC_ID O_LIST O_END) },
	{ "selecting-broadcast", DHCP_BOUND, .options = BYTES(O_REQUEST O_OURS O_SERVER O_END),
	  .flags = 0x8000 },
	{ "selecting-foreign", DHCP_REFUSED,
	  .options = BYTES(O_REQUEST O_FOREIGN O_SERVER O_DUID O_END) },
	{ "selecting-other-server", DHCP_NOTHING,
	  .options = BYTES(O_REQUEST O_OURS O_OTHER_SERVER O_END) },
	{ "init-reboot", DHCP_BOUND, .options = BYTES(O_REQUEST O_OURS O_DUID O_END) },
	{ "init-reboot-foreign", DHCP_REFUSED, .options = BYTES(O_REQUEST O_FOREIGN O_DUID O_END) },
	{ "renewing", DHCP_BOUND, .options = BYTES(O_REQUEST O_LIST O_END),
	  .ciaddr = FRAMES_ADDRESS, .to = FRAMES_SERVER, .ip_from = FRAMES_ADDRESS,
	  .ip_to = FRAMES_GATEWAY },
	{ "renewing-broadcast-flag", DHCP_BOUND, .options = BYTES(O_REQUEST O_END),
	  .ciaddr = FRAMES_ADDRESS, .to = FRAMES_SERVER, .ip_from = FRAMES_ADDRESS,
	  .ip_to = FRAMES_GATEWAY, .flags = 0x8000 },
	{ "renewing-foreign", DHCP_REFUSED, .options = BYTES(O_REQUEST O_END), .ciaddr = 0x0a000005,
	  .to = FRAMES_SERVER, .ip_from = 0x0a000005, .ip_to = 0x0a000001 },
	{ "rebinding", DHCP_BOUND, .options = BYTES(O_REQUEST O_END), .ciaddr = FRAMES_ADDRESS,
	  .ip_from = FRAMES_ADDRESS },
	{ "rebinding-foreign", DHCP_REFUSED, .options = BYTES(O_REQUEST O_END),
	  .ciaddr = 0x0a000005 },
	{ "inform", DHCP_INFORMED, .options = BYTES(O_INFORM O_LIST O_END), .ciaddr = 0xc0a84063 },
	{ "release", DHCP_RELEASED, .options = BYTES(O_RELEASE O_SERVER O_END),
	  .ciaddr = FRAMES_ADDRESS, .to = FRAMES_SERVER, .ip_from = FRAMES_ADDRESS,
	  .ip_to = FRAMES_GATEWAY },
	{ "decline", DHCP_DECLINED, .options = BYTES(O_DECLINE O_OURS O_SERVER O_END) },

	/* What means nothing. */
	{ "request-for-nothing", DHCP_NOTHING, .options = BYTES(O_REQUEST O_END) },
	{ "inform-without-address", DHCP_NOTHING, .options = BYTES(O_INFORM O_END) },
	{ "release-foreign", DHCP_NOTHING, .options = BYTES(O_RELEASE O_END),
	  .ciaddr = 0x0a000005 },
	{ "decline-foreign", DHCP_NOTHING, .options = BYTES(O_DECLINE O_FOREIGN O_END) },
	{ "bootp", DHCP_NOTHING, .options = BYTES(O_END) },
	{ "type-of-server", DHCP_NOTHING, .options = BYTES("\x35\x01\x05" O_END) },
	{ "type-unknown", DHCP_NOTHING, .options = BYTES("\x35\x01\xc8" O_END) },

	/* Not from this client, or not for us. */
	{ "of-other-mac", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END),
	  .from = "\x52\x54\x00\xaa\x00\x02" },
	{ "of-other-chaddr", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END),
	  .chaddr = "\x52\x54\x00\xaa\x00\x02" },
	{ "to-other-mac", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END),
	  .to = "\x02\x00\x00\x00\x00\x09" },
	{ "to-client-port", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .port_to = 68 },
	{ "reply", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .op = 2 },
	{ "relayed", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .giaddr = 0x0a000001 },
	{ "token-ring", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .htype = 6 },
	{ "long-address", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .hlen = 8 },
	{ "wrong-cookie", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .cookie = 0x63825364 },
	{ "ipv6", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .ethertype = 0x86dd },
	{ "version-6", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .version_ihl = 0x65 },
	{ "tcp", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .protocol = 6 },
	{ "first-fragment", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .fragment = 0x2000 },
	{ "later-fragment", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .fragment = 0x0010 },

	/* Malformed. */
	{ "ihl-too-small", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .version_ihl = 0x44 },
	{ "ip-too-long", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .ip_longer = 1 },
	{ "ip-too-short", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .ip_longer = -270 },
	{ "udp-too-long", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .udp_longer = 1 },
	{ "udp-too-short", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .udp_longer = -245 },
	{ "udp-cuts-options", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_END), .udp_longer = -2 },
	{ "cut-off", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_LIST O_END), .cut = 1 },
	{ "option-beyond-end", DHCP_NOTHING, .options = BYTES(O_DISCOVER "\x0c\x20host") },
	{ "option-without-length", DHCP_NOTHING, .options = BYTES(O_DISCOVER "\x0c") },
	{ "type-of-two-bytes", DHCP_NOTHING, .options = BYTES("\x35\x02\x01\x01" O_END) },
	{ "type-of-no-bytes", DHCP_NOTHING, .options = BYTES("\x35\x00" O_END) },
	{ "type-twice", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_REQUEST O_OURS O_END) },
	{ "address-of-three-bytes", DHCP_NOTHING,
	  .options = BYTES(O_REQUEST "\x32\x03\xc0\xa8\x40" O_END) },
	{ "address-of-five-bytes", DHCP_NOTHING,
	  .options = BYTES(O_REQUEST "\x32\x05\xc0\xa8\x40\x0b\0" O_END) },
	{ "address-twice", DHCP_NOTHING, .options = BYTES(O_REQUEST O_OURS O_OURS O_END) },
	{ "server-of-two-bytes", DHCP_NOTHING,
	  .options = BYTES(O_REQUEST O_OURS "\x36\x02\xc0\xa8" O_END) },
	{ "client-id-twice", DHCP_NOTHING, .options = BYTES(O_DISCOVER O_MAC_ID O_DUID O_END) },
	{ "overload-unknown", DHCP_NOTHING, .options = BYTES(O_DISCOVER "\x34\x01\x04" O_END) },
	{ "overload-again-in-file", DHCP_NOTHING, .options = BYTES("\x34\x01\x01" O_DISCOVER O_END),
	  .file = BYTES("\x34\x01\x02" O_END) },
	{ "overload-malformed", DHCP_NOTHING, .options = BYTES("\x34\x01\x01" O_DISCOVER O_END),
	  .file = BYTES("\x0c\xff") },
};

struct frame {
	uint8_t bytes[DHCP_FRAME_MAX];
	size_t len;
};

static inline void frame_put(struct frame *frame, size_t n, uint32_t value)
{
	assert(frame->len + n <= sizeof(frame->bytes));
	while (n > 0)
		frame->bytes[frame->len++] = (uint8_t)(value >> 8 * --n);
}

static inline void frame_add(struct frame *frame, const void *data, size_t len, size_t room)
{
	assert(len <= room && frame->len + room <= sizeof(frame->bytes));
	memset(frame->bytes + frame->len, 0, room);
	if (len > 0)
		memcpy(frame->bytes + frame->len, data, len);
	frame->len += room;
}

static inline uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value != 0 ? value : fallback;
}

static inline void frame_add_bootp(const struct client_frame *c, struct frame *frame)
{
	frame_put(frame, 1, or_default(c->op, 1));
	frame_put(frame, 1, or_default(c->htype, 1));
	frame_put(frame, 1, or_default(c->hlen, 6));
	frame_put(frame, 1, 0);
	frame_put(frame, 4, 0x12345678);
	frame_put(frame, 2, 3);
	frame_put(frame, 2, c->flags);
	frame_put(frame, 4, c->ciaddr);
	frame_put(frame, 4, 0);
	frame_put(frame, 4, 0);
	frame_put(frame, 4, c->giaddr);
	frame_add(frame, c->chaddr ? c->chaddr : FRAMES_MAC, 6, 16);
	frame_add(frame, c->sname.ptr, c->sname.len, 64);
	frame_add(frame, c->file.ptr, c->file.len, 128);
	frame_put(frame, 4, or_default(c->cookie, 0x63825363));
	frame_add(frame, c->options.ptr, c->options.len, c->options.len);
}

static inline void frame_add_headers(const struct client_frame *c, struct frame *frame)
{
	uint32_t version_ihl = or_default(c->version_ihl, 0x45);
	int header = (int)(version_ihl & 15) * 4;
	int payload = 240 + (int)c->options.len;

	frame_add(frame, c->to ? c->to : EVERYBODY, 6, 6);
	frame_add(frame, c->from ? c->from : FRAMES_MAC, 6, 6);
	frame_put(frame, 2, or_default(c->ethertype, 0x0800));
	frame_put(frame, 1, version_ihl);
	frame_put(frame, 1, 0x10);
	frame_put(frame, 2, (uint32_t)(header + 8 + payload + c->ip_longer));
	frame_put(frame, 2, 0);
	frame_put(frame, 2, c->fragment);
	frame_put(frame, 1, 128);
	frame_put(frame, 1, or_default(c->protocol, 17));
	frame_put(frame, 2, 0);
	frame_put(frame, 4, c->ip_from);
	frame_put(frame, 4, or_default(c->ip_to, UINT32_MAX));
	if (header > 20)
		frame_add(frame, NULL, 0, (size_t)header - 20);
	frame_put(frame, 2, 68);
	frame_put(frame, 2, or_default(c->port_to, 67));
	frame_put(frame, 2, (uint32_t)(8 + payload + c->udp_longer));
	frame_put(frame, 2, 0xbad); /* nobody looks at the checksum */
}

static inline void frame_encode(const struct client_frame *c, struct frame *ret)
{
	ret->len = 0;
	frame_add_headers(c, ret);
	frame_add_bootp(c, ret);
	frame_add(ret, NULL, 0, c->padding);
	assert(c->cut <= ret->len);
	ret->len -= c->cut;
}

static inline struct span frame_span(const struct frame *frame)
{
	return span_make((const char *)frame->bytes, frame->len);
}

#endif
