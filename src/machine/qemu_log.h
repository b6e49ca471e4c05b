/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What QEMU prints: kept in qemu.log, its last lines for an error message. Between starts of one run the log goes on.
 */
#ifndef TART_MACHINE_QEMU_LOG_H
#define TART_MACHINE_QEMU_LOG_H

#include "base/loop.h"
#include "base/str.h"
#include "machine/logfile.h"

#define QEMU_LOG_MAX (256 * 1024) /* bytes */

struct qemu_log {
	int fd; /* read end of QEMU's stdout and stderr */
	struct loop_source *source;
	struct logfile log;
	char tail[1024]; /* the newest text */
	size_t tail_len;
};

#define QEMU_LOG_INIT                         \
	{                                     \
		.fd = -1, .log = LOGFILE_INIT \
	}

/* Adopts fd; forgets the tail of an earlier start. The log is opened before. */
bool qemu_log_start(struct qemu_log *log, struct loop *loop, int fd, struct err *err);

/* Takes what has arrived already: for when QEMU has ended. */
void qemu_log_drain(struct qemu_log *log);

/* Appends the last lines of this start (two at most: QEMU likes to add a hint to its reason) as one line, without
 * the "qemu-system-…: " in front of each. */
void qemu_log_add_last_lines(const struct qemu_log *log, struct str *out);

void qemu_log_stop(struct qemu_log *log);
void qemu_log_done(struct qemu_log *log);

#endif
