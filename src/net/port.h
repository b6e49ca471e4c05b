/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP or UDP port as text: 1 to 65535. */
#ifndef TART_NET_PORT_H
#define TART_NET_PORT_H

#include "base/number.h"

static inline bool port_parse(struct span text, uint16_t *ret)
{
	uint64_t port;

	if (!number_parse_u64(text, UINT16_MAX, &port) || port == 0)
		return false;
	*ret = (uint16_t)port;
	return true;
}

#endif
