/* SPDX-License-Identifier: Apache-2.0 */
/* What may be the name of a network interface. Pure. */
#ifndef TART_NET_IFNAME_H
#define TART_NET_IFNAME_H

#include "base/span.h"

#define IFNAME_SIZE 16 /* with the NUL, as in the kernel */

/*
 * The kernel's own rule (1 to 15 bytes, none of them '/', ':' or white space, not "." or ".."), and printable ASCII only, without
 * '"', '#', ',', '\\' and '%': such a name can stand in a list, a path of /proc, a ruleset and a terminal as it is.
 */
bool ifname_is_valid(struct span text);

#endif
