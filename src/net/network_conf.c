/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of network.conf: their keys, defaults, and values as text. */
#include "net/network_conf.h"

#include <assert.h>

#include "net/network_conf_lines.h"

#define DEFAULT_PREFIX 24
#define DEFAULT_LEASE  86400
#define DEFAULT_MTU    1500

const struct network_key network_keys[N_KEYS + 1] = {
	[KEY_SUBNET] = { "subnet", "auto",
			 "auto, A.B.C.D/P or A.B.C.D; P 16 to 29; private addresses" },
	[KEY_NETMASK] = { "netmask", "255.255.255.0", "of a subnet without /P; /16 to /29" },
	[KEY_LEASE_TIME] = { "lease-time", "86400", "120 to 2147483647 seconds" },
	[KEY_ISOLATE_VMS] = { "isolate-vms", "yes", "yes or no" },
	[KEY_DNS] = { "dns", "gateway", "gateway, or up to 3 IPv4 addresses" },
	[KEY_MTU] = { "mtu", "1500", "576 to 9000" },
	[KEY_ALLOW_BRIDGED] = { "allow-bridged", "", "names of interfaces" },
	[KEY_EXPOSE_PORTS] = { "expose-ports", "1024-65535", "TCP ports and ranges of them" },
	[KEY_USERS] = { "users", "@tart", "names of users, and of groups as @group" },
};

void network_conf_init(struct network_conf *conf)
{
	*conf = (struct network_conf){
		.subnet_auto = true,
		.auto_prefix = DEFAULT_PREFIX,
		.lease_time_s = DEFAULT_LEASE,
		.isolate_vms = true,
		.dns_is_gateway = true,
		.mtu = DEFAULT_MTU,
	};
	*vec_push(&conf->expose_ports) = (struct port_range){ 1024, 65535 };
}

void network_conf_done(struct network_conf *conf)
{
	if (!conf)
		return;
	vec_done(&conf->allow_bridged);
	vec_done(&conf->expose_ports);
	vec_done(&conf->users);
}

static void add_address(ipv4 address, struct str *out)
{
	char text[IPV4_TEXT_SIZE];

	ipv4_print(address, text);
	str_add(out, text);
}

static void print_subnet(const struct network_conf *conf, struct str *out)
{
	if (conf->subnet_auto) {
		str_add(out, "auto");
		return;
	}
	add_address(conf->gateway, out);
	str_addf(out, "/%u", conf->subnet.prefix);
}

static void print_dns(const struct network_conf *conf, struct str *out)
{
	if (conf->dns_is_gateway)
		str_add(out, "gateway");
	for (size_t i = 0; !conf->dns_is_gateway && i < NETWORK_DNS_MAX && conf->dns[i]; i++) {
		str_add(out, i > 0 ? "," : "");
		add_address(conf->dns[i], out);
	}
}

static void print_allow_bridged(const struct network_conf *conf, struct str *out)
{
	vec_each(&conf->allow_bridged, name)
		str_addf(out, "%s%s", name == conf->allow_bridged.v ? "" : ",", name->text);
}

static void print_expose_ports(const struct network_conf *conf, struct str *out)
{
	vec_each(&conf->expose_ports, range) {
		str_addf(out, "%s%u", range == conf->expose_ports.v ? "" : ",", range->first);
		if (range->last != range->first)
			str_addf(out, "-%u", range->last);
	}
}

static void print_users(const struct network_conf *conf, struct str *out)
{
	if (conf->users.n == 0)
		str_add(out, network_keys[KEY_USERS].fallback);
	vec_each(&conf->users, user)
		str_addf(out, "%s%s", user == conf->users.v ? "" : ",", user->text);
}

void network_conf_print(const struct network_conf *conf, const char *key, struct str *out)
{
	switch (network_key_find(span_of(key))) {
	case KEY_SUBNET:
		print_subnet(conf, out);
		break;
	case KEY_NETMASK:
		add_address(netmask_of(conf->subnet_auto ? conf->auto_prefix : conf->subnet.prefix),
			    out);
		break;
	case KEY_LEASE_TIME:
		str_addf(out, "%u", conf->lease_time_s);
		break;
	case KEY_ISOLATE_VMS:
		str_add(out, conf->isolate_vms ? "yes" : "no");
		break;
	case KEY_DNS:
		print_dns(conf, out);
		break;
	case KEY_MTU:
		str_addf(out, "%u", conf->mtu);
		break;
	case KEY_ALLOW_BRIDGED:
		print_allow_bridged(conf, out);
		break;
	case KEY_EXPOSE_PORTS:
		print_expose_ports(conf, out);
		break;
	case KEY_USERS:
		print_users(conf, out);
		break;
	default:
		assert(!"a key of network_keys");
	}
}

bool port_ranges_have(const struct port_range *ranges, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++) {
		if (port >= ranges[i].first && port <= ranges[i].last)
			return true;
	}
	return false;
}
