/* SPDX-License-Identifier: Apache-2.0 */
/* One line of network.conf and the order of its keys: for the files that read, print and change it. */
#ifndef TART_NET_NETWORK_CONF_LINES_H
#define TART_NET_NETWORK_CONF_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* Indexes of network_keys. */
enum {
	KEY_SUBNET,
	KEY_NETMASK,
	KEY_LEASE_TIME,
	KEY_ISOLATE_VMS,
	KEY_DNS,
	KEY_MTU,
	KEY_ALLOW_BRIDGED,
	KEY_EXPOSE_PORTS,
	KEY_USERS,
	N_KEYS
};

/* The key with this name, or N_KEYS. */
size_t network_key_find(struct span name);

struct conf_line {
	struct span key; /* empty: a line without a setting */
	struct span
		value; /* trimmed; always points into the line, so that it can be replaced there */
	struct span comment; /* from its '#' on; empty without one */
};

/* False when there is something other than "key = value" before the comment. */
bool conf_line_read(struct span line, struct conf_line *ret);

#endif
