/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the keeper and its children give up what they do not need, in named stages. isolate.c explains each at its top;
 * docs/ARCHITECTURE.md has the table of who holds which capability and why.
 */
#ifndef TART_NETD_ISOLATE_H
#define TART_NETD_ISOLATE_H

#include <sys/types.h>

#include "base/err.h"

/* 1, first thing in main: no inherited descriptors but 0 to 2 and listen_fds, umask, no core, no_new_privs. */
bool isolate_start(int n_listen_fds, struct err *err);

enum isolate_role {
	ISOLATE_KEEPER,    /* NET_ADMIN, NET_RAW */
	ISOLATE_STARTER,   /* SETUID, SETGID, NET_BIND_SERVICE, to give away */
	ISOLATE_DHCP,      /* nothing */
	ISOLATE_FORWARDER, /* nothing; rootless */
};

/* 2, when it is known what the process will be: user (tart-netd where that user exists and we are root), capabilities,
 * bounding set, securebits locked. */
bool isolate_identity(enum isolate_role role, struct err *err);

/* 3, before the loop: the system calls that the role needs, and no others: any other ends the process (SIGSYS), and is
 * logged by the kernel. Also the file system below `keep` only, where the kernel has Landlock (keep is NULL-terminated). */
bool isolate_calls(enum isolate_role role, const char *const *keep, struct err *err);

#endif
