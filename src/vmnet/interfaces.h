/* SPDX-License-Identifier: Apache-2.0 */
/* The host's network interfaces that a VM may be bridged to, as `tart-netd --candidates` tells them. */
#ifndef TART_VMNET_INTERFACES_H
#define TART_VMNET_INTERFACES_H

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "net/ifname.h"

#define INTERFACES_TEXT_MAX ((size_t)1 << 20)

struct host_interface {
	char name[IFNAME_SIZE];
	char kind[16]; /* "bridge", "device" */
};
typedef VEC(struct host_interface) host_interfaces; /* plain: vec_done() frees it */

bool interfaces_list(host_interfaces *ret, struct err *err);

/* ERR_USAGE naming those that there are. */
bool interfaces_check(const host_interfaces *all, const char *name, struct err *err);

/* One "name kind" a line. Pure. ERR_GENERAL for anything else. */
bool interfaces_parse(struct span text, host_interfaces *ret, struct err *err);

#endif
