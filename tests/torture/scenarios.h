/* SPDX-License-Identifier: Apache-2.0 */
/* What is tortured: how a home is prepared, which command then meets the faults. */
#ifndef TART_TORTURE_SCENARIOS_H
#define TART_TORTURE_SCENARIOS_H

#include <stdbool.h>

enum step_kind {
	STEP_NONE,
	STEP_TART,    /* a command line without quoting; "@" stands for the folder of the test */
	STEP_FILL,    /* writes data into the disk of this VM */
	STEP_SUSPEND, /* gives this VM a saved state */
	STEP_IMAGE,   /* a cached image h/ns with this tag */
};

struct step {
	enum step_kind kind;
	const char *text;
};

struct scenario {
	const char *name;
	struct step steps[8];
	const char *command; /* as STEP_TART */
	bool stores;         /* the command is one of store_image.c, not of tart */
	const char *clone;   /* TART_CLONE for all of it, or NULL */
	bool no_exchange;    /* the file system cannot exchange two names */
	bool once;           /* a second run of the command is an error by nature */
};

/* Ends with a NULL name. */
extern const struct scenario scenarios[];

#endif
