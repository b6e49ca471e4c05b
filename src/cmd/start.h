/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a command between parsing and the exit code: cli.md 1.6. */
#ifndef TART_CMD_START_H
#define TART_CMD_START_H

#include "cmd/parse.h"
#include "cmd/tracing.h"

struct outcome {
	bool validated;         /* errors came from run(), if there were any */
	struct err collecting;  /* what went wrong with old temporary files; ERR_NONE = nothing */
	struct tracing tracing; /* to be ended when everything has been said */
};

/* Validates, opens the home when needed, removes old temporary files, runs. */
bool invocation_run(const struct invocation *invocation, struct outcome *outcome, struct err *err);

/*
 * Says on stderr what there is to say after a command: first the error, when there was one, with the usage where it
 * belongs. Temporary files that could not be removed come second: tools show the first line as the reason of a
 * failure.
 */
void invocation_report(const struct invocation *invocation, const struct outcome *outcome,
		       const struct err *err);

#endif
