/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the keeper and its children give up what they do not need, in named stages. isolate.c explains each at its top;
 * docs/ARCHITECTURE.md has the table of who holds which capability and why.
 */
#ifndef TART_NETD_ISOLATE_H
#define TART_NETD_ISOLATE_H

#include <sys/types.h>

#include "base/err.h"

/* 1, first thing in main: no inherited descriptors but 0 to 2 and listen_fds, umask, no core, and as many
 * descriptors as the hard limit allows. */
bool isolate_start(int n_listen_fds, struct err *err);

/* The rest of it, as soon as nothing is executed any more that has to gain privileges: at once, but for pasta. */
bool isolate_from_gains(struct err *err);

enum isolate_role {
	ISOLATE_KEEPER,     /* NET_ADMIN, NET_RAW */
	ISOLATE_OWN_KEEPER, /* the same, with a folder of its user: --dir */
	ISOLATE_STARTER,    /* SETUID, SETGID, NET_BIND_SERVICE, to give away; KILL, to take back */
	ISOLATE_DHCP,       /* nothing */
	ISOLATE_DNS,        /* NET_BIND_SERVICE; dnsmasq, before it is executed */
	ISOLATE_FORWARDER,  /* nothing; rootless */
	ISOLATE_OPENER,     /* MKNOD */
	ISOLATE_ROLES,
};

/*
 * 2, when it is known what the process will be: user, capabilities, bounding set, securebits locked. The user is
 *
 *	KEEPER		tart-netd where that user exists and we may (CAP_SETUID)
 *	OWN_KEEPER	who it is
 *	DHCP		nobody
 *	DNS		tart-netd, else nobody
 *	OPENER		root
 *
 * and for others, and where a process cannot become somebody else (a user namespace with one user), who it is already. That
 * is no error; having less than the role's capabilities is one for KEEPER.
 */
bool isolate_identity(enum isolate_role role, struct err *err);

/* Below it, everything may be read; written, created and deleted only where that is said. What is not there is left out. */
struct isolate_path {
	const char *path; /* NULL ends the array */
	bool writable;
};

/*
 * 3, before the loop: the system calls that the role needs, and no others: any other ends the process (SIGSYS) and is logged
 * by the kernel; for STARTER and DNS it fails with ENOSYS, as they run dnsmasq of any version. Also the file system below
 * `keep` only (NULL: nothing of it), where the kernel has Landlock. Signals, but for the starter's: none.
 */
bool isolate_calls(enum isolate_role role, const struct isolate_path *keep, struct err *err);

#endif
