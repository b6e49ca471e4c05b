/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which MAC address has, had, or gets which IP address. A VM keeps its last one while nobody else needs it; what was freed
 * last is given away last. Kept in STATE_DIR/addresses over reboots; pure but for load and store. network.md 2.3, 4.
 *
 * Nobody starves: the last quarter of the pool goes only to users who hold less than the pool divided by the number of
 * users with running VMs, the asking one included. Root may take all.
 */
#ifndef TART_NETD_ADDRESSES_H
#define TART_NETD_ADDRESSES_H

#include "base/err.h"
#include "netd/nic.h"

struct addresses;

/* All of the subnet but network, broadcast and gateway. */
struct addresses *addresses_new(const struct subnet *subnet);
void addresses_free(struct addresses *addresses);
size_t addresses_total(const struct addresses *addresses);
size_t addresses_in_use(const struct addresses *addresses);

enum addresses_result { ADDRESSES_DONE, ADDRESSES_EXHAUSTED, ADDRESSES_UNFAIR };
enum addresses_result addresses_take(struct addresses *addresses, const struct mac *mac,
				     uint32_t uid, int64_t now_s, ipv4 *ret);
/* Adoption: this address, which the kernel already has a route for. False if somebody else has it. */
bool addresses_take_this(struct addresses *addresses, const struct mac *mac, uint32_t uid,
			 int64_t now_s, ipv4 address);
void addresses_release(struct addresses *addresses, ipv4 address, int64_t now_s);

/* The file: "MAC ADDRESS LAST-USED\n" for each. What is malformed or outside the subnet is dropped. Written aside and renamed. */
#define ADDRESSES_FILE "addresses"
bool addresses_parse(struct span text, struct addresses *addresses);
void addresses_print(const struct addresses *addresses, struct str *out);
bool addresses_load(struct addresses *addresses, int state_dirfd, struct err *err);
bool addresses_store(const struct addresses *addresses, int state_dirfd, struct err *err);

#endif
