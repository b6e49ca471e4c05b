/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of net/network_conf_parse.c: every rule of network.md 3, and what its refusal says. */
#include "net/network_conf.h"
#include "unit.h"

static void must_parse(const char *text, struct network_conf *ret)
{
	struct err err = { 0 };

	check(network_conf_parse(span_of(text), "f", ret, &err), "'%s': %s", text, err.text);
}

static void an_empty_file_is_all_defaults(void **state)
{
	static const char *const rows[] = { "", "\n\n", "# nothing\n", "  \t \r\n   # x = y\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct network_conf conf;

		must_parse(rows[i], &conf);
		assert_true(conf.subnet_auto && conf.isolate_vms && conf.dns_is_gateway);
		assert_int_equal(conf.auto_prefix, 24);
		assert_int_equal(conf.lease_time_s, 86400);
		assert_int_equal(conf.mtu, 1500);
		assert_int_equal(conf.expose_ports.n, 1);
		assert_int_equal(conf.allow_bridged.n + conf.users.n, 0);
		network_conf_done(&conf);
	}
}

static void subnets(void **state)
{
	static const struct {
		const char *file;
		ipv4 network;
		uint8_t prefix;
		ipv4 gateway;
	} rows[] = {
		{ "subnet = 192.168.77.1", 0xc0a84d00, 24, 0xc0a84d01 },
		{ "subnet = 192.168.77.0", 0xc0a84d00, 24, 0xc0a84d01 },
		{ "subnet = 192.168.77.9/24", 0xc0a84d00, 24, 0xc0a84d09 },
		{ "subnet = 192.168.77.0/29", 0xc0a84d00, 29, 0xc0a84d01 },
		{ "subnet = 192.168.77.254", 0xc0a84d00, 24, 0xc0a84dfe },
		{ "subnet = 192.168.77.1\nnetmask = 255.255.0.0", 0xc0a80000, 16, 0xc0a84d01 },
		{ "netmask = 255.255.0.0\nsubnet = 192.168.0.0", 0xc0a80000, 16, 0xc0a80001 },
		{ "subnet = 192.168.77.1/16\nnetmask = 255.255.0.0", 0xc0a80000, 16, 0xc0a84d01 },
		{ "subnet = 10.255.255.0/24", 0x0affff00, 24, 0x0affff01 },
		{ "subnet = 172.16.0.1/16", 0xac100000, 16, 0xac100001 },
		{ "subnet = 172.31.255.1/24", 0xac1fff00, 24, 0xac1fff01 },
		{ "subnet = 100.64.0.1/16", 0x64400000, 16, 0x64400001 },
		{ "subnet = 100.127.255.1/24", 0x647fff00, 24, 0x647fff01 },
	};

	(void)state;
	each_row(rows, row) {
		struct network_conf conf;

		must_parse(row->file, &conf);
		check(!conf.subnet_auto && conf.subnet.network == row->network &&
			      conf.subnet.prefix == row->prefix && conf.gateway == row->gateway,
		      "'%s': 0x%08x/%u, 0x%08x", row->file, conf.subnet.network, conf.subnet.prefix,
		      conf.gateway);
		network_conf_done(&conf);
	}
}

/* The three questions of issue 4 in one file, with everything else that can be said. */
static void a_file_with_every_key(void **state)
{
	static const char file[] = "# our network\n"
				   "subnet=192.168.77.1\t# the office has .64\r\n"
				   "  netmask = 255.255.0.0\n"
				   "lease-time = 600\n"
				   "isolate-vms =no\n"
				   "dns = 1.1.1.1,8.8.8.8 9.9.9.9\n"
				   "mtu = 576\n"
				   "allow-bridged = br0,\teth0.1\n"
				   "expose-ports = 80, 8000 - 8100";
	struct network_conf conf;
	struct err err = { 0 };

	(void)state;
	assert_false(network_conf_parse(span_of(file), "f", &conf, &err));
	assert_string_equal(err.text,
			    "f:9: expose-ports: '80, 8000 - 8100' has an item that is neither a "
			    "port nor a range (1 to 65535)");
	must_parse("subnet=192.168.77.1\t# the office has .64\r\n"
		   "  netmask = 255.255.0.0\n"
		   "lease-time = 600\n"
		   "isolate-vms =no\n"
		   "dns = 1.1.1.1,8.8.8.8 9.9.9.9\n"
		   "mtu = 576\n"
		   "allow-bridged = br0,\teth0.1\n"
		   "expose-ports = 80, 8000-8100\n"
		   "users = alice, @vm-users",
		   &conf);
	assert_int_equal(conf.gateway, 0xc0a84d01);
	assert_int_equal(conf.subnet.prefix, 16);
	assert_int_equal(conf.lease_time_s, 600);
	assert_false(conf.isolate_vms);
	assert_false(conf.dns_is_gateway);
	assert_int_equal(conf.dns[2], 0x09090909);
	assert_int_equal(conf.mtu, 576);
	assert_int_equal(conf.allow_bridged.n, 2);
	assert_string_equal(conf.allow_bridged.v[1].text, "eth0.1");
	assert_int_equal(conf.expose_ports.n, 2);
	assert_int_equal(conf.expose_ports.v[1].last, 8100);
	assert_int_equal(conf.users.n, 2);
	assert_string_equal(conf.users.v[1].text, "@vm-users");
	network_conf_done(&conf);
}

