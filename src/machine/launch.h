/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting QEMU: its memory, the sockets between it and us, its environment, the process.
 *
 * QEMU starts in "/" with the descriptors of its command line and nothing else: no terminal, few variables of the
 * environment (the user's may hold passwords), a process group of its own so that Ctrl-C reaches only us, and a
 * parent-death signal so that it never outlives us.
 */
#ifndef TART_MACHINE_LAUNCH_H
#define TART_MACHINE_LAUNCH_H

#include "base/child.h"
#include "machine/spec.h"

/* A QEMU that was started, and our ends of what connects us. */
struct launch {
	struct child child;
	int qmp_fd; /* none of these four blocks */
	int con_fd;
	int hvc_fd;
	int qga_fd;
	int output_fd; /* its stdout and stderr */
};

#define LAUNCH_INIT                                                                          \
	{                                                                                    \
		.child = CHILD_INIT, .qmp_fd = -1, .con_fd = -1, .hvc_fd = -1, .qga_fd = -1, \
		.output_fd = -1                                                              \
	}

/* Fills ram_fd, qmp_fd, con_fd, hvc_fd and qga_fd of a copy of `spec`; the others must be open. `program` is QEMU's path. */
bool launch_qemu(const char *program, const struct machine_spec *spec,
		 const struct child_identity *identity, struct launch *ret, struct err *err);

/* Kills the process if it is there. */
void launch_done(struct launch *launch);

/* The whole kernel's count of processes killed for lack of memory; 0 when it does not tell. */
uint64_t oom_kills_of_host(void);

#endif
