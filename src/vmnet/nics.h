/* SPDX-License-Identifier: Apache-2.0 */
/* What the keepers of this user's networks know of a VM, or of all. */
#ifndef TART_VMNET_NICS_H
#define TART_VMNET_NICS_H

#include "vmnet/keeper.h"

/*
 * A running VM's NICs and the keeper that has them, asked for by the MAC address in its config.json. Errors: the VM is
 * missing, is not running, or has no NIC of a keeper (ERR_GENERAL, which says which keepers were asked).
 */
bool nics_of_vm(const struct home *home, enum keeper_wish wish, const char *vm,
		struct keeper *ret_keeper, struct netd_list *ret, struct err *err);

/* All of this user's NICs, of every keeper that can be reached; for root those of all users. No keeper, no NICs. */
bool nics_of_all(const struct home *home, enum keeper_wish wish, struct netd_list *ret,
		 struct err *err);

void nics_done(struct netd_list *list); /* fits CLEANUP() */

#endif
