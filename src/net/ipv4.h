/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 addresses and networks as numbers in host byte order: parsing, printing, arithmetic. Pure. */
#ifndef TART_NET_IPV4_H
#define TART_NET_IPV4_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define IPV4_TEXT_SIZE 16 /* "255.255.255.255" and NUL */
#define CIDR_TEXT_SIZE 19 /* "255.255.255.255/32" and NUL */

/* 192.168.64.1 is 0xc0a84001, on every machine. 0 = none, where a field may be without. */
typedef uint32_t ipv4;

struct cidr {
	ipv4 network;   /* host bits are zero */
	uint8_t prefix; /* 0 to 32 */
};

/* Four decimal numbers of at most three digits, without leading zeros; nothing around them. */
bool ipv4_parse(struct span text, ipv4 *ret);
void ipv4_print(ipv4 address, char ret[IPV4_TEXT_SIZE]);

/* "A.B.C.D/P" or "A.B.C.D" (a /32). Host bits are masked off. */
bool cidr_parse(struct span text, struct cidr *ret);
void cidr_print(const struct cidr *cidr, char ret[CIDR_TEXT_SIZE]);

/* "255.255.255.0" to 24; false when the bits are not contiguous. */
bool netmask_parse(struct span text, uint8_t *ret_prefix);
ipv4 netmask_of(uint8_t prefix);

ipv4 cidr_last(const struct cidr *cidr); /* the broadcast address, for a subnet */
bool cidr_has(const struct cidr *cidr, ipv4 address);
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);

#endif
