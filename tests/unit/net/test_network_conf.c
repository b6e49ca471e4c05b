/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/network_conf.c: keys, defaults, values as text. network.md 3. */
#include "net/network_conf.h"

#include "unit.h"

static void print(const struct network_conf *conf, const char *key, struct str *out)
{
	str_clear(out);
	network_conf_print(conf, key, out);
}

/* What the table says is what a file without a line means, and the file may say it, too. */
static void defaults_are_those_of_the_table(void **state)
{
	struct network_conf conf;

	(void)state;
	network_conf_init(&conf);
	for (const struct network_key *key = network_keys; key->name; key++) {
		CLEANUP_STR struct str text = { 0 };

		print(&conf, key->name, &text);
		check(strcmp(str_text(&text), key->fallback) == 0, "%s: %s", key->name,
		      str_text(&text));
		check(key->rule[0], "%s has no rule", key->name);
	}
	network_conf_done(&conf);
}

static void keys_are_those_of_the_spec(void **state)
{
	static const char *const keys[] = { "subnet",        "netmask",      "lease-time",
					    "isolate-vms",   "dns",          "mtu",
					    "allow-bridged", "expose-ports", "users" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_string_equal(network_keys[i].name, keys[i]);
	assert_null(network_keys[ARRAY_LEN(keys)].name);
}

static void prints_what_was_read(void **state)
{
	static const struct {
		const char *file;
		const char *key;
		const char *printed;
	} rows[] = {
		{ "subnet = auto", "subnet", "auto" },
		{ "subnet = 192.168.77.1", "subnet", "192.168.77.1/24" },
		{ "subnet = 192.168.77.0/28", "subnet", "192.168.77.1/28" },
		{ "subnet = 192.168.77.1/16", "netmask", "255.255.0.0" },
		{ "netmask = 255.255.0.0", "netmask", "255.255.0.0" },
		{ "netmask = 255.255.0.0", "subnet", "auto" },
		{ "lease-time = 2147483647", "lease-time", "2147483647" },
		{ "isolate-vms = no", "isolate-vms", "no" },
		{ "dns = 1.1.1.1, 8.8.8.8", "dns", "1.1.1.1,8.8.8.8" },
		{ "mtu = 9000", "mtu", "9000" },
		{ "allow-bridged = br0 eth0,eth1", "allow-bridged", "br0,eth0,eth1" },
		{ "expose-ports = 80, 1024-65535", "expose-ports", "80,1024-65535" },
		{ "expose-ports =", "expose-ports", "" },
		{ "expose-ports = 22-22", "expose-ports", "22" },
		{ "users = alice @vm bob", "users", "alice,@vm,bob" },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str text = { 0 };
		struct network_conf conf;
		struct err err = { 0 };

		check(network_conf_parse(span_of(row->file), "f", &conf, &err), "'%s': %s",
		      row->file, err.text);
		print(&conf, row->key, &text);
		check(strcmp(str_text(&text), row->printed) == 0, "'%s': %s = %s", row->file,
		      row->key, str_text(&text));
		network_conf_done(&conf);
	}
}

static void ranges_have_ports(void **state)
{
	static const struct port_range ranges[] = { { 80, 80 }, { 1024, 65535 } };
	static const struct {
		uint16_t port;
		bool has;
	} rows[] = {
		{ 0, false },    { 79, false },  { 80, true },    { 81, false },
		{ 1023, false }, { 1024, true }, { 65535, true },
	};

	(void)state;
	each_row(rows, row)
		check(port_ranges_have(ranges, ARRAY_LEN(ranges), row->port) == row->has, "%u",
		      row->port);
	assert_false(port_ranges_have(NULL, 0, 80));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_table),
		cmocka_unit_test(keys_are_those_of_the_spec),
		cmocka_unit_test(prints_what_was_read),
		cmocka_unit_test(ranges_have_ports),
	};

	return unit_main(tests);
}
