/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device nodes of VMs' networks, opened: by the process that calls, with the rights that it has. The keeper has an opener
 * (opener.h) call.
 */
#ifndef TART_NETD_DEVICES_H
#define TART_NETD_DEVICES_H

#include "base/err.h"
#include "proto/netd.h"

enum device_kind {
	DEVICE_TUN,     /* /dev/net/tun: what a TAP is made with */
	DEVICE_VHOST,   /* /dev/vhost-net */
	DEVICE_MACVTAP, /* /dev/tapN of a macvtap interface */
};

struct device {
	uint32_t kind;          /* enum device_kind */
	int32_t ifindex;        /* MACVTAP */
	char tap[NETD_IF_SIZE]; /* MACVTAP: the interface's name, one of ours */
};

/* Nothing but these three, whatever the request says: it may come from a process that does not obey us any more. */
bool device_open(const struct device *device, int *ret_fd, struct err *err);

#endif
