/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of `tart network` share. */
#ifndef TART_CMD_NETWORK_H
#define TART_CMD_NETWORK_H

#include "cmd/command.h"
#include "proto/netd.h"
#include "vmnet/conf_file.h"
#include "vmnet/keeper.h"

extern const struct command cmd_network;

/* Which ways to the network to try: TART_NETWORK_BACKEND. */
bool network_wish(enum keeper_wish *ret, struct err *err);

/* The running VM's NICs and their keeper: nics_of_vm(). */
bool network_nics(const struct tart *tart, const char *vm, struct keeper *ret_keeper,
		  struct netd_list *ret, struct err *err);

/* ERR_USAGE naming the keys when `key` is none of network.conf. */
bool network_check_key(const char *key, struct err *err);

/* conf_file_change(), with what there is to say about it on stderr. */
bool network_change(const struct tart *tart, const struct conf_file *file, const char *key,
		    const char *value, struct err *err);

const char *network_mode_text(enum netd_mode mode); /* "nat", "softnet", "host", "bridged" */

#endif
