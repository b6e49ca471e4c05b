/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending a VM from outside: signals to the process that holds its lock, ever less polite, until the lock is free.
 *
 *	at 0             SIGINT    `tart run` presses the guest's power button
 *	2 s before the   SIGTERM   it ends QEMU without asking the guest (half of the time when there is less)
 *	timeout
 *	at the timeout   SIGKILL   the kernel ends both
 *
 * Source: cli.md 2.16, machine.md 6.
 */
#ifndef TART_MACHINE_STOP_H
#define TART_MACHINE_STOP_H

#include <stdint.h>

#include "base/err.h"

/* When SIGTERM is due, in milliseconds from SIGINT. Pure. */
uint64_t stop_term_after_ms(uint64_t timeout_ms);

/*
 * Stops the VM in `bundle_fd`, called `name` in messages. One that is suspended loses its saved state instead.
 * ERR_VM_NOT_RUNNING when there is nothing to stop; ERR_STOP when even SIGKILL did not help; ends early on
 * cancellation, with what was sent so far.
 */
bool stop_vm(int bundle_fd, const char *name, uint64_t timeout_s, struct err *err);

#endif
