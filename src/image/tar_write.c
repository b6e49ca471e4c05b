/* SPDX-License-Identifier: Apache-2.0 */
/* Writing tar by libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "image/tar.h"

/*
 * libarchive wants a sparse file fed whole and drops what lies in holes without looking at it.
 * Feeding them from this much address space, never touched, makes a hole of 50 GB cost 50 calls and
 * no memory.
 */
#define ZEROS_BYTES ((size_t)1 << 30)

struct tar_writer {
	struct archive *archive;
	struct byte_sink sink;
	char *zeros; /* ZEROS_BYTES, mapped when first needed */
	bool is_over;
	struct err err; /* of the sink, while libarchive is on the stack */
};

static la_ssize_t on_write(struct archive *archive, void *ctx, const void *data, size_t len)
{
	struct tar_writer *writer = ctx;

	if (!writer->is_over &&
	    writer->sink.add(writer->sink.ctx, span_make(data, len), &writer->err))
		return (la_ssize_t)len;
	archive_set_error(archive, EIO, "cannot write");
	return -1;
}

/* The sink knows better what went wrong than libarchive. */
static bool fail(struct tar_writer *writer, struct err *err)
{
	if (writer->err.kind == ERR_NONE)
		return err_set(err, ERR_GENERAL, "tar: %s", archive_error_string(writer->archive));
	*err = writer->err;
	return false;
}

struct tar_writer *tar_writer_new(struct byte_sink sink)
{
	struct tar_writer *writer = xcalloc(1, sizeof(*writer));

	writer->sink = sink;
	writer->archive = archive_write_new();
	/* Extended headers only where needed: for sparse files and sizes from 8 GiB on. */
	if (!writer->archive ||
	    archive_write_set_format_pax_restricted(writer->archive) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(writer->archive, 0) != ARCHIVE_OK ||
	    archive_write_open(writer->archive, writer, NULL, on_write, NULL) != ARCHIVE_OK)
		mem_exhausted();
	return writer;
}

void tar_writer_free(struct tar_writer *writer)
{
	if (!writer)
		return;
	/* Freeing what is not finished would complete it, down to the padding of the present
	 * file; archive_write_fail() would leak. So nothing can be written any more. */
	writer->is_over = true;
	(void)archive_write_free(writer->archive);
	if (writer->zeros)
		(void)munmap(writer->zeros, ZEROS_BYTES);
	free(writer);
}

static void add_runs(struct archive_entry *entry, const struct tar_file *file)
{
	if (!file->runs)
		return;
	vec_each(&file->runs->list, run)
		archive_entry_sparse_add_entry(entry, (la_int64_t)run->start, (la_int64_t)run->len);
	/* An empty list means "not sparse": a file that is all hole has an empty run at its end. */
	if (file->runs->list.n == 0 && file->size_bytes > 0)
		archive_entry_sparse_add_entry(entry, (la_int64_t)file->size_bytes, 0);
}

bool tar_writer_begin(struct tar_writer *writer, const struct tar_file *file, struct err *err)
{
	struct archive_entry *entry = archive_entry_new();
	int result;

	if (!entry)
		mem_exhausted();
	archive_entry_set_pathname(entry, file->name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)file->size_bytes);
	archive_entry_set_mtime(entry, (time_t)file->mtime, 0);
	add_runs(entry, file);
	result = archive_write_header(writer->archive, entry);
	archive_entry_free(entry);
	return result == ARCHIVE_OK || fail(writer, err);
}

bool tar_writer_data(struct tar_writer *writer, struct span data, struct err *err)
{
	while (data.len > 0) {
		la_ssize_t n = archive_write_data(writer->archive, data.ptr, data.len);

		if (n < 0)
			return fail(writer, err);
		if (n == 0)
			return err_set(err, ERR_GENERAL, "tar: more data than announced");
		data = span_from(data, (size_t)n);
	}
	return true;
}

static bool map_zeros(struct tar_writer *writer, struct err *err)
{
	void *zeros;

	if (writer->zeros)
		return true;
	zeros = mmap(NULL, ZEROS_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		     0);
	if (zeros == MAP_FAILED)
		return err_sys(err, errno, "cannot map memory");
	writer->zeros = zeros;
	return true;
}

bool tar_writer_hole(struct tar_writer *writer, uint64_t len, struct err *err)
{
	if (!map_zeros(writer, err))
		return false;
	while (len > 0) {
		size_t n = len < ZEROS_BYTES ? (size_t)len : ZEROS_BYTES;

		if (!tar_writer_data(writer, span_make(writer->zeros, n), err))
			return false;
		len -= n;
	}
	return true;
}

bool tar_writer_finish(struct tar_writer *writer, struct err *err)
{
	return archive_write_close(writer->archive) == ARCHIVE_OK || fail(writer, err);
}
