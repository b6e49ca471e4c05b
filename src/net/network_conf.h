/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network.conf: the network of all VMs of a host (/etc/tart/network.conf) or of a user ($TART_HOME/network.conf).
 * Pure. Source: network.md 3. Lines are `key = value`; `#` starts a comment; an unknown key is an error.
 *
 * `subnet` and `netmask`: netmask applies when subnet has no prefix; both with different prefixes is an error. Items of lists
 * stand between commas or blanks.
 */
#ifndef TART_NET_NETWORK_CONF_H
#define TART_NET_NETWORK_CONF_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "net/ifname.h"
#include "net/ipv4.h"

#define NETWORK_CONF_MAX  65536 /* bytes of the file */
#define NETWORK_DNS_MAX   3
#define NETWORK_USERS_MAX 64

struct port_range {
	uint16_t first, last; /* both included */
};

struct network_name {
	char text[IFNAME_SIZE];
};

struct network_user {
	char text[33]; /* a user's name, or "@group" */
};

struct network_conf {
	bool subnet_auto;
	struct cidr subnet;    /* unless auto; prefix 16 to 29 */
	ipv4 gateway;          /* unless auto; a host address of subnet */
	uint8_t auto_prefix;   /* of `netmask`, for auto; 24 */
	uint32_t lease_time_s; /* 120 to INT32_MAX */
	bool isolate_vms;
	bool dns_is_gateway;
	ipv4 dns[NETWORK_DNS_MAX]; /* otherwise; ended by 0 or the array's end */
	uint16_t mtu;              /* 576 to 9000 */
	VEC(struct network_name) allow_bridged;
	VEC(struct port_range) expose_ports; /* empty: none */
	VEC(struct network_user) users;      /* empty: group "tart" */
};

void network_conf_init(struct network_conf *conf); /* every key's default */
void network_conf_done(struct network_conf *conf);

/*
 * `path` is for messages: "<path>:<line>: <key>: '<value>' <reason>". ERR_GENERAL. *ret needs no initialising and owns what
 * it holds.
 */
bool network_conf_parse(struct span text, const char *path, struct network_conf *ret,
			struct err *err);

/* The keys, in network.md's order, for help, completion and `show`; NULL-terminated. */
struct network_key {
	const char *name;
	const char *fallback; /* default, as written in the file */
	const char *rule;     /* "A.B.C.D/P or an address; P 16 to 29" */
};
extern const struct network_key network_keys[];

/* Appends a key's value as the file would say it: "192.168.77.1/24". `key` is one of network_keys. */
void network_conf_print(const struct network_conf *conf, const char *key, struct str *out);

/*
 * Appends the file's text with one key set (value NULL: reset), everything else kept as it was, comments and order too.
 * The result is parsed, so that a value is refused for the reason the parser gives. ERR_USAGE for an unknown key.
 */
bool network_conf_edit(struct span text, const char *path, const char *key, const char *value,
		       struct str *ret, struct err *err);

bool port_ranges_have(const struct port_range *ranges, size_t n, uint16_t port);

#endif
