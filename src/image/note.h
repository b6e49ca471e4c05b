/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlay.json: which base an overlay belongs to.
 *
 *	{"base":{"mtime":"1700000000.000000001","size":50000000000},"version":1}
 *
 * While disk.img is being replaced there is also "replacement", of the same form: a disk.img that
 * matches it makes the overlay obsolete. Members we do not know are ignored; another version is
 * refused.
 */
#ifndef TART_IMAGE_NOTE_H
#define TART_IMAGE_NOTE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"

/* Size and mtime: what every write through ordinary means changes, and what survives `cp -a` and
 * backups. */
struct base_id {
	uint64_t size_bytes;
	char mtime[32]; /* "SECONDS.NANOSECONDS" */
};

struct note {
	struct base_id base;
	bool has_replacement;
	struct base_id replacement;
};

struct base_id base_id_of(const struct stat *st);
bool base_id_equal(const struct base_id *a, const struct base_id *b);

bool note_parse(struct span text, struct note *ret, struct err *err);
bool note_read(int dirfd, struct note *ret, struct err *err); /* DISK_NOTE_FILE in dirfd */
void note_print(const struct note *note, struct str *out);    /* with a newline */

#endif
