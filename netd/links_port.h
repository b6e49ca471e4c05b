/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's table of TCP connections as text. Pure. */
#ifndef TART_NETD_LINKS_PORT_H
#define TART_NETD_LINKS_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Whether a listening socket of /proc/net/tcp or tcp6 has that port. */
bool port_is_in_table(struct span text, uint16_t port);

#endif
