/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that tell, or seem to tell, which address a guest on a bridged link has: for the tests of dhcp_snoop(). */
#ifndef TART_TESTS_SNOOP_FRAMES_H
#define TART_TESTS_SNOOP_FRAMES_H

#include "dhcp_frames.h"

#define OTHER "\x52\x54\x00\xaa\x00\x02"

/* What a server of the LAN sends: the encoder's client frame with the roles changed. */
struct server_frame {
	const char *name;
	bool tells;
	struct client_frame frame;
	ipv4 yiaddr;
};

static const struct server_frame server_frames[] = {
	{ "an ack",
	  true,
	  { .options = BYTES("\x35\x01\x05\x33\x04\x00\x00\x0e\x10" O_END), .to = FRAMES_MAC },
	  0x0a630017 },
	{ "an ack by broadcast",
	  true,
	  { .options = BYTES("\x35\x01\x05\x33\x04\x00\x00\x0e\x10" O_END) },
	  0x0a630017 },
	{ "an offer",
	  false,
	  { .options = BYTES("\x35\x01\x02\x33\x04\x00\x00\x0e\x10" O_END) },
	  0x0a630017 },
	{ "a nak", false, { .options = BYTES("\x35\x01\x06" O_END) }, 0 },
	{ "an ack of inform", false, { .options = BYTES("\x35\x01\x05" O_END) }, 0 },
	{ "an ack without a lease", false, { .options = BYTES("\x35\x01\x05" O_END) }, 0x0a630017 },
	{ "an ack to somebody else",
	  false,
	  { .options = BYTES("\x35\x01\x05\x33\x04\x00\x00\x0e\x10" O_END), .chaddr = OTHER },
	  0x0a630017 },
	{ "an ack by the guest itself",
	  false,
	  { .options = BYTES("\x35\x01\x05\x33\x04\x00\x00\x0e\x10" O_END), .from = FRAMES_MAC },
	  0x0a630017 },
	{ "an ack to a server",
	  false,
	  { .options = BYTES("\x35\x01\x05\x33\x04\x00\x00\x0e\x10" O_END), .port_to = 67 },
	  0x0a630017 },
	{ "a request that says ack",
	  false,
	  { .options = BYTES("\x35\x01\x05\x33\x04\x00\x00\x0e\x10" O_END), .op = 1 },
	  0x0a630017 },
	{ "an ack of a loopback address",
	  false,
	  { .options = BYTES("\x35\x01\x05\x33\x04\x00\x00\x0e\x10" O_END) },
	  0x7f000001 },
};

static inline void server_frame_encode(const struct server_frame *as, struct frame *ret)
{
	struct client_frame reply = as->frame;

	reply.from = reply.from ? reply.from : OTHER;
	reply.port_to = reply.port_to ? reply.port_to : 68;
	reply.op = reply.op ? reply.op : 2;
	frame_encode(&reply, ret);
	for (size_t i = 0; i < 4; i++)
		ret->bytes[14 + 20 + 8 + 16 + i] = (uint8_t)(as->yiaddr >> 8 * (3 - i));
}

struct arp_frame {
	const char *name;
	struct bytes frame;
	ipv4 address; /* 0: tells nothing */
};

static const struct arp_frame arp_frames[] = {
	{ "a question",
	  BYTES(EVERYBODY FRAMES_MAC "\x08\x06\0\1\x08\0\6\4\0\1" FRAMES_MAC
				     "\x0a\x63\0\x17\0\0\0\0\0\0\x0a\x63\0\1"),
	  0x0a630017 },
	{ "an answer",
	  BYTES(OTHER FRAMES_MAC "\x08\x06\0\1\x08\0\6\4\0\2" FRAMES_MAC "\x0a\x63\0\x17" OTHER
				 "\x0a\x63\0\1"),
	  0x0a630017 },
	{ "padded",
	  BYTES(OTHER FRAMES_MAC "\x08\x06\0\1\x08\0\6\4\0\2" FRAMES_MAC "\x0a\x63\0\x17" OTHER
				 "\x0a\x63\0\1\0\0\0\0\0\0\0\0"),
	  0x0a630017 },
	{ "a probe",
	  BYTES(EVERYBODY FRAMES_MAC "\x08\x06\0\1\x08\0\6\4\0\1" FRAMES_MAC
				     "\0\0\0\0\0\0\0\0\0\0\x0a\x63\0\x17"),
	  0 },
	{ "of somebody else",
	  BYTES(EVERYBODY OTHER "\x08\x06\0\1\x08\0\6\4\0\1" OTHER
				"\x0a\x63\0\x17\0\0\0\0\0\0\x0a\x63\0\1"),
	  0 },
	{ "about somebody else",
	  BYTES(EVERYBODY FRAMES_MAC "\x08\x06\0\1\x08\0\6\4\0\1" OTHER
				     "\x0a\x63\0\x17\0\0\0\0\0\0\x0a\x63\0\1"),
	  0 },
	{ "in another's frame",
	  BYTES(EVERYBODY OTHER "\x08\x06\0\1\x08\0\6\4\0\1" FRAMES_MAC
				"\x0a\x63\0\x17\0\0\0\0\0\0\x0a\x63\0\1"),
	  0 },
	{ "of a multicast address",
	  BYTES(EVERYBODY FRAMES_MAC "\x08\x06\0\1\x08\0\6\4\0\1" FRAMES_MAC
				     "\xe0\0\0\1\0\0\0\0\0\0\x0a\x63\0\1"),
	  0 },
	{ "of longer protocol addresses",
	  BYTES(EVERYBODY FRAMES_MAC "\x08\x06\0\1\x86\xdd\6\x10\0\1" FRAMES_MAC
				     "\x0a\x63\0\x17\0\0\0\0\0\0\x0a\x63\0\1"),
	  0 },
	{ "cut off",
	  BYTES(EVERYBODY FRAMES_MAC "\x08\x06\0\1\x08\0\6\4\0\1" FRAMES_MAC
				     "\x0a\x63\0\x17\0\0\0\0\0\0\x0a\x63\0"),
	  0 },
	{ "nothing", BYTES(""), 0 },
};

#endif