#define SUBNET_FORM   " is neither auto nor of the form A.B.C.D/P or A.B.C.D"
#define SUBNET_RANGE  " has a prefix outside 16 to 29"
#define SUBNET_PUBLIC " is in none of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and 100.64.0.0/10"
#define BROADCAST     " is the broadcast address of its network: the gateway needs another"
#define MASK          " is not a netmask, as 255.255.255.0 is one"
#define MASK_RANGE    " is not between 255.255.0.0 (/16) and 255.255.255.248 (/29)"
#define MASK_DIFFER   " is not the prefix that subnet says: leave out one of them"
#define LEASE         " is not a number of seconds from 120 to 2147483647"
#define DNS           " is neither gateway nor a list of IPv4 addresses"
#define MTU           " is not a number from 576 to 9000"
#define PORTS         " has an item that is neither a port nor a range (1 to 65535)"
#define NAMES         " has an item that is no name of an interface"
#define USERS         " has an item that is no name of a user, nor @ and that of a group"

static const struct {
	const char *file;
	const char *error;
} refused[] = {
	{ "subnet", "f:1: 'subnet' is not of the form key = value" },
	{ "\n= auto", "f:2: '= auto' is not of the form key = value" },
	{ "Subnet = auto", "f:1: there is no key 'Subnet'" },
	{ "interface = tart0", "f:1: there is no key 'interface'" },
	{ "mtu = 1500\n#\nmtu = 1400", "f:3: mtu: '1400' comes after line 1 has set it" },
	{ "subnet =", "f:1: subnet: ''" SUBNET_FORM },
	{ "subnet = Auto", "f:1: subnet: 'Auto'" SUBNET_FORM },
	{ "subnet = 192.168.77", "f:1: subnet: '192.168.77'" SUBNET_FORM },
	{ "subnet = 192.168.77.1/", "f:1: subnet: '192.168.77.1/'" SUBNET_FORM },
	{ "subnet = 192.168.77.1/33", "f:1: subnet: '192.168.77.1/33'" SUBNET_FORM },
	{ "subnet = fd00::1/64", "f:1: subnet: 'fd00::1/64'" SUBNET_FORM },
	{ "subnet = 192.168.77.1/30", "f:1: subnet: '192.168.77.1/30'" SUBNET_RANGE },
	{ "subnet = 10.0.0.1/15", "f:1: subnet: '10.0.0.1/15'" SUBNET_RANGE },
	{ "subnet = 8.8.8.0/24", "f:1: subnet: '8.8.8.0/24'" SUBNET_PUBLIC },
	{ "subnet = 172.32.0.1/24", "f:1: subnet: '172.32.0.1/24'" SUBNET_PUBLIC },
	{ "subnet = 100.128.0.1/24", "f:1: subnet: '100.128.0.1/24'" SUBNET_PUBLIC },
	{ "subnet = 127.0.0.1/24", "f:1: subnet: '127.0.0.1/24'" SUBNET_PUBLIC },
	{ "subnet = 192.168.77.255", "f:1: subnet: '192.168.77.255'" BROADCAST },
	{ "subnet = 192.168.77.7/29", "f:1: subnet: '192.168.77.7/29'" BROADCAST },
	{ "subnet = 192.168.255.255\nnetmask=255.255.0.0",
	  "f:1: subnet: '192.168.255.255'" BROADCAST },
	{ "netmask = 24", "f:1: netmask: '24'" MASK },
	{ "netmask = 255.0.255.0", "f:1: netmask: '255.0.255.0'" MASK },
	{ "netmask = 255.0.0.0", "f:1: netmask: '255.0.0.0'" MASK_RANGE },
	{ "netmask = 255.255.255.252", "f:1: netmask: '255.255.255.252'" MASK_RANGE },
	{ "subnet = 10.0.0.1/24\nnetmask = 255.255.0.0",
	  "f:2: netmask: '255.255.0.0'" MASK_DIFFER },
	{ "lease-time = 119", "f:1: lease-time: '119'" LEASE },
	{ "lease-time = 2147483648", "f:1: lease-time: '2147483648'" LEASE },
	{ "lease-time = 1h", "f:1: lease-time: '1h'" LEASE },
	{ "lease-time = -600", "f:1: lease-time: '-600'" LEASE },
	{ "isolate-vms = true", "f:1: isolate-vms: 'true' is neither yes nor no" },
	{ "dns =", "f:1: dns: ''" DNS },
	{ "dns = gateway 1.1.1.1", "f:1: dns: 'gateway 1.1.1.1'" DNS },
	{ "dns = 1.1.1.1,,8.8.8.8", "f:1: dns: '1.1.1.1,,8.8.8.8'" DNS },
	{ "dns = one.one.one.one", "f:1: dns: 'one.one.one.one'" DNS },
	{ "dns = 1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4",
	  "f:1: dns: '1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4' has more than 3 addresses" },
	{ "dns = 127.0.0.53", "f:1: dns: '127.0.0.53' has an address that guests cannot reach" },
	{ "dns = 0.0.0.0", "f:1: dns: '0.0.0.0' has an address that guests cannot reach" },
	{ "dns = 224.0.0.251", "f:1: dns: '224.0.0.251' has an address that guests cannot reach" },
	{ "mtu = 575", "f:1: mtu: '575'" MTU },
	{ "mtu = 9001", "f:1: mtu: '9001'" MTU },
	{ "allow-bridged = a/b", "f:1: allow-bridged: 'a/b'" NAMES },
	{ "allow-bridged = ,", "f:1: allow-bridged: ','" NAMES },
	{ "allow-bridged = 0123456789abcdef", "f:1: allow-bridged: '0123456789abcdef'" NAMES },
	{ "expose-ports = 0", "f:1: expose-ports: '0'" PORTS },
	{ "expose-ports = 65536", "f:1: expose-ports: '65536'" PORTS },
	{ "expose-ports = 9-8", "f:1: expose-ports: '9-8'" PORTS },
	{ "expose-ports = 1-", "f:1: expose-ports: '1-'" PORTS },
	{ "expose-ports = -1", "f:1: expose-ports: '-1'" PORTS },
	{ "expose-ports = 1-2-3", "f:1: expose-ports: '1-2-3'" PORTS },
	{ "users =", "f:1: users: '' names nobody" },
	{ "users = @", "f:1: users: '@'" USERS },
	{ "users = caf\xc3\xa9", "f:1: users: 'caf\xc3\xa9'" USERS },
	{ "users = 0123456789abcdef0123456789abcdef0",
	  "f:1: users: '0123456789abcdef0123456789abcdef0'" USERS },
};

