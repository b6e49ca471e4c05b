/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX tar with GNU 1.0 sparse members, by libarchive; the only files that know it. Names,
 * sizes and offsets of what is read are as hostile as the input: callers check them. */
#ifndef TART_IMAGE_TAR_H
#define TART_IMAGE_TAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "image/bytes.h"
#include "image/runs.h"

/* Regular, mode 0644, uid and gid 0, no names of users. */
struct tar_file {
	const char *name;
	uint64_t size_bytes;
	int64_t mtime;           /* seconds */
	const struct runs *runs; /* of data; what lies between is not stored. NULL = all is data */
};

struct tar_writer;
struct tar_writer *tar_writer_new(struct byte_sink sink);
void tar_writer_free(struct tar_writer *writer);
static inline void tar_writer_cleanup(struct tar_writer **slot)
{
	tar_writer_free(*slot);
}

/* Begins a file; exactly its size follows in calls of the other two. */
bool tar_writer_begin(struct tar_writer *writer, const struct tar_file *file, struct err *err);
bool tar_writer_data(struct tar_writer *writer, struct span data, struct err *err);
bool tar_writer_hole(struct tar_writer *writer, uint64_t len, struct err *err);
bool tar_writer_finish(struct tar_writer *writer, struct err *err);

struct tar_member {
	const char
		*name; /* borrowed until the next member; NULL when it has none that can be shown */
	bool is_regular_file; /* and no link */
	bool is_directory;
	bool has_size;
	uint64_t size_bytes;
	uint64_t data_bytes; /* of which stored: size_bytes, or less for a sparse file */
};

/* More than this of headers and sparse map for one member is an error: the library keeps all of
 * it in memory. */
#define TAR_HEADER_MAX ((size_t)4 << 20)

struct tar_reader;
struct tar_reader *tar_reader_new(struct byte_source source);
void tar_reader_free(struct tar_reader *reader);
static inline void tar_reader_cleanup(struct tar_reader **slot)
{
	tar_reader_free(*slot);
}

/* The next member, whose predecessor was read to its end; *ret_found = false at the end of the
 * tar. */
bool tar_reader_next(struct tar_reader *reader, struct tar_member *ret, bool *ret_found,
		     struct err *err);

/* The next piece of the member's data and its offset in the file; an empty one at its end. */
bool tar_reader_data(struct tar_reader *reader, uint64_t *ret_offset, struct span *ret,
		     struct err *err);

#endif
