/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM as one file, and back: what of a bundle goes into an export, and how one becomes a local VM.
 * image/tvm.h has the format. Source: cli.md 2.13.
 */
#ifndef TART_STORAGE_EXPORT_H
#define TART_STORAGE_EXPORT_H

#include "base/err.h"
#include "storage/home.h"

/* A VM that is to be exported. */
struct export_source {
	const char *name; /* borrowed, for messages */
	int bundle_fd;
};

#define EXPORT_SOURCE_INIT      \
	{                       \
		.bundle_fd = -1 \
	}

/* Opens a local VM or cached image and stamps its access time. Missing (2), incomplete (1). */
bool export_open(const struct home *home, const char *name, struct export_source *ret,
		 struct err *err);
void export_close(struct export_source *source); /* fits CLEANUP() */

/* Writes the export to fd, in sequence and not synced. The VM counts as running meanwhile; one
 * that does already is "VM "x" is running". `begin` (may be NULL) is called when nothing stands
 * in the way any more. */
bool export_write(const struct export_source *source, int fd, void (*begin)(void), struct err *err);

/* Makes a local VM of the export that is read from fd; `shown_path` is its name for messages.
 * Replaces a VM of that name, unless it is running. The VM gets another MAC when a local one has
 * that of the export. */
bool import_vm(const struct home *home, int fd, const char *shown_path, const char *name,
	       struct err *err);

#endif
