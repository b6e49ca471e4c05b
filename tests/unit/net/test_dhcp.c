/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/dhcp.h: what comes of each kind of frame, and every byte of the answers. */
#include "net/dhcp.h"

#include "dhcp_frames.h"
#include "unit.h"

#define BOOTP   (14 + 20 + 8)
#define OPTIONS (BOOTP + 240)

struct answer {
	enum dhcp_event event;
	struct frame frame;
};

static struct answer ask(const struct dhcp_offer *offer, const struct client_frame *client)
{
	struct answer answer = { .frame.len = 999 };
	struct frame frame;

	frame_encode(client, &frame);
	answer.event = dhcp_answer(offer, frame_span(&frame), answer.frame.bytes,
				   &answer.frame.len);
	return answer;
}

static const struct client_frame *client_named(const char *name)
{
	each_row(client_frames, row) {
		if (strcmp(row->name, name) == 0)
			return row;
	}
	fail_msg("no client frame is named %s", name);
	return NULL;
}

static struct answer ask_as(const char *name)
{
	struct dhcp_offer offer = frames_offer();

	return ask(&offer, client_named(name));
}

static uint32_t number_at(const struct frame *frame, size_t at, size_t n)
{
	uint32_t value = 0;

	assert_true(at + n <= frame->len);
	while (n-- > 0)
		value = value << 8 | frame->bytes[at++];
	return value;
}

/* Where an option's value is; 0 when it is not there. Walks to the end mark, so that the list is known to be whole. */
static size_t option_at(const struct frame *frame, uint8_t code, size_t *ret_len)
{
	size_t at = OPTIONS;
	size_t found = 0;

	while (number_at(frame, at, 1) != 255) {
		size_t len = number_at(frame, at + 1, 1);

		if (frame->bytes[at] == code) {
			assert_int_equal(found, 0);
			found = at + 2;
			*ret_len = len;
		}
		at += 2 + len;
	}
	for (at++; at < frame->len; at++)
		assert_int_equal(frame->bytes[at], 0);
	return found;
}

static void check_option(const struct frame *frame, uint8_t code, size_t len, uint32_t value)
{
	size_t is_len = 0;
	size_t at = option_at(frame, code, &is_len);

	check(at != 0, "option %u is missing", code);
	check(is_len == len, "option %u has %zu bytes", code, is_len);
	check(number_at(frame, at, len) == value, "option %u is %u", code,
	      number_at(frame, at, len));
}

static void check_no_option(const struct frame *frame, uint8_t code)
{
	size_t len;

	check(option_at(frame, code, &len) == 0, "option %u is there", code);
}

