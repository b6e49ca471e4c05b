/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log in a bundle that never grows beyond a cap: what a guest or QEMU prints must not fill the host's disk.
 *
 * When the next piece would not fit any more, the older half of the file goes, up to the end of a line. So the file
 * can be read with any tool at any time, holds the newest text, and costs one copy of half a cap per half a cap.
 */
#ifndef TART_MACHINE_LOGFILE_H
#define TART_MACHINE_LOGFILE_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct logfile {
	int fd;
	uint64_t cap_bytes;
	uint64_t size_bytes;
};

#define LOGFILE_INIT     \
	{                \
		.fd = -1 \
	}

/* Starts the file anew, mode 0600. It must be a regular file: a link in its place is an error. */
bool logfile_open(int dirfd, const char *name, uint64_t cap_bytes, struct logfile *ret,
		  struct err *err);

/* A log that cannot be written (full disk) loses text, silently: it must not stop a VM. */
void logfile_add(struct logfile *log, struct span text);
void logfile_close(struct logfile *log);

#endif
