/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the host that lead to ports of a guest, as users write them. Pure. Source: network.md 2.2, cli.md 2.3. */
#ifndef TART_NET_EXPOSE_H
#define TART_NET_EXPOSE_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

#define EXPOSE_MAX 256 /* entries of one list: what fits a request to the keeper */

struct expose {
	uint16_t external; /* TCP port of the host, 1 to 65535 */
	uint16_t internal; /* of the guest */
};
typedef VEC(struct expose) expose_list;

/*
 * Appends what a comma-separated list of "EXTERNAL:INTERNAL" says. `option` is for the message: "--net-softnet-expose".
 * ERR_USAGE quoting the item and the form; the same EXTERNAL twice is an error, and so are more than EXPOSE_MAX.
 */
bool expose_list_parse(struct span text, const char *option, expose_list *list, struct err *err);

/* What the user would have typed. */
void expose_list_print(const expose_list *list, struct str *out);

#endif
