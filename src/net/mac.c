/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet addresses. */
#include "net/mac.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				      -1;
}

static bool parse_octet(struct span text, uint8_t *ret)
{
	int value = 0;

	if (text.len < 1 || text.len > 2)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int digit = hex_digit(text.ptr[i]);

		if (digit < 0)
			return false;
		value = value * 16 + digit;
	}
	*ret = (uint8_t)value;
	return true;
}

bool mac_parse(struct span text, struct mac *ret)
{
	struct mac mac = { 0 };
	struct span octet;
	size_t n = 0;

	while (span_next(&text, ':', &octet)) {
		if (n == sizeof(mac.octets) || !parse_octet(octet, &mac.octets[n]))
			return false;
		n++;
	}
	if (n != sizeof(mac.octets))
		return false;
	*ret = mac;
	return true;
}

void mac_print(const struct mac *mac, char ret[MAC_TEXT_SIZE])
{
	const uint8_t *o = mac->octets;

	(void)snprintf(ret, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", o[0], o[1], o[2], o[3],
		       o[4], o[5]);
}

void mac_random(struct mac *ret)
{
	random_bytes(ret->octets, sizeof(ret->octets));
	ret->octets[0] = (uint8_t)((ret->octets[0] & ~0x01) | 0x02);
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

bool mac_is(const struct mac *mac, struct span text)
{
	struct mac parsed;

	return mac_parse(text, &parsed) && mac_equal(mac, &parsed);
}
