/* SPDX-License-Identifier: Apache-2.0 */
/* One zstd frame (RFC 8878) to and from a descriptor, with bounded memory. The only files that
 * know libzstd. */
#ifndef TART_IMAGE_ZSTREAM_H
#define TART_IMAGE_ZSTREAM_H

#include "image/bytes.h"

/* A frame that needs more than 64 MiB to be decoded is refused; our own need 2 MiB. */
#define ZSTREAM_WINDOW_LOG_MAX 26

/* Level 3, content checksum, some threads. fd is borrowed and written in sequence. */
struct zstream_writer;
struct zstream_writer *zstream_writer_new(int fd);
void zstream_writer_free(struct zstream_writer *writer);
static inline void zstream_writer_cleanup(struct zstream_writer **slot)
{
	zstream_writer_free(*slot);
}
struct byte_sink zstream_writer_sink(struct zstream_writer *writer);

/* Ends the frame. Without it the output is not readable. */
bool zstream_writer_finish(struct zstream_writer *writer, struct err *err);

/* Exactly one frame; `start` is what was read from fd already (copied). The source reports its
 * end only after the frame's checksum was right and nothing follows it. A frame that ends early
 * is "the file is cut off". */
struct zstream_reader;
struct zstream_reader *zstream_reader_new(int fd, struct span start);
void zstream_reader_free(struct zstream_reader *reader);
static inline void zstream_reader_cleanup(struct zstream_reader **slot)
{
	zstream_reader_free(*slot);
}
struct byte_source zstream_reader_source(struct zstream_reader *reader);

#endif
