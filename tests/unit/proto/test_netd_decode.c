/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of proto/netd_decode.c: what a keeper or a client must not take from the other. */
#include "proto/netd.h"
#include "unit.h"

#define HEAD(type) "TAND\1\0" type
#define BYTES(b)                   \
	{                          \
		(b), sizeof(b) - 1 \
	}

#define ATTACH  HEAD("\1\0")
#define MAC     "\x52\x54\0\x12\x34\x56"
#define VM      "\2\0vm"
#define NO_IF   "\0\0"
#define NO_LIST "\0\0"
#define TAP     "\15\0tart-0123abcd"
#define ZERO4   "\0\0\0\0"
#define ZERO8   ZERO4 ZERO4
#define SOFTNET ATTACH "\1" MAC VM NO_IF

static const struct {
	const char *name;
	struct span packet;
	const char *text; /* of the error; NULL = accepted */
} rows[] = {
	{ "the shortest that is right", BYTES(HEAD("\4\0")), NULL },
	{ "a byte behind it", BYTES(HEAD("\4\0") "x"),
	  "STATUS: there are bytes behind the message" },
	{ "nothing", BYTES(""), "not a message of the network keeper's protocol" },
	{ "half a head", BYTES("TAND\1\0"), "not a message of the network keeper's protocol" },
	{ "another magic", BYTES("TANE\1\0\4\0"),
	  "not a message of the network keeper's protocol" },
	{ "another version", BYTES("TAND\2\0\4\0"),
	  "version 2 of the network keeper's protocol, not 1: tart and tart-netd are of different releases" },
	{ "type 0", BYTES(HEAD("\0\0")), "unknown message 0" },
	{ "a type between", BYTES(HEAD("\13\0")), "unknown message 11" },
	{ "a type beyond", BYTES(HEAD("\11\1")), "unknown message 265" },

	{ "attach: right", BYTES(ATTACH "\0" MAC VM NO_IF NO_LIST NO_LIST NO_LIST), NULL },
	{ "attach: ends in a list", BYTES(ATTACH "\0" MAC VM NO_IF NO_LIST NO_LIST "\0"),
	  "ATTACH: the packet ends too early" },
	{ "attach: no such mode", BYTES(ATTACH "\4" MAC VM NO_IF NO_LIST NO_LIST NO_LIST),
	  "ATTACH: there is no such mode" },
	{ "attach: a group's MAC",
	  BYTES(ATTACH "\0\x53\x54\0\x12\x34\x56" VM NO_IF NO_LIST NO_LIST NO_LIST),
	  "ATTACH: a MAC address is not one of a NIC" },
	{ "attach: no MAC", BYTES(ATTACH "\0\0\0\0\0\0\0" VM NO_IF NO_LIST NO_LIST NO_LIST),
	  "ATTACH: a MAC address is not one of a NIC" },
	{ "attach: no name", BYTES(ATTACH "\0" MAC "\0\0" NO_IF NO_LIST NO_LIST NO_LIST),
	  "ATTACH: the VM has no name" },
	{ "attach: a newline in the name",
	  BYTES(ATTACH "\0" MAC "\2\0v\n" NO_IF NO_LIST NO_LIST NO_LIST),
	  "ATTACH: a text has bytes that may not be in it" },
	{ "attach: a NUL in the name",
	  BYTES(ATTACH "\0" MAC "\2\0v\0" NO_IF NO_LIST NO_LIST NO_LIST),
	  "ATTACH: a text has bytes that may not be in it" },
	{ "attach: not UTF-8", BYTES(ATTACH "\0" MAC "\2\0v\xe4" NO_IF NO_LIST NO_LIST NO_LIST),
	  "ATTACH: a text has bytes that may not be in it" },
	{ "attach: ends in the name", BYTES(ATTACH "\0" MAC "\3\0vm"),
	  "ATTACH: the packet ends in a text" },
	{ "attach: a name of 256", BYTES(ATTACH "\0" MAC "\0\1vm"), "ATTACH: a text is too long" },
	{ "attach: an interface for NAT",
	  BYTES(ATTACH "\0" MAC VM "\4\0eth0" NO_LIST NO_LIST NO_LIST),
	  "ATTACH: only a bridged NIC has an interface" },
	{ "attach: bridged", BYTES(ATTACH "\3" MAC VM "\4\0eth0" NO_LIST NO_LIST NO_LIST), NULL },
	{ "attach: bridged to nothing", BYTES(ATTACH "\3" MAC VM NO_IF NO_LIST NO_LIST NO_LIST),
	  "ATTACH: that is not the name of an interface" },
	{ "attach: bridged to a path",
	  BYTES(ATTACH "\3" MAC VM "\5\0../lo" NO_LIST NO_LIST NO_LIST),
	  "ATTACH: that is not the name of an interface" },
	{ "attach: an interface of 16 bytes",
	  BYTES(ATTACH "\3" MAC VM "\20\000123456789abcdef" NO_LIST NO_LIST NO_LIST),
	  "ATTACH: a text is too long" },

	{ "lists: right",
	  BYTES(SOFTNET "\2\0\0\0\0\0\x0a\x8\1\0\0\0\0\0"
			"\1\0\0\0\0\0\0\0"
			"\1\0\xae\x8\x16\0"),
	  NULL },
	{ "lists: in NAT mode", BYTES(ATTACH "\0" MAC VM NO_IF "\1\0\1" ZERO4 "\0" NO_LIST NO_LIST),
	  "ATTACH: only Softnet has lists" },
	{ "lists: exposed in host mode",
	  BYTES(ATTACH "\2" MAC VM NO_IF NO_LIST NO_LIST "\1\0\1\0\1\0"),
	  "ATTACH: only Softnet has lists" },
	{ "lists: one entry too few", BYTES(SOFTNET "\2\0\1" ZERO4 "\0"),
	  "ATTACH: the packet ends too early" },
	{ "lists: 1025 promised", BYTES(SOFTNET "\1\4\1" ZERO4 "\0"),
	  "ATTACH: a list is too long" },
	{ "lists: 65535 promised", BYTES(SOFTNET "\xff\xff\1" ZERO4 "\0"),
	  "ATTACH: a list is too long" },
	{ "lists: 257 ports promised", BYTES(SOFTNET NO_LIST NO_LIST "\1\1\1\0\1\0"),
	  "ATTACH: a list is too long" },
	{ "lists: host bits", BYTES(SOFTNET "\1\0\0\1\0\0\x0a\x8" NO_LIST NO_LIST),
	  "ATTACH: a network has host bits" },
	{ "lists: a prefix of 33", BYTES(SOFTNET "\1\0\0" ZERO4 "\x21" NO_LIST NO_LIST),
	  "ATTACH: a prefix is above 32" },
	{ "lists: a prefix of 255", BYTES(SOFTNET "\1\0\0" ZERO4 "\xff" NO_LIST NO_LIST),
	  "ATTACH: a prefix is above 32" },
	{ "lists: a host of 2", BYTES(SOFTNET "\1\0\2" ZERO4 "\0" NO_LIST NO_LIST),
	  "ATTACH: a flag is neither 0 nor 1" },
	{ "lists: a host with a network", BYTES(SOFTNET "\1\0\1\0\0\0\x0a\x8" NO_LIST NO_LIST),
	  "ATTACH: an @host has a network, too" },
	{ "lists: outer port 0", BYTES(SOFTNET NO_LIST NO_LIST "\1\0\0\0\1\0"),
	  "ATTACH: there is no port 0" },
	{ "lists: inner port 0", BYTES(SOFTNET NO_LIST NO_LIST "\1\0\1\0\0\0"),
	  "ATTACH: there is no port 0" },
	{ "lists: a port twice",
	  BYTES(SOFTNET NO_LIST NO_LIST "\3\0\xff\xff\1\0\1\0\1\0\xff\xff\2\0"),
	  "ATTACH: a port is exposed twice" },

	{ "tap: right", BYTES(HEAD("\2\0") TAP), NULL },
	{ "tap: another's interface", BYTES(HEAD("\2\0") "\4\0eth0"),
	  "REATTACH: that is not the name of a tap" },
	{ "tap: none", BYTES(HEAD("\6\0") "\0\0"), "STATS: that is not the name of a tap" },
	{ "list: from the start", BYTES(HEAD("\3\0") "\0\0\0" ZERO4 "\0\0"), NULL },
	{ "list: after no tap", BYTES(HEAD("\3\0") "\2\0lo\0" ZERO4 "\0\0"),
	  "LIST: that is not the name of a tap" },
	{ "list: a MAC not asked for", BYTES(HEAD("\3\0") "\0\0\0" MAC),
	  "LIST: a MAC address where none is asked for" },
	{ "policy: nothing to change", BYTES(HEAD("\5\0") TAP "\0\0\0"), NULL },
	{ "policy: a list without its flag", BYTES(HEAD("\5\0") TAP "\0\0\0\0\0"),
	  "POLICY: there are bytes behind the message" },
	{ "policy: an answer without a list", BYTES(HEAD("\4\1") TAP "\1\0\0\0\1\0\0"),
	  "R_POLICY: a list is missing" },
	{ "connect: port 0", BYTES(HEAD("\7\0") TAP "\0\0"), "CONNECT: there is no port 0" },
	{ "alias: none", BYTES(HEAD("\12\0") TAP ZERO4), NULL },
	{ "alias: everybody's address", BYTES(HEAD("\12\0") TAP "\1\0\0\x0a"),
	  "ALIAS: an alias is not in 127.0.0.0/8" },

	{ "error: code 0", BYTES(HEAD("\0\1") "\0\0\0"), "R_ERROR: there is no such error" },
	{ "error: code 10", BYTES(HEAD("\0\1") "\12\0\0"), "R_ERROR: there is no such error" },
	{ "error: a newline", BYTES(HEAD("\0\1") "\1\1\0\n"),
	  "R_ERROR: a text has bytes that may not be in it" },
	{ "attached: a prefix of 33", BYTES(HEAD("\1\1") "\0" TAP ZERO8 "\x21\xdc\5\0\0\0\0"),
	  "R_ATTACHED: a prefix is above 32" },
	{ "list: 129 promised", BYTES(HEAD("\2\1") "\x81\0"), "R_LIST: a list is too long" },
	{ "list: a time before 1970",
	  BYTES(HEAD("\2\1") "\1\0" VM TAP ZERO4 MAC ZERO8 "\0\0\0\0\0\0\0\0\x80" ZERO8 ZERO8),
	  "R_LIST: a time is out of range" },
	{ "forwards: 33 promised", BYTES(HEAD("\7\1") "\0\x21\0"),
	  "R_FORWARDS: a list is too long" },
	{ "forwards: none", BYTES(HEAD("\7\1") "\0\0\0"), NULL },
};

