/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading network.conf: first its lines, then the values of its keys. A function for a value returns what is wrong with it,
 * to be read after the quoted value, or NULL.
 */
#include "base/attrs.h"
#include "base/number.h"
#include "net/network_conf.h"
#include "net/network_conf_lines.h"
#include "net/port.h"

#define PREFIX_MIN 16
#define PREFIX_MAX 29
#define LEASE_MIN  120
#define MTU_MIN    576
#define MTU_MAX    9000

struct setting {
	struct span value;
	size_t line; /* 0 = not in the file */
};

struct settings {
	const char *path;
	struct setting of[N_KEYS];
};

static bool is_prefix(uint8_t prefix)
{
	return prefix >= PREFIX_MIN && prefix <= PREFIX_MAX;
}

static const char *parse_netmask(struct span value, struct network_conf *conf)
{
	uint8_t prefix;

	if (!netmask_parse(value, &prefix))
		return "is not a netmask, as 255.255.255.0 is one";
	if (!is_prefix(prefix))
		return "is not between 255.255.0.0 (/16) and 255.255.255.248 (/29)";
	conf->auto_prefix = prefix;
	return NULL;
}

/* RFC 1918, and RFC 6598 for hosts whose sites use up all of it. */
static bool is_private(const struct cidr *subnet)
{
	static const struct cidr nets[] = {
		{ 0x0a000000, 8 },  /* 10.0.0.0 */
		{ 0xac100000, 12 }, /* 172.16.0.0 */
		{ 0xc0a80000, 16 }, /* 192.168.0.0 */
		{ 0x64400000, 10 }, /* 100.64.0.0 */
	};

	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		if (subnet->prefix >= nets[i].prefix && cidr_has(&nets[i], subnet->network))
			return true;
	}
	return false;
}

/* After the netmask, which counts where the subnet says no prefix. */
static const char *parse_subnet(struct span value, struct network_conf *conf)
{
	struct span address = span_first(value, span_find(value, '/'));
	struct cidr subnet;
	ipv4 gateway;

	conf->subnet_auto = span_is(value, "auto");
	if (conf->subnet_auto)
		return NULL;
	if (!cidr_parse(value, &subnet) || !ipv4_parse(address, &gateway))
		return "is neither auto nor of the form A.B.C.D/P or A.B.C.D";
	if (address.len == value.len)
		subnet.prefix = conf->auto_prefix;
	if (!is_prefix(subnet.prefix))
		return "has a prefix outside 16 to 29";
	subnet.network = gateway & netmask_of(subnet.prefix);
	if (!is_private(&subnet))
		return "is in none of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and 100.64.0.0/10";
	if (gateway == cidr_last(&subnet))
		return "is the broadcast address of its network: the gateway needs another";
	conf->subnet = subnet;
	conf->gateway = gateway == subnet.network ? gateway + 1 : gateway;
	return NULL;
}

static const char *parse_lease_time(struct span value, struct network_conf *conf)
{
	uint64_t seconds;

	if (!number_parse_u64(value, INT32_MAX, &seconds) || seconds < LEASE_MIN)
		return "is not a number of seconds from 120 to 2147483647";
	conf->lease_time_s = (uint32_t)seconds;
	return NULL;
}

static const char *parse_isolate_vms(struct span value, struct network_conf *conf)
{
	if (!span_is(value, "yes") && !span_is(value, "no"))
		return "is neither yes nor no";
	conf->isolate_vms = span_is(value, "yes");
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span skip_blanks(struct span text)
{
	while (text.len > 0 && is_blank(text.ptr[0]))
		text = span_from(text, 1);
	return text;
}

/* Items stand between commas, blanks or both; false at the end. "a,,b" has an empty item: a name that was forgotten. */
static bool next_item(struct span *rest, struct span *ret)
{
	struct span text = skip_blanks(*rest);
	size_t n = 0;

	if (text.len == 0)
		return false;
	while (n < text.len && text.ptr[n] != ',' && !is_blank(text.ptr[n]))
		n++;
	*ret = span_first(text, n);
	text = skip_blanks(span_from(text, n));
	*rest = text.len > 0 && text.ptr[0] == ',' ? span_from(text, 1) : text;
	return true;
}

static bool is_dns_server(ipv4 address)
{
	uint32_t first = address >> 24;

	return first != 0 && first != 127 && first < 224;
}

static const char *parse_dns(struct span value, struct network_conf *conf)
{
	struct span item;
	size_t n = 0;

	conf->dns_is_gateway = span_is(value, "gateway");
	if (conf->dns_is_gateway)
		return NULL;
	while (next_item(&value, &item)) {
		if (n == NETWORK_DNS_MAX)
			return "has more than 3 addresses";
		if (!ipv4_parse(item, &conf->dns[n]))
			return "is neither gateway nor a list of IPv4 addresses";
		if (!is_dns_server(conf->dns[n]))
			return "has an address that guests cannot reach";
		n++;
	}
	return n > 0 ? NULL : "is neither gateway nor a list of IPv4 addresses";
}

static const char *parse_mtu(struct span value, struct network_conf *conf)
{
	uint64_t mtu;

	if (!number_parse_u64(value, MTU_MAX, &mtu) || mtu < MTU_MIN)
		return "is not a number from 576 to 9000";
	conf->mtu = (uint16_t)mtu;
	return NULL;
}

static const char *parse_allow_bridged(struct span value, struct network_conf *conf)
{
	struct span item;

	while (next_item(&value, &item)) {
		if (!ifname_is_valid(item))
			return "has an item that is no name of an interface";
		memcpy(vec_push(&conf->allow_bridged)->text, item.ptr, item.len);
	}
	return NULL;
}

static bool parse_range(struct span text, struct port_range *ret)
{
	size_t dash = span_find(text, '-');

	if (!port_parse(span_first(text, dash), &ret->first))
		return false;
	ret->last = ret->first;
	return dash == text.len ||
	       (port_parse(span_from(text, dash + 1), &ret->last) && ret->last >= ret->first);
}

/* Empty closes all of them. */
static const char *parse_expose_ports(struct span value, struct network_conf *conf)
{
	struct port_range range;
	struct span item;

	conf->expose_ports.n = 0;
	while (next_item(&value, &item)) {
		if (!parse_range(item, &range))
			return "has an item that is neither a port nor a range (1 to 65535)";
		*vec_push(&conf->expose_ports) = range;
	}
	return NULL;
}

static bool is_user(struct span text)
{
	struct network_user room;
	bool group = text.len > 0 && text.ptr[0] == '@';

	if (text.len >= sizeof(room.text) || text.len <= (group ? 1 : 0))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c <= ' ' || c >= 0x7f)
			return false;
	}
	return true;
}

