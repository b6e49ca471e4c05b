/* SPDX-License-Identifier: Apache-2.0 */
/* What a subnet collides with, what it only overlaps, and which one is chosen. */
#include "netd/links_taken.h"

#include "unit.h"

static struct cidr net_of(const char *text)
{
	struct cidr net;

	assert_true(cidr_parse(span_of(text), &net));
	return net;
}

static void add_route(taken_list *list, const char *net, const char *interface, bool is_first)
{
	struct taken *taken = vec_push(list);

	taken->net = net_of(net);
	taken->is_first = is_first;
	(void)snprintf(taken->interface, sizeof(taken->interface), "%s", interface);
}

static void add_address(taken_list *list, const char *address, uint8_t prefix,
			const char *interface)
{
	ipv4 number = net_of(address).network;

	add_route(list, address, interface, false);
	list->v[list->n - 1].address = number;
	list->v[list->n - 1].net = (struct cidr){ number & netmask_of(prefix), prefix };
}

/* A host with an address, routes around, equal to and within, and one that leads nowhere. */
static void make_host(taken_list *list)
{
	add_address(list, "192.168.64.9", 16, "eth0");
	add_route(list, "0.0.0.0/0", "eth0", false);
	add_route(list, "10.0.0.0/8", "tun0", false);
	add_route(list, "10.1.2.0/24", "tun1", false);
	add_route(list, "10.9.0.128/25", "", false);
	add_route(list, "172.16.0.0/12", "vpn", true);
}

static void collides_with_addresses_and_narrower_routes(void **state)
{
	static const struct {
		const char *name, *subnet, *with;
	} rows[] = {
		{ "the address is in it", "192.168.64.0/24", "address 192.168.64.9/16 of 'eth0'" },
		{ "the address alone", "192.168.64.8/29", "address 192.168.64.9/16 of 'eth0'" },
		{ "beside the address", "192.168.64.16/28", NULL },
		{ "in the address's network", "192.168.65.0/24", NULL },
		{ "a wider route", "10.2.0.0/16", NULL },
		{ "the same as a route", "10.0.0.0/8", "route 10.0.0.0/8 of 'tun0'" },
		{ "a route like it", "10.1.2.0/24", "route 10.1.2.0/24 of 'tun1'" },
		{ "a narrower route", "10.1.0.0/16", "route 10.1.2.0/24 of 'tun1'" },
		{ "within a route", "10.1.2.128/25", NULL },
		{ "no interface", "10.9.0.0/24", "route 10.9.0.128/25, which leads nowhere" },
		{ "nothing near", "100.64.0.0/16", NULL },
	};
	taken_list list = { 0 };

	(void)state;
	make_host(&list);
	each_row(rows, row) {
		struct cidr subnet = net_of(row->subnet);
		const struct taken *taken = taken_collision(&list, &subnet);
		struct str text = { 0 };

		if (taken)
			taken_print(taken, &text);
		check(strcmp(str_text(&text), row->with ? row->with : "") == 0, "%s: got '%s'",
		      row->name, str_text(&text));
		str_done(&text);
	}
	vec_done(&list);
}

static void warns_of_wider_routes(void **state)
{
	static const struct {
		const char *name, *subnet, *warnings;
	} rows[] = {
		{ "a wider one", "10.2.0.0/16",
		  "10.2.0.0/16 lies within route 10.0.0.0/8 of 'tun0': its hosts at these "
		  "addresses are out of reach\n" },
		{ "of a table that wins", "172.16.5.0/24",
		  "172.16.5.0/24 lies within route 172.16.0.0/12 of 'vpn', in a table that is "
		  "asked first: guests may be out of reach\n" },
		{ "only the default route", "100.64.0.0/16", "" },
		{ "as wide", "10.0.0.0/8", "" },
		{ "an address's network is said by its route", "192.168.65.0/24", "" },
	};
	taken_list list = { 0 };

	(void)state;
	make_host(&list);
	each_row(rows, row) {
		struct cidr subnet = net_of(row->subnet);
		struct str warnings = { 0 };

		taken_warnings(&list, &subnet, &warnings);
		check(strcmp(str_text(&warnings), row->warnings) == 0, "%s: got '%s'", row->name,
		      str_text(&warnings));
		str_done(&warnings);
	}
	vec_done(&list);
}

static void chooses_the_first_free_one(void **state)
{
	static const struct {
		const char *name;
		uint8_t prefix;
		const char *taken; /* a route */
		const char *chosen;
	} rows[] = {
		{ "free", 24, "10.0.0.0/8", "192.168.64.0/24" },
		{ "the first is taken", 24, "192.168.64.0/24", "192.168.65.0/24" },
		{ "part of the first is taken", 24, "192.168.64.255/32", "192.168.65.0/24" },
		{ "a wider route does not count", 24, "192.168.0.0/16", "192.168.64.0/24" },
		{ "smaller ones", 29, "192.168.64.0/30", "192.168.64.8/29" },
		{ "half of all", 19, "192.168.64.0/24", "192.168.96.0/19" },
		{ "all", 18, "192.168.0.0/24", "192.168.64.0/18" },
		{ "all of it taken", 18, "192.168.127.255/32", NULL },
		{ "around", 17, "10.0.0.0/8", "192.168.0.0/17" },
		{ "around, taken", 17, "192.168.1.0/24", NULL },
		{ "wider", 16, "10.0.0.0/8", "192.168.0.0/16" },
		{ "wider, taken", 16, "192.168.200.0/24", NULL },
	};

	(void)state;
	each_row(rows, row) {
		taken_list list = { 0 };
		struct subnet subnet = { 0 };
		char text[CIDR_TEXT_SIZE] = "";
		bool found;

		add_route(&list, row->taken, "eth0", false);
		found = taken_choose(&list, row->prefix, &subnet);
		if (found)
			cidr_print(&subnet.cidr, text);
		check(strcmp(text, row->chosen ? row->chosen : "") == 0, "%s: got '%s'", row->name,
		      text);
		check(!found || subnet.gateway == subnet.cidr.network + 1, "%s: gateway",
		      row->name);
		vec_done(&list);
	}
}

/* Every one is taken by the one before: all are tried, and none twice. */
static void chooses_until_all_are_taken(void **state)
{
	taken_list list = { 0 };
	struct subnet subnet;
	ipv4 last = 0;
	size_t n = 0;

	(void)state;
	while (taken_choose(&list, 24, &subnet)) {
		assert_true(subnet.cidr.network > last);
		last = subnet.cidr.network;
		vec_push(&list)->net = subnet.cidr;
		n++;
	}
	assert_int_equal(n, 64);
	assert_int_equal(last, 0xc0a87f00);
	vec_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collides_with_addresses_and_narrower_routes),
		cmocka_unit_test(warns_of_wider_routes),
		cmocka_unit_test(chooses_the_first_free_one),
		cmocka_unit_test(chooses_until_all_are_taken),
	};

	return unit_main(tests);
}
