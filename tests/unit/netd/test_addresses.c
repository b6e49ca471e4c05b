/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/addresses.h. */
#include "netd/addresses.h"

#include <fcntl.h>
#include <string.h>

#include "temp_dir.h"
#include "unit.h"

#define NET 0xc0a84000u /* 192.168.64.0 */

static struct addresses *pool_of(uint8_t prefix)
{
	return addresses_new(&(struct subnet){ .cidr = { NET, prefix }, .gateway = NET + 1 });
}

static struct mac mac_of(unsigned n)
{
	return (struct mac){ { 0x52, 0x54, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

/* The address, or 0. */
static ipv4 take(struct addresses *pool, unsigned mac, uint32_t uid, int64_t now_s)
{
	struct mac of = mac_of(mac);
	ipv4 address = 0;
	enum addresses_result result = addresses_take(pool, &of, uid, now_s, &address);

	assert_true((result == ADDRESSES_DONE) == (address != 0));
	return address;
}

static void gives_away_all_but_three(void **state)
{
	static const struct {
		const char *name;
		uint8_t prefix;
		size_t total;
	} rows[] = { { "a /29", 29, 5 }, { "a /24", 24, 253 }, { "a /16", 16, 65533 } };

	(void)state;
	each_row(rows, row) {
		struct addresses *pool = pool_of(row->prefix);
		size_t n = row->prefix == 16 ? 300 : row->total;

		check(addresses_total(pool) == row->total, "%s: total", row->name);
		for (unsigned i = 0; i < n; i++)
			check(take(pool, i, 0, 1) == NET + 2 + i, "%s: address %u", row->name, i);
		check(addresses_in_use(pool) == n, "%s: in use", row->name);
		addresses_free(pool);
	}
}

static void the_gateway_is_never_given_away(void **state)
{
	struct addresses *pool =
		addresses_new(&(struct subnet){ .cidr = { NET, 29 }, .gateway = NET + 4 });
	struct mac mac = mac_of(9);
	ipv4 ignored;

	(void)state;
	assert_int_equal(take(pool, 1, 0, 1), NET + 1);
	assert_int_equal(take(pool, 2, 0, 1), NET + 2);
	assert_int_equal(take(pool, 3, 0, 1), NET + 3);
	assert_int_equal(take(pool, 4, 0, 1), NET + 5);
	assert_int_equal(take(pool, 5, 0, 1), NET + 6);
	assert_int_equal(addresses_take(pool, &mac, 0, 1, &ignored), ADDRESSES_EXHAUSTED);
	addresses_free(pool);
}

static void a_vm_keeps_its_address(void **state)
{
	struct addresses *pool = pool_of(29);
	ipv4 mine = take(pool, 1, 7, 100);

	(void)state;
	addresses_release(pool, mine, 200);
	assert_int_equal(take(pool, 2, 7, 300), mine + 1);
	assert_int_equal(take(pool, 3, 7, 300), mine + 2);
	assert_int_equal(take(pool, 1, 7, 400), mine);
	addresses_free(pool);
}

/* The clock goes backwards on the way: the order is that of the events. */
static void what_was_freed_last_is_given_away_last(void **state)
{
	struct addresses *pool = pool_of(29);
	ipv4 of[5];

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		of[i] = take(pool, i, 0, 100);
	addresses_release(pool, of[3], 500);
	addresses_release(pool, of[0], 400);
	addresses_release(pool, of[4], 400);
	assert_int_equal(take(pool, 10, 0, 600), of[3]);
	assert_int_equal(take(pool, 11, 0, 600), of[0]);
	assert_int_equal(take(pool, 12, 0, 600), of[4]);
	addresses_release(pool, of[1], 700);
	/* Evicted: its old one belongs to another now. */
	assert_int_equal(take(pool, 3, 0, 800), of[1]);
	addresses_free(pool);
}

static void any_number_in_sequence(void **state)
{
	struct addresses *pool = pool_of(26);

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		ipv4 address = take(pool, i, i % 3, i);

		assert_int_not_equal(address, 0);
		addresses_release(pool, address, i);
		assert_int_equal(addresses_in_use(pool), 0);
	}
	addresses_free(pool);
}

static size_t take_all(struct addresses *pool, unsigned first_mac, uint32_t uid,
		       enum addresses_result *ret_why)
{
	size_t n = 0;

	for (;; n++) {
		struct mac mac = mac_of(first_mac + (unsigned)n);
		ipv4 address;

		*ret_why = addresses_take(pool, &mac, uid, 1, &address);
		if (*ret_why != ADDRESSES_DONE)
			return n;
	}
}

/* 253: the last quarter (63) begins when 190 are taken. */
static void the_last_quarter_is_for_those_with_less(void **state)
{
	struct addresses *pool = pool_of(24);
	enum addresses_result why;

	(void)state;
	assert_int_not_equal(take(pool, 1, 200, 1), 0);
	assert_int_equal(take_all(pool, 1000, 100, &why), 189);
	assert_int_equal(why, ADDRESSES_UNFAIR);
	/* Another user, who has one, gets the rest; a third would have come in before that. */
	assert_int_not_equal(take(pool, 2, 300, 1), 0);
	assert_int_equal(take_all(pool, 2000, 200, &why), 62);
	assert_int_equal(why, ADDRESSES_EXHAUSTED);
	addresses_free(pool);
}

static void one_user_alone_and_root_may_have_all(void **state)
{
	static const struct {
		const char *name;
		uint32_t other, uid;
		size_t n;
	} rows[] = { { "alone", 100, 100, 252 }, { "root beside another", 100, 0, 252 } };

	(void)state;
	each_row(rows, row) {
		struct addresses *pool = pool_of(24);
		enum addresses_result why;

		assert_int_not_equal(take(pool, 1, row->other, 1), 0);
		check(take_all(pool, 1000, row->uid, &why) == row->n, "%s", row->name);
		check(why == ADDRESSES_EXHAUSTED, "%s: why", row->name);
		addresses_free(pool);
	}
}

static void adoption_takes_what_is_free(void **state)
{
	struct addresses *pool = pool_of(29);
	struct mac mac = mac_of(1);
	struct mac other = mac_of(2);

	(void)state;
	assert_true(addresses_take_this(pool, &mac, 5, 1, NET + 4));
	assert_false(addresses_take_this(pool, &other, 5, 1, NET + 4));
	assert_false(addresses_take_this(pool, &other, 5, 1, NET + 1));
	assert_false(addresses_take_this(pool, &other, 5, 1, NET));
	assert_false(addresses_take_this(pool, &other, 5, 1, NET + 7));
	assert_false(addresses_take_this(pool, &other, 5, 1, NET + 8));
	assert_false(addresses_take_this(pool, &other, 5, 1, 0));
	assert_int_equal(addresses_in_use(pool), 1);
	addresses_release(pool, NET + 4, 2);
	addresses_release(pool, NET + 4, 2);
	assert_int_equal(addresses_in_use(pool), 0);
	assert_int_equal(take(pool, 1, 5, 3), NET + 4);
	addresses_free(pool);
}

static void reads_what_it_prints(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		const char *again; /* NULL: the same, nothing was dropped */
	} rows[] = {
		{ "nothing", "", NULL },
		{ "two, by last use",
		  "52:54:00:00:00:02 192.168.64.3 100\n52:54:00:00:00:01 192.168.64.2 100\n",
		  NULL },
		{ "no last newline", "52:54:00:00:00:02 192.168.64.3 100",
		  "52:54:00:00:00:02 192.168.64.3 100\n" },
		{ "the gateway", "52:54:00:00:00:02 192.168.64.1 100\n", "" },
		{ "another subnet", "52:54:00:00:00:02 192.168.65.2 100\n", "" },
		{ "the broadcast address", "52:54:00:00:00:02 192.168.64.255 100\n", "" },
		{ "one MAC address twice",
		  "52:54:00:00:00:02 192.168.64.3 1\n52:54:00:00:00:02 192.168.64.4 2\n",
		  "52:54:00:00:00:02 192.168.64.4 2\n" },
		{ "one address twice",
		  "52:54:00:00:00:02 192.168.64.3 1\n52:54:00:00:00:01 192.168.64.3 2\n",
		  "52:54:00:00:00:01 192.168.64.3 2\n" },
		{ "a negative time", "52:54:00:00:00:02 192.168.64.3 -1\n", "" },
		{ "more words", "52:54:00:00:00:02 192.168.64.3 1 1\n", "" },
		{ "fewer words", "52:54:00:00:00:02 192.168.64.3\n", "" },
		{ "an empty line", "\n52:54:00:00:00:02 192.168.64.3 1\n",
		  "52:54:00:00:00:02 192.168.64.3 1\n" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str out = { 0 };
		struct addresses *pool = pool_of(24);
		bool whole = addresses_parse(span_of(row->text), pool);

		addresses_print(pool, &out);
		check(strcmp(str_text(&out), row->again ? row->again : row->text) == 0,
		      "%s: got %s", row->name, str_text(&out));
		check(whole || row->again, "%s: something was dropped", row->name);
		addresses_free(pool);
	}
}

/* A file that fills a /16 with one MAC address over and over must not cost minutes. */
static void many_doubles_are_dropped_at_once(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_STR struct str out = { 0 };
	struct addresses *pool = pool_of(16);

	(void)state;
	for (unsigned i = 0; i < 65000; i++) {
		char address[IPV4_TEXT_SIZE];

		ipv4_print((NET & 0xffff0000u) + 2 + i, address);
		str_addf(&text, "52:54:00:00:00:02 %s 7\n", address);
	}
	addresses_free(pool);
	pool = addresses_new(&(struct subnet){ .cidr = { NET & 0xffff0000u, 16 },
					       .gateway = (NET & 0xffff0000u) + 1 });
	assert_false(addresses_parse(str_span(&text), pool));
	addresses_print(pool, &out);
	assert_string_equal(str_text(&out), "52:54:00:00:00:02 192.168.253.233 7\n");
	addresses_free(pool);
}

static void the_file_outlives_the_keeper(void **state)
{
	const struct temp_dir *dir = *state;
	struct err err = { 0 };
	struct addresses *pool = pool_of(24);
	struct stat st;
	ipv4 first = take(pool, 1, 0, 1);
	ipv4 second = take(pool, 2, 0, 2);

	assert_true(addresses_load(pool, dir->fd, &err)); /* none yet */
	addresses_release(pool, first, 3);
	assert_true(addresses_store(pool, dir->fd, &err));
	addresses_free(pool);
	assert_int_equal(fstatat(dir->fd, ADDRESSES_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	pool = pool_of(24);
	assert_true(addresses_load(pool, dir->fd, &err));
	assert_int_equal(addresses_in_use(pool), 0);
	assert_int_equal(take(pool, 2, 0, 4), second);
	assert_int_equal(take(pool, 3, 0, 4), second + 1);
	assert_int_equal(take(pool, 1, 0, 4), first);
	addresses_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_away_all_but_three),
		cmocka_unit_test(the_gateway_is_never_given_away),
		cmocka_unit_test(a_vm_keeps_its_address),
		cmocka_unit_test(what_was_freed_last_is_given_away_last),
		cmocka_unit_test(any_number_in_sequence),
		cmocka_unit_test(the_last_quarter_is_for_those_with_less),
		cmocka_unit_test(one_user_alone_and_root_may_have_all),
		cmocka_unit_test(adoption_takes_what_is_free),
		cmocka_unit_test(reads_what_it_prints),
		cmocka_unit_test(many_doubles_are_dropped_at_once),
		temp_dir_test(the_file_outlives_the_keeper),
	};

	return unit_main(tests);
}
