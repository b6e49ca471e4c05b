/* SPDX-License-Identifier: Apache-2.0 */
/* zstd streams by libzstd. */
#include "image/zstream.h"

#include <errno.h>
#include <sched.h>
#include <zstd.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "base/mem.h"

#define LEVEL 3

/* Each thread holds some 20 MiB; four of them keep up with any disk that SHA-256 keeps up with. */
#define THREADS_MAX 4

struct zstream_writer {
	int fd;
	ZSTD_CCtx *ctx;
	char *out;
	size_t out_size;
};

static int count_threads(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;

	return n < THREADS_MAX ? n : THREADS_MAX;
}

struct zstream_writer *zstream_writer_new(int fd)
{
	struct zstream_writer *writer = xcalloc(1, sizeof(*writer));

	writer->fd = fd;
	writer->ctx = ZSTD_createCCtx();
	if (!writer->ctx)
		mem_exhausted();
	(void)ZSTD_CCtx_setParameter(writer->ctx, ZSTD_c_compressionLevel, LEVEL);
	(void)ZSTD_CCtx_setParameter(writer->ctx, ZSTD_c_checksumFlag, 1);
	/* Refused by a library without threads, which then works alone. */
	(void)ZSTD_CCtx_setParameter(writer->ctx, ZSTD_c_nbWorkers, count_threads());
	writer->out_size = ZSTD_CStreamOutSize();
	writer->out = xcalloc(1, writer->out_size);
	return writer;
}

void zstream_writer_free(struct zstream_writer *writer)
{
	if (!writer)
		return;
	(void)ZSTD_freeCCtx(writer->ctx);
	free(writer->out);
	free(writer);
}

/* One step; *ret_left is what the library still holds. */
static bool compress(struct zstream_writer *writer, ZSTD_inBuffer *in, ZSTD_EndDirective directive,
		     size_t *ret_left, struct err *err)
{
	ZSTD_outBuffer out = { .dst = writer->out, .size = writer->out_size };

	*ret_left = ZSTD_compressStream2(writer->ctx, &out, in, directive);
	if (ZSTD_isError(*ret_left))
		return err_set(err, ERR_GENERAL, "zstd: %s", ZSTD_getErrorName(*ret_left));
	return fs_write_all(writer->fd, span_make(writer->out, out.pos), err);
}

static bool writer_add(void *ctx, struct span bytes, struct err *err)
{
	ZSTD_inBuffer in = { .src = bytes.ptr, .size = bytes.len };
	size_t left;

	while (in.pos < in.size)
		if (!compress(ctx, &in, ZSTD_e_continue, &left, err) || !cancel_check(err))
			return false;
	return true;
}

struct byte_sink zstream_writer_sink(struct zstream_writer *writer)
{
	return (struct byte_sink){ .add = writer_add, .ctx = writer };
}

bool zstream_writer_finish(struct zstream_writer *writer, struct err *err)
{
	ZSTD_inBuffer in = { .src = NULL };
	size_t left;

	do
		if (!compress(writer, &in, ZSTD_e_end, &left, err) || !cancel_check(err))
			return false;
	while (left > 0);
	return true;
}

struct zstream_reader {
	int fd;
	ZSTD_DCtx *ctx;
	ZSTD_inBuffer in;
	char *in_buf;
	size_t in_size;
	char *out_buf;
	size_t out_size;
	bool may_hold_more; /* decoded bytes that did not fit into out_buf last time */
	bool is_finished;   /* the frame is */
};

struct zstream_reader *zstream_reader_new(int fd, struct span start)
{
	struct zstream_reader *reader = xcalloc(1, sizeof(*reader));

	reader->fd = fd;
	reader->ctx = ZSTD_createDCtx();
	if (!reader->ctx)
		mem_exhausted();
	(void)ZSTD_DCtx_setParameter(reader->ctx, ZSTD_d_windowLogMax, ZSTREAM_WINDOW_LOG_MAX);
	reader->in_size = ZSTD_DStreamInSize() + start.len;
	reader->in_buf = xcalloc(1, reader->in_size);
	reader->out_size = ZSTD_DStreamOutSize();
	reader->out_buf = xcalloc(1, reader->out_size);
	memcpy(reader->in_buf, start.ptr, start.len);
	reader->in = (ZSTD_inBuffer){ .src = reader->in_buf, .size = start.len };
	return reader;
}

void zstream_reader_free(struct zstream_reader *reader)
{
	if (!reader)
		return;
	(void)ZSTD_freeDCtx(reader->ctx);
	free(reader->in_buf);
	free(reader->out_buf);
	free(reader);
}

/* More input when all of it is used up; none at the end of the file. */
static bool refill(struct zstream_reader *reader, struct err *err)
{
	ssize_t n = -1;

	if (reader->in.pos < reader->in.size)
		return true;
	while (n < 0) {
		if (!cancel_check(err))
			return false;
		n = read(reader->fd, reader->in_buf, reader->in_size);
		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot read");
	}
	reader->in.pos = 0;
	reader->in.size = (size_t)n;
	return true;
}

static bool check_end(struct zstream_reader *reader, struct err *err)
{
	if (!refill(reader, err))
		return false;
	if (reader->in.size > 0)
		return err_set(err, ERR_GENERAL, "there is something after the end of the export");
	return true;
}

static bool decode(struct zstream_reader *reader, ZSTD_outBuffer *out, struct err *err)
{
	size_t left;

	if (!reader->may_hold_more) {
		if (!refill(reader, err))
			return false;
		if (reader->in.size == 0)
			return err_set(err, ERR_GENERAL, "the file is cut off");
	}
	left = ZSTD_decompressStream(reader->ctx, out, &reader->in);
	if (ZSTD_isError(left))
		return err_set(err, ERR_GENERAL, "the file is damaged: %s",
			       ZSTD_getErrorName(left));
	reader->may_hold_more = out->pos == out->size;
	reader->is_finished = left == 0;
	return true;
}

static bool reader_next(void *ctx, struct span *ret, struct err *err)
{
	struct zstream_reader *reader = ctx;
	ZSTD_outBuffer out = { .dst = reader->out_buf, .size = reader->out_size };

	while (!reader->is_finished && out.pos == 0)
		if (!decode(reader, &out, err))
			return false;
	if (out.pos == 0 && !check_end(reader, err))
		return false;
	*ret = span_make(reader->out_buf, out.pos);
	return true;
}

struct byte_source zstream_reader_source(struct zstream_reader *reader)
{
	return (struct byte_source){ .next = reader_next, .ctx = reader };
}
