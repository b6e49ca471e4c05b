/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet addresses: parsing, printing, making random ones. cli.md 3.6. */
#ifndef TART_NET_MAC_H
#define TART_NET_MAC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define MAC_TEXT_SIZE 18 /* "xx:xx:xx:xx:xx:xx" and NUL */

struct mac {
	uint8_t octets[6];
};

/* Six groups of one or two hex digits of any case between colons; nothing else. */
bool mac_parse(struct span text, struct mac *ret);
void mac_print(const struct mac *mac, char ret[MAC_TEXT_SIZE]); /* lower case, two digits */
void mac_random(struct mac *ret);                               /* unicast, locally administered */
bool mac_equal(const struct mac *a, const struct mac *b);
bool mac_is(const struct mac *mac, struct span text); /* a text that means it */

#endif
