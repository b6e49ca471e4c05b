/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 addresses and networks. */
#include "net/ipv4.h"

#include <stdio.h>

#include "base/number.h"

/* inet_aton() and friends take "010" for eight and "1" for 0.0.0.1; nobody who writes a policy means that. */
static bool parse_short_number(struct span text, size_t max_digits, uint64_t max, uint32_t *ret)
{
	uint64_t value;

	if (text.len > max_digits || (text.len > 1 && text.ptr[0] == '0'))
		return false;
	if (!number_parse_u64(text, max, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool ipv4_parse(struct span text, ipv4 *ret)
{
	struct span part;
	uint32_t octet;
	ipv4 address = 0;
	size_t n = 0;

	while (span_next(&text, '.', &part)) {
		if (n == 4 || !parse_short_number(part, 3, 255, &octet))
			return false;
		address = address << 8 | octet;
		n++;
	}
	if (n != 4)
		return false;
	*ret = address;
	return true;
}

void ipv4_print(ipv4 address, char ret[IPV4_TEXT_SIZE])
{
	(void)snprintf(ret, IPV4_TEXT_SIZE, "%u.%u.%u.%u", address >> 24, address >> 16 & 0xff,
		       address >> 8 & 0xff, address & 0xff);
}

bool cidr_parse(struct span text, struct cidr *ret)
{
	size_t slash = span_find(text, '/');
	uint32_t prefix = 32;
	ipv4 address;

	if (!ipv4_parse(span_first(text, slash), &address))
		return false;
	if (slash < text.len && !parse_short_number(span_from(text, slash + 1), 2, 32, &prefix))
		return false;
	*ret = (struct cidr){ .network = address & netmask_of((uint8_t)prefix),
			      .prefix = (uint8_t)prefix };
	return true;
}

void cidr_print(const struct cidr *cidr, char ret[CIDR_TEXT_SIZE])
{
	char address[IPV4_TEXT_SIZE];

	ipv4_print(cidr->network, address);
	(void)snprintf(ret, CIDR_TEXT_SIZE, "%s/%u", address, cidr->prefix & 0x3fU);
}

bool netmask_parse(struct span text, uint8_t *ret_prefix)
{
	uint8_t prefix = 0;
	ipv4 mask;

	if (!ipv4_parse(text, &mask))
		return false;
	while (prefix < 32 && netmask_of(prefix) != mask)
		prefix++;
	if (netmask_of(prefix) != mask)
		return false;
	*ret_prefix = prefix;
	return true;
}

ipv4 netmask_of(uint8_t prefix)
{
	/* Shifting 32 bits by 32 is undefined. */
	return prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);
}

ipv4 cidr_last(const struct cidr *cidr)
{
	return cidr->network | ~netmask_of(cidr->prefix);
}

bool cidr_has(const struct cidr *cidr, ipv4 address)
{
	return (address & netmask_of(cidr->prefix)) == cidr->network;
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
	return cidr_has(a, b->network) || cidr_has(b, a->network);
}
