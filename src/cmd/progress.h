/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "<n>%" lines on stdout, at most one a second and none twice: cli.md 1.5.
 *
 *	struct progress progress = progress_start();
 *
 *	archive_write(..., progress_update, &progress, err)
 *
 * On a terminal an update rewrites the line before it, so nothing else may be printed in between.
 */
#ifndef TART_CMD_PROGRESS_H
#define TART_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct progress {
	bool interactive;
	bool started;
	unsigned percent;    /* last printed */
	uint64_t printed_ms; /* when that was */
};

/* Interactive when stdout is a terminal that can move its cursor and CI is not set. */
struct progress progress_start(void);

/* The callback for libtart: `progress` is a struct progress. */
void progress_update(void *progress, uint64_t done, uint64_t total);

/* The decision behind both: appends what to print for an update at the time `now_ms`, or nothing. */
void progress_add(struct progress *progress, uint64_t done, uint64_t total, uint64_t now_ms,
		  struct str *out);

/* For progress_start(): the values of $CI and $TERM (NULL = unset). */
bool progress_is_interactive(bool stdout_is_tty, const char *ci, const char *term);

#endif
