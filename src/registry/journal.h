/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the disk.img of an unfinished pull can be relied on, whatever ended the pull: a list, beside the disk, of
 * stretches that were written, verified and synced before the list said so.
 *
 *	tart-pull-journal 1 INODE BYTES BORN CHECK
 *	OFFSET BYTES DIGEST CHECK
 *	...
 *
 * The first line says which file it is about. CHECK is the start of the SHA-256 of the line before it, so that a line
 * that was torn by a power cut is seen; it and what follows it do not count. The journal of a file that is another one
 * by now, by inode, length or birth, is worth nothing.
 *
 * Order. A stretch is added when its data has been verified. Now and then disk.img is synced, then the lines of what
 * had been added before are written, then they are synced. Before a stretch that the journal knows is
 * written to, a new journal without it has replaced the old one (journal_begin).
 */
#ifndef TART_REGISTRY_JOURNAL_H
#define TART_REGISTRY_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/span.h"
#include "base/str.h"
#include "base/vec.h"

#define JOURNAL_FILE        "disk.journal"
#define JOURNAL_ENTRIES_MAX 65536 /* as many as an image has layers */
#define JOURNAL_BYTES_MAX   ((size_t)16 << 20)

#define JOURNAL_SYNC_MS    1000
#define JOURNAL_SYNC_BYTES ((uint64_t)64 << 20)

/* Which file. Numbers alone are given to the next file when this one is gone; with the birth they are not. */
struct journal_disk {
	uint64_t inode;
	uint64_t size_bytes;
	uint64_t born_ns; /* since 1970; 0 where the file system does not tell */
};

/* [offset, offset + data_bytes) of the disk hashes to data_digest. */
struct journal_entry {
	uint64_t offset;
	uint64_t data_bytes;
	char data_digest[DIGEST_HEX_SIZE];
};

struct journal_text {
	struct journal_disk disk;
	VEC(struct journal_entry) entries; /* all within the disk */
};

void journal_text_done(struct journal_text *text); /* fits CLEANUP() */

/* Pure. False when the first line is none of ours; of the others those count that stand before the first bad one. */
bool journal_parse(struct span text, struct journal_text *ret);
void journal_print(const struct journal_text *text, struct str *out);

bool journal_disk_of(int disk_fd, struct journal_disk *ret, struct err *err);

/* The entries of the journal `name` if it is about this file; none otherwise, whatever the reason. */
void journal_read(int dirfd, const char *name, int disk_fd, struct journal_text *ret);

struct journal;

/* Replaces JOURNAL_FILE by one with these entries and starts the thread that keeps it. The disk has its length by now, and
 * its length does not change. The descriptors are borrowed. */
bool journal_begin(int dirfd, int disk_fd, const struct journal_text *entries, struct journal **ret,
		   struct err *err);

/* From any thread: the data of this stretch is written and right. Synced, both, after JOURNAL_SYNC_MS or
 * JOURNAL_SYNC_BYTES; in between the data begins to be written to the device. An error is that of an earlier sync. */
bool journal_add(struct journal *journal, const struct journal_entry *entry, struct err *err);

/* Syncs what is left, and ends the thread. */
bool journal_end(struct journal *journal, struct err *err);

/* Ends it first, if nobody has. Accepts NULL. */
void journal_free(struct journal *journal);
static inline void journal_cleanup(struct journal **slot)
{
	journal_free(*slot);
}

#endif
