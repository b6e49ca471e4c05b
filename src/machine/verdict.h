/* SPDX-License-Identifier: Apache-2.0 */
/* How a run ended, judged from what was seen of QEMU until its process was reaped. Pure. */
#ifndef TART_MACHINE_VERDICT_H
#define TART_MACHINE_VERDICT_H

#include <stdbool.h>

#include "base/json.h"
#include "base/str.h"

/* The reason in QEMU's SHUTDOWN event (qapi/run-state.json), as far as it matters. */
enum shutdown_reason {
	SHUTDOWN_UNTOLD, /* no such event came */
	SHUTDOWN_GUEST,  /* the guest has powered off */
	SHUTDOWN_PANIC,
	SHUTDOWN_QUIT,   /* we told it to */
	SHUTDOWN_SIGNAL, /* somebody else sent QEMU a signal */
	SHUTDOWN_ERROR,
};

/* `data` of the event. */
enum shutdown_reason shutdown_reason_of(const struct json *data);

struct ending {
	enum shutdown_reason shutdown;
	bool stop_wanted;    /* the user asked for the end */
	bool killed;         /* we sent SIGKILL */
	bool memory_ran_out; /* the kernel killed something for lack of memory meanwhile */
	int status;          /* as waitpid's */
	const char *problem; /* what the control connection showed to be wrong, NULL = nothing */
	const char *output;  /* QEMU's last lines, "" = none */
};

enum verdict {
	VERDICT_STOPPED,     /* because the user wanted it */
	VERDICT_GUEST_ENDED, /* by itself */
	VERDICT_FAILED,
};

/* Appends to *detail what went wrong, a clause, if the verdict is VERDICT_FAILED. */
enum verdict verdict_of(const struct ending *ending, struct str *detail);

#endif