static uint16_t sum_of(const struct frame *frame, size_t at, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)frame->bytes[at + i] << 8 : frame->bytes[at + i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* A whole Ethernet, IPv4 and UDP header with right lengths and checksums, from the gateway's port 67 to port 68. */
static void check_headers(const struct frame *frame, const char *to, ipv4 ip_to)
{
	uint32_t ip_len = number_at(frame, 16, 2);
	uint32_t udp_len = number_at(frame, 38, 2);

	assert_memory_equal(frame->bytes, to, 6);
	assert_memory_equal(frame->bytes + 6, FRAMES_SERVER, 6);
	assert_int_equal(number_at(frame, 12, 2), 0x0800);
	assert_int_equal(number_at(frame, 14, 1), 0x45);
	assert_int_equal(ip_len, frame->len - 14);
	assert_int_equal(number_at(frame, 20, 2), 0);
	assert_int_equal(number_at(frame, 23, 1), 17);
	assert_int_equal(number_at(frame, 26, 4), FRAMES_GATEWAY);
	assert_int_equal(number_at(frame, 30, 4), ip_to);
	assert_int_equal(number_at(frame, 34, 2), 67);
	assert_int_equal(number_at(frame, 36, 2), 68);
	assert_int_equal(udp_len, ip_len - 20);
	assert_int_not_equal(number_at(frame, 40, 2), 0);
	assert_int_equal(sum_of(frame, 14, 20, 0), 0xffff);
	assert_int_equal(sum_of(frame, 34, udp_len, sum_of(frame, 26, 8, 17 + udp_len)), 0xffff);
	assert_true(frame->len >= 14 + 20 + 8 + 300);
	assert_true(frame->len <= 14 + 576);
}

static void check_bootp(const struct frame *frame, uint32_t ciaddr, uint32_t yiaddr)
{
	assert_int_equal(number_at(frame, BOOTP, 4), 0x02010600);
	assert_int_equal(number_at(frame, BOOTP + 4, 4), 0x12345678);
	assert_int_equal(number_at(frame, BOOTP + 12, 4), ciaddr);
	assert_int_equal(number_at(frame, BOOTP + 16, 4), yiaddr);
	assert_int_equal(number_at(frame, BOOTP + 20, 4), 0);
	assert_int_equal(number_at(frame, BOOTP + 24, 4), 0);
	assert_memory_equal(frame->bytes + BOOTP + 28, FRAMES_MAC "\0\0\0\0\0\0\0\0\0\0", 16);
	for (size_t i = BOOTP + 44; i < BOOTP + 236; i++)
		assert_int_equal(frame->bytes[i], 0);
	assert_int_equal(number_at(frame, BOOTP + 236, 4), 0x63825363);
	check_option(frame, 54, 4, FRAMES_GATEWAY);
}

static void each_frame_has_its_event(void **state)
{
	static const uint8_t types[] = {
		[DHCP_OFFERED] = 2, [DHCP_BOUND] = 5, [DHCP_REFUSED] = 6, [DHCP_INFORMED] = 5
	};
	struct dhcp_offer offer = frames_offer();

	(void)state;
	each_row(client_frames, row) {
		struct answer answer = ask(&offer, row);
		uint8_t type = row->event < ARRAY_LEN(types) ? types[row->event] : 0;

		check(answer.event == row->event, "%s: %d", row->name, answer.event);
		check((answer.frame.len > 0) == (type != 0), "%s: %zu bytes", row->name,
		      answer.frame.len);
		if (type != 0)
			check_option(&answer.frame, 53, 1, type);
	}
}

static void an_offer_has_it_all(void **state)
{
	struct answer answer = ask_as("discover");

	(void)state;
	check_headers(&answer.frame, FRAMES_MAC, FRAMES_ADDRESS);
	check_bootp(&answer.frame, 0, FRAMES_ADDRESS);
	check_option(&answer.frame, 1, 4, 0xffffff00);
	check_option(&answer.frame, 3, 4, FRAMES_GATEWAY);
	check_option(&answer.frame, 6, 4, FRAMES_GATEWAY);
	check_option(&answer.frame, 26, 2, 1500);
	check_option(&answer.frame, 28, 4, 0xc0a840ff);
	check_option(&answer.frame, 51, 4, 86400);
	check_option(&answer.frame, 58, 4, 43200);
	check_option(&answer.frame, 59, 4, 75600);
}

static void an_ack_has_it_all(void **state)
{
	struct answer answer = ask_as("selecting");

	(void)state;
	check_headers(&answer.frame, FRAMES_MAC, FRAMES_ADDRESS);
	check_bootp(&answer.frame, 0, FRAMES_ADDRESS);
	check_option(&answer.frame, 1, 4, 0xffffff00);
	check_option(&answer.frame, 51, 4, 86400);
}

static void broadcast_where_the_client_asks_for_it(void **state)
{
	struct answer answer = ask_as("selecting-broadcast");

	(void)state;
	check_headers(&answer.frame, EVERYBODY, UINT32_MAX);
	assert_int_equal(number_at(&answer.frame, BOOTP + 10, 2), 0x8000);
	answer = ask_as("discover-broadcast");
	check_headers(&answer.frame, EVERYBODY, UINT32_MAX);
	answer = ask_as("renewing-broadcast-flag");
	check_headers(&answer.frame, FRAMES_MAC, FRAMES_ADDRESS);
}

static void a_renewal_keeps_ciaddr(void **state)
{
	struct answer answer = ask_as("renewing");

	(void)state;
	check_headers(&answer.frame, FRAMES_MAC, FRAMES_ADDRESS);
	check_bootp(&answer.frame, FRAMES_ADDRESS, FRAMES_ADDRESS);
}

static void a_refusal_is_broadcast_and_says_nothing_else(void **state)
{
	static const char *const names[] = { "init-reboot-foreign", "selecting-foreign",
					     "renewing-foreign", "rebinding-foreign" };

	(void)state;
	each_row(names, name) {
		struct answer answer = ask_as(*name);

		check_headers(&answer.frame, EVERYBODY, UINT32_MAX);
		check_bootp(&answer.frame, 0, 0);
		check_no_option(&answer.frame, 1);
		check_no_option(&answer.frame, 3);
		check_no_option(&answer.frame, 6);
		check_no_option(&answer.frame, 51);
	}
}

static void an_answer_to_inform_gives_no_address(void **state)
{
	struct answer answer = ask_as("inform");

	(void)state;
	check_headers(&answer.frame, FRAMES_MAC, 0xc0a84063);
	check_bootp(&answer.frame, 0xc0a84063, 0);
	check_option(&answer.frame, 3, 4, FRAMES_GATEWAY);
	check_no_option(&answer.frame, 51);
	check_no_option(&answer.frame, 58);
	check_no_option(&answer.frame, 59);
}

static void the_client_identifier_comes_back(void **state)
{
	static const char *const names[] = { "discover-duid", "discover-in-sname", "init-reboot",
					     "init-reboot-foreign" };
	struct answer bare;

	(void)state;
	each_row(names, name) {
		struct answer answer = ask_as(*name);
		size_t len = 0;
		size_t at = option_at(&answer.frame, 61, &len);

		check(at != 0 && len == 19, "%s: %zu bytes", *name, len);
		assert_memory_equal(answer.frame.bytes + at, O_DUID + 2, 19);
	}
	bare = ask_as("discover-bare");
	check_no_option(&bare.frame, 61);
}

/* 576 bytes of datagram are what every client takes: one that is longer does not come back. */
static void the_longest_answer_fits(void **state)
{
	struct dhcp_offer offer = frames_offer();
	char options[3 + 2 + 255] = O_DISCOVER "\x3d";
	struct client_frame client = { .options = { options, 0 } };
	size_t longest = 0;

	(void)state;
	offer.dns[1] = 0x08080808;
	offer.dns[2] = 0x01010101;
	for (size_t len = 2; len <= 255; len++) {
		struct answer answer;
		size_t is_len;

		options[4] = (char)len;
		client.options.len = 5 + len;
		answer = ask(&offer, &client);
		assert_int_equal(answer.event, DHCP_OFFERED);
		check_headers(&answer.frame, FRAMES_MAC, FRAMES_ADDRESS);
		if (option_at(&answer.frame, 61, &is_len) != 0)
			longest = len;
	}
	assert_true(longest >= 135); /* 255, IAID, the longest DUID (RFC 3315 section 9.1) */
	assert_true(longest < 255);
}

static void host_only_has_no_router(void **state)
{
	struct dhcp_offer offer = frames_offer();
	struct answer answer;

	(void)state;
	offer.no_router = true;
	answer = ask(&offer, client_named("discover"));
	check_no_option(&answer.frame, 3);
	check_option(&answer.frame, 6, 4, FRAMES_GATEWAY);
}

static void up_to_three_name_servers(void **state)
{
	struct dhcp_offer offer = frames_offer();
	struct answer answer;
	size_t len = 0;

	(void)state;
	offer.dns[1] = 0x08080808;
	offer.dns[2] = 0x01010101;
	answer = ask(&offer, client_named("discover"));
	assert_int_not_equal(option_at(&answer.frame, 6, &len), 0);
	assert_int_equal(len, 12);
	assert_int_equal(number_at(&answer.frame, option_at(&answer.frame, 6, &len) + 8, 4),
			 0x01010101);
	offer.dns[0] = 0;
	answer = ask(&offer, client_named("discover"));
	check_no_option(&answer.frame, 6);
}

static void wide_masks_and_long_leases(void **state)
{
	struct dhcp_offer offer = frames_offer();
	struct answer answer;

	(void)state;
	offer.prefix = 16;
	offer.lease_s = INT32_MAX;
	answer = ask(&offer, client_named("selecting"));
	check_option(&answer.frame, 1, 4, 0xffff0000);
	check_option(&answer.frame, 28, 4, 0xc0a8ffff);
	check_option(&answer.frame, 51, 4, 2147483647);
	check_option(&answer.frame, 58, 4, 1073741823);
	check_option(&answer.frame, 59, 4, 1879048191);
	offer.lease_s = 120;
	answer = ask(&offer, client_named("selecting"));
	check_option(&answer.frame, 59, 4, 105);
}

/* Also what the sanitizer would see: a copy of exactly the size that is given. */
static void no_part_of_a_frame_is_answered(void **state)
{
	struct dhcp_offer offer = frames_offer();

	(void)state;
	each_row(client_frames, row) {
		struct frame frame;

		frame_encode(row, &frame);
		for (size_t len = 0; len < frame.len - row->padding; len++) {
			char *copy = malloc(len > 0 ? len : 1);
			uint8_t answer[DHCP_FRAME_MAX];
			size_t answer_len;
			enum dhcp_event event;

			assert_non_null(copy);
			memcpy(copy, frame.bytes, len);
			event = dhcp_answer(&offer, span_make(copy, len), answer, &answer_len);
			free(copy);
			check(event == DHCP_NOTHING && answer_len == 0, "%s: %zu bytes", row->name,
			      len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_frame_has_its_event),
		cmocka_unit_test(an_offer_has_it_all),
		cmocka_unit_test(an_ack_has_it_all),
		cmocka_unit_test(broadcast_where_the_client_asks_for_it),
		cmocka_unit_test(a_renewal_keeps_ciaddr),
		cmocka_unit_test(a_refusal_is_broadcast_and_says_nothing_else),
		cmocka_unit_test(an_answer_to_inform_gives_no_address),
		cmocka_unit_test(the_client_identifier_comes_back),
		cmocka_unit_test(the_longest_answer_fits),
		cmocka_unit_test(host_only_has_no_router),
		cmocka_unit_test(up_to_three_name_servers),
		cmocka_unit_test(wide_masks_and_long_leases),
		cmocka_unit_test(no_part_of_a_frame_is_answered),
	};

	return unit_main(tests);
}
