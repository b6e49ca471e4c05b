/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and ports of the loopback interface that stand for those of a guest. */
#include "net/alias.h"

#define FIRST_NETWORK 0x7f400000u /* 127.64.0.0 */
#define MOVED_BY      20000u

const uint16_t alias_ports[] = { 22, 80, 443, 3389, 5900, 8080, 0 };

ipv4 alias_of(ipv4 guest, unsigned int attempt)
{
	return FIRST_NETWORK + ((ipv4)attempt << 16) + (guest & 0xffff);
}

uint16_t alias_port(uint16_t port, uint32_t unprivileged_start)
{
	uint32_t moved = port + MOVED_BY;

	return port >= unprivileged_start || moved > UINT16_MAX ? port : (uint16_t)moved;
}
