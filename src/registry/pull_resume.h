/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk.img of a pull as an earlier attempt left it: opened, its length set, what of it can stay found out. Private to
 * pull.
 *
 * What the journal says stays where it is. Data that the journal knows, but that belongs elsewhere now (the tag has
 * moved), is wanted, too: then the whole file is set aside, as a place to copy from, and a new one begun.
 */
#ifndef TART_REGISTRY_PULL_RESUME_H
#define TART_REGISTRY_PULL_RESUME_H

#include <stdbool.h>

#include "base/err.h"
#include "registry/journal.h"
#include "registry/pull_plan.h"

/* The disk that was set aside, and its journal. */
#define OLD_DISK_FILE    "disk.old"
#define OLD_JOURNAL_FILE "journal.old"

struct pull_disk_file {
	int fd;
	bool is_new; /* made just now: it holds zeros but where this pull writes */
	int old_fd;  /* set aside, -1 = none with anything that is wanted */
	struct journal_text old_journal;
};

#define PULL_DISK_FILE_INIT            \
	{                              \
		.fd = -1, .old_fd = -1 \
	}

/* Opens or makes disk.img and marks in the plan what is there. Its length is not changed yet. */
bool pull_disk_open(int dir_fd, struct pull_plan *plan, struct pull_disk_file *ret,
		    struct err *err);
void pull_disk_close(struct pull_disk_file *file); /* fits CLEANUP() */

/* Gives it the plan's length, begins a journal of what is there, and makes zeros of layers that are zeros. */
bool pull_disk_prepare(int dir_fd, const struct pull_plan *plan, const struct pull_disk_file *file,
		       struct journal **ret, struct err *err);

#endif