/* In memory of exactly its size, so that the address sanitizer sees a read beyond it. */
static bool get(struct span packet, struct netd_message *ret, struct err *err)
{
	CLEANUP_FREE char *copy = xcalloc(1, packet.len + 1);

	memcpy(copy + 1, packet.ptr, packet.len);
	return netd_get(span_make(copy + 1, packet.len), ret, err);
}

static void takes_only_what_is_right(void **state)
{
	(void)state;
	each_row(rows, row) {
		struct netd_message message = { .type = NETD_R_DONE };
		struct err err = { 0 };
		bool ok = get(row->packet, &message, &err);

		check(ok == !row->text, "%s: %s", row->name, ok ? "accepted" : err.text);
		check(ok || strcmp(err.text, row->text) == 0, "%s: %s", row->name, err.text);
		check(ok || message.type == NETD_R_DONE, "%s: the result was touched", row->name);
		netd_message_done(&message);
	}
}

static void refuses_every_shorter_packet(void **state)
{
	(void)state;
	each_row(rows, row) {
		for (size_t len = 0; !row->text && len < row->packet.len; len++) {
			struct netd_message message;
			struct err err = { 0 };

			check(!get(span_first(row->packet, len), &message, &err),
			      "%s: accepted at %zu bytes", row->name, len);
		}
	}
}

static void refuses_a_packet_that_is_too_large(void **state)
{
	CLEANUP_FREE char *packet = xcalloc(1, NETD_MESSAGE_MAX + 1);
	struct netd_message message;
	struct err err = { 0 };

	(void)state;
	assert_false(netd_get(span_make(packet, NETD_MESSAGE_MAX + 1), &message, &err));
	assert_string_equal(err.text, "a message of more than 65536 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_only_what_is_right),
		cmocka_unit_test(refuses_every_shorter_packet),
		cmocka_unit_test(refuses_a_packet_that_is_too_large),
	};

	return unit_main(tests);
}
