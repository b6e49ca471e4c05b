/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A large file that appears under its name only when it is complete.
 *
 * While it is written it has no name at all (O_TMPFILE), so that a kill leaves nothing. Where the
 * file system cannot do that, it is NAME.part, removed on failure; what a kill leaves of it the
 * next output to that name replaces. NAME.part also exists for the moment between completing a file
 * and putting it in place of an old one.
 *
 * A name that is a FIFO or a device is written to as it is: nothing is complete there, or not.
 */
#ifndef TART_BASE_OUTPUT_H
#define TART_BASE_OUTPUT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct output {
	int fd; /* to be written to */
	int dirfd;
	char *name; /* in dirfd; NULL for what is no regular file */
	char *part; /* name.part */
	bool part_is_ours;
};

#define OUTPUT_INIT                   \
	{                             \
		.fd = -1, .dirfd = -1 \
	}

/* The file at `path`, which may exist, will have this mode less the umask. Links are followed. */
bool output_open(const char *path, mode_t mode, struct output *ret, struct err *err);

/* Syncs it and gives it its name, replacing what has it. */
bool output_commit(struct output *output, struct err *err);

/* Without a commit before, nothing has happened. Fits CLEANUP(). */
void output_done(struct output *output);

#endif
