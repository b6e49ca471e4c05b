/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A short conversation with another program: it is told something, answers and ends, all within a time.
 *
 * For programs that are somebody else's: whatever they do, the caller gets an answer in time. What they write to stderr
 * is kept apart. A program that has ended is not waited for because something it left behind holds its output open;
 * one that does not end is killed with its process group, which is its own.
 */
#ifndef TART_BASE_CHILD_TALK_H
#define TART_BASE_CHILD_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"

struct child_talk {
	const char *const *argv; /* as in child.h */
	struct span input;       /* its stdin, closed afterwards */
	uint64_t timeout_ms;
	size_t max_out;
};

enum child_talk_result {
	CHILD_TALK_DONE,    /* it has ended, see the status */
	CHILD_TALK_MISSING, /* there is no such program */
	CHILD_TALK_SILENT,  /* out of time */
	CHILD_TALK_FAILED,  /* cancelled, could not be started, printed more than max_out bytes */
};

struct child_answer {
	int status;           /* as waitpid's */
	struct str out;       /* stdout; overwritten when done, for it may hold secrets */
	struct str complaint; /* the last line of its stderr, escaped */
};

void child_answer_done(struct child_answer *answer); /* fits CLEANUP() */

/* *err is set unless the result is CHILD_TALK_DONE, and names the program. */
enum child_talk_result child_talk(const struct child_talk *talk, struct child_answer *ret,
				  struct err *err);

#endif
