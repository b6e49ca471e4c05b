/* SPDX-License-Identifier: Apache-2.0 */
/* The phrases that rules are made of, as text, and what the kernel has for them. Pure; rules_compile.h is about the rest. */
#ifndef TART_NETD_RULES_PHRASE_H
#define TART_NETD_RULES_PHRASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/str.h"

/* One rule's expressions as they grow, and what is known of a packet that has come so far. */
struct rules_rule {
	struct str *out;
	bool is_ethernet, is_ipv4;
	int protocol; /* of transport; 0 = not looked at */
};

/*
 * Takes one phrase off the front of *words, which are parted by one space each: a match or a statement. False when its
 * first words are no such.
 */
bool rules_put_phrase(struct rules_rule *rule, struct span *words);

/* "192.168.64.0/24", "192.0.0.0-192.0.0.8", "1.1.1.1": both ends. */
bool rules_parse_addresses(struct span text, uint32_t *ret_first, uint32_t *ret_last);

#endif
