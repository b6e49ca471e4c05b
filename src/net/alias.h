/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loopback address that stands for a guest whose own address is in a namespace the host has no route to. Pure.
 * Source: network.md 8. 192.168.64.11 becomes 127.64.64.11; when somebody else listens there, 127.65.64.11 and so on.
 */
#ifndef TART_NET_ALIAS_H
#define TART_NET_ALIAS_H

#include <stdint.h>

#include "net/ipv4.h"

#define ALIAS_ATTEMPTS 32 /* second octets 64 to 95 */

/* `attempt` is below ALIAS_ATTEMPTS. */
ipv4 alias_of(ipv4 guest, unsigned int attempt);

/* Ports that are listened on for every guest; ended by 0. */
extern const uint16_t alias_ports[];

/* Where a port of the guest is found on the alias: the port itself, or 20000 above it when only root may listen on it.
 * `unprivileged_start` is net.ipv4.ip_unprivileged_port_start. */
uint16_t alias_port(uint16_t port, uint32_t unprivileged_start);

#endif