static const char *parse_users(struct span value, struct network_conf *conf)
{
	struct span item;

	while (next_item(&value, &item)) {
		if (!is_user(item))
			return "has an item that is no name of a user, nor @ and that of a group";
		if (conf->users.n == NETWORK_USERS_MAX)
			return "has more than 64 users and groups";
		memcpy(vec_push(&conf->users)->text, item.ptr, item.len);
	}
	return conf->users.n > 0 ? NULL : "names nobody";
}

/* In an order in which each finds what it depends on. */
static const struct value_parser {
	size_t key;
	const char *(*parse)(struct span value, struct network_conf *conf);
} value_parsers[] = {
	{ KEY_NETMASK, parse_netmask },
	{ KEY_SUBNET, parse_subnet },
	{ KEY_LEASE_TIME, parse_lease_time },
	{ KEY_ISOLATE_VMS, parse_isolate_vms },
	{ KEY_DNS, parse_dns },
	{ KEY_MTU, parse_mtu },
	{ KEY_ALLOW_BRIDGED, parse_allow_bridged },
	{ KEY_EXPOSE_PORTS, parse_expose_ports },
	{ KEY_USERS, parse_users },
};

static bool fail(const struct settings *settings, size_t key, const char *reason, struct err *err)
{
	const struct setting *setting = &settings->of[key];

	return err_set(err, ERR_GENERAL, "%s:%zu: %s: '%.*s' %s", settings->path, setting->line,
		       network_keys[key].name, SPAN_ARG(setting->value), reason);
}

/* A subnet with a prefix and another netmask: one of them is not what its writer believes. */
static bool check_netmask(const struct settings *settings, const struct network_conf *conf,
			  struct err *err)
{
	if (settings->of[KEY_NETMASK].line == 0 || conf->subnet_auto ||
	    conf->auto_prefix == conf->subnet.prefix)
		return true;
	return fail(settings, KEY_NETMASK,
		    "is not the prefix that subnet says: leave out one of them", err);
}

static bool parse_values(const struct settings *settings, struct network_conf *conf,
			 struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(value_parsers); i++) {
		const struct value_parser *parser = &value_parsers[i];
		const struct setting *setting = &settings->of[parser->key];
		const char *reason = setting->line > 0 ? parser->parse(setting->value, conf) : NULL;

		if (reason)
			return fail(settings, parser->key, reason, err);
	}
	return check_netmask(settings, conf, err);
}

static bool read_line(struct span text, size_t line, struct settings *settings, struct err *err)
{
	struct conf_line read;
	size_t key;

	if (!conf_line_read(text, &read))
		return err_set(err, ERR_GENERAL, "%s:%zu: '%.*s' is not of the form key = value",
			       settings->path, line, SPAN_ARG(text));
	if (read.key.len == 0)
		return true;
	key = network_key_find(read.key);
	if (key == N_KEYS)
		return err_set(err, ERR_GENERAL, "%s:%zu: there is no key '%.*s'", settings->path,
			       line, SPAN_ARG(read.key));
	if (settings->of[key].line > 0)
		return err_set(err, ERR_GENERAL,
			       "%s:%zu: %s: '%.*s' comes after line %zu has set it", settings->path,
			       line, network_keys[key].name, SPAN_ARG(read.value),
			       settings->of[key].line);
	settings->of[key] = (struct setting){ .value = read.value, .line = line };
	return true;
}

bool network_conf_parse(struct span text, const char *path, struct network_conf *ret,
			struct err *err)
{
	struct settings settings = { .path = path };
	struct network_conf conf;
	struct span rest = text;
	struct span line;

	if (text.len > NETWORK_CONF_MAX)
		return err_set(err, ERR_GENERAL, "%s: more than %d bytes", path, NETWORK_CONF_MAX);
	for (size_t n = 1; span_next(&rest, '\n', &line); n++) {
		if (!read_line(line, n, &settings, err))
			return false;
	}
	network_conf_init(&conf);
	if (!parse_values(&settings, &conf, err)) {
		network_conf_done(&conf);
		return false;
	}
	*ret = conf;
	return true;
}
