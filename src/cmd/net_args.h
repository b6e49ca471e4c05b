/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `tart run` that concern the network: what they say together. cli.md 2.3, network.md 2. */
#ifndef TART_CMD_NET_ARGS_H
#define TART_CMD_NET_ARGS_H

#include "base/err.h"
#include "cmd/options.h"
#include "machine/run_network.h"

struct net_args {
	struct text_list bridged;
	bool softnet;
	const char *allow, *block, *expose; /* each implies softnet */
	bool host;
};

/* At most one of the modes. ERR_USAGE. */
bool net_args_check_mode(const struct net_args *args, struct err *err);

/* `--net-bridged list`, instead of running anything. */
bool net_args_ask_for_list(const struct net_args *args);

/* Reads the lists into *ret, whose `keeper` stays as it is. ERR_USAGE; what was read is the caller's in any case. */
bool net_args_read(const struct net_args *args, struct network_wish *ret, struct err *err);

/* Whether this host has the interfaces. ERR_USAGE when not. */
bool net_args_check_interfaces(const struct net_args *args, struct err *err);

/* What `--net-bridged list` prints. */
bool net_args_print_list(struct err *err);

#endif