static void refuses(void **state)
{
	(void)state;
	each_row(refused, row) {
		struct network_conf conf = { .mtu = 1 };
		struct err err = { 0 };

		check(!network_conf_parse(span_of(row->file), "f", &conf, &err), "'%s': accepted",
		      row->file);
		check(strcmp(err.text, row->error) == 0, "'%s': %s", row->file, err.text);
		check(err.kind == ERR_GENERAL && conf.mtu == 1, "'%s'", row->file);
	}
}

static void has_limits(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	struct network_conf conf;
	struct err err = { 0 };

	(void)state;
	str_add(&text, "users =");
	for (int i = 0; i < NETWORK_USERS_MAX; i++)
		str_addf(&text, " u%d", i);
	must_parse(str_text(&text), &conf);
	network_conf_done(&conf);
	str_add(&text, " one-more");
	assert_false(network_conf_parse(str_span(&text), "f", &conf, &err));
	assert_true(span_ends_with(span_of(err.text), " has more than 64 users and groups"));
	str_clear(&text);
	while (text.len < NETWORK_CONF_MAX)
		str_add_char(&text, '\n');
	must_parse(str_text(&text), &conf);
	network_conf_done(&conf);
	str_add_char(&text, '\n');
	assert_false(network_conf_parse(str_span(&text), "f", &conf, &err));
	assert_string_equal(err.text, "f: more than 65536 bytes");
}

static void takes_no_nul(void **state)
{
	static const char file[] = "allow-bridged = a\0b";
	struct network_conf conf;
	struct err err = { 0 };

	(void)state;
	assert_false(network_conf_parse(span_make(file, sizeof(file) - 1), "f", &conf, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_is_all_defaults),
		cmocka_unit_test(subnets),
		cmocka_unit_test(a_file_with_every_key),
		cmocka_unit_test(refuses),
		cmocka_unit_test(has_limits),
		cmocka_unit_test(takes_no_nul),
	};

	return unit_main(tests);
}
