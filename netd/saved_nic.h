/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A NIC as text: what the next keeper needs to know about a running VM when this one has died. One JSON object, in
 * vms/<tap>.json (netd/state.h). Pure. What is read is held to the same rules as a request of a hostile caller.
 */
#ifndef TART_NETD_SAVED_NIC_H
#define TART_NETD_SAVED_NIC_H

#include "base/str.h"
#include "netd/nic.h"

#define SAVED_NIC_MAX 131072 /* bytes: two full lists and ports */

void saved_nic_print(const struct nic *nic, struct str *out);

/* `ret` needs no initialising and owns what it holds on success; `peer` is left false: it follows from the configuration.
 * An error that names the member. */
bool saved_nic_parse(struct span text, struct nic *ret, struct err *err);

#endif
