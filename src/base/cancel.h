/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cancellation by SIGINT, SIGTERM or SIGHUP for commands that do not run an event loop.
 *
 * After cancel_install(), the first of these signals makes cancel_requested() true and keeps interrupting
 * blocking system calls (EINTR) until the process ends, so that a call entered just after the signal does not
 * sleep through it. A second one kills the process as if nothing were installed; what is left in tmp/ then is
 * collected by the next command. Long loops call cancel_check() at each step; callers clean up as on any error.
 *
 * Signals are process-wide, so is this state: it is the one mutable global of the project.
 */
#ifndef TART_BASE_CANCEL_H
#define TART_BASE_CANCEL_H

#include "base/err.h"

void cancel_install(void);

/* Back to the default dispositions, for a command with an event loop of its own and for children. */
void cancel_uninstall(void);

bool cancel_requested(void);

/* What was asked for has happened: what is still to be done is not cancelled by it. A second signal kills as before. */
void cancel_forget(void);

/* True to go on; false with ERR_CANCELLED. */
bool cancel_check(struct err *err);

#endif
