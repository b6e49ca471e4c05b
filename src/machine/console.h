/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's first serial port (firmware, kernel messages): drained into console.log, always. Somebody has to
 * read it: a guest that writes to a console nobody reads stops for good.
 */
#ifndef TART_MACHINE_CONSOLE_H
#define TART_MACHINE_CONSOLE_H

#include "base/loop.h"
#include "machine/logfile.h"

#define CONSOLE_LOG_MAX (1024 * 1024) /* bytes */

struct console {
	int fd; /* our end of QEMU's character device */
	struct loop_source *source;
	struct logfile log;
};

#define CONSOLE_INIT                          \
	{                                     \
		.fd = -1, .log = LOGFILE_INIT \
	}

/* Adopts fd, which must not block; the log is opened before. */
bool console_start(struct console *console, struct loop *loop, int fd, struct err *err);

/* Takes what has arrived already: for when QEMU has ended. */
void console_drain(struct console *console);

/* Closes the connection, keeps the log. */
void console_stop(struct console *console);
void console_done(struct console *console);

#endif
