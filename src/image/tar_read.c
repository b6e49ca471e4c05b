/* SPDX-License-Identifier: Apache-2.0 */
/* Reading tar by libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "base/checked.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/tar.h"

struct tar_reader {
	struct archive *archive;
	struct byte_source source;
	bool is_open;
	bool in_header;
	size_t header_bytes; /* read for the present header */
	struct err err;      /* of the source, while libarchive is on the stack */
};

/* Stops libarchive and leaves the reason in reader->err. */
static la_ssize_t stop(struct archive *archive)
{
	archive_set_error(archive, EIO, "cannot read");
	return -1;
}

static la_ssize_t on_read(struct archive *archive, void *ctx, const void **ret)
{
	struct tar_reader *reader = ctx;
	struct span bytes;

	if (reader->in_header && reader->header_bytes > TAR_HEADER_MAX) {
		(void)err_set(&reader->err, ERR_GENERAL, "tar: the header of a member is too long");
		return stop(archive);
	}
	if (!reader->source.next(reader->source.ctx, &bytes, &reader->err))
		return stop(archive);
	reader->header_bytes += bytes.len;
	*ret = bytes.ptr;
	return (la_ssize_t)bytes.len;
}

static bool fail(struct tar_reader *reader, struct err *err)
{
	CLEANUP_STR struct str text = STR_CAPPED(200);
	const char *why = archive_error_string(reader->archive);

	if (reader->err.kind != ERR_NONE) {
		*err = reader->err;
		return false;
	}
	/* It may quote what it read. */
	str_add_escaped(&text, span_of(why ? why : "unknown error"));
	return err_set(err, ERR_GENERAL, "tar: %s", str_text(&text));
}

struct tar_reader *tar_reader_new(struct byte_source source)
{
	struct tar_reader *reader = xcalloc(1, sizeof(*reader));

	reader->source = source;
	reader->archive = archive_read_new();
	if (!reader->archive || archive_read_support_format_tar(reader->archive) != ARCHIVE_OK)
		mem_exhausted();
	return reader;
}

void tar_reader_free(struct tar_reader *reader)
{
	if (!reader)
		return;
	(void)archive_read_free(reader->archive);
	free(reader);
}

/* A sparse file gives its runs, any other nothing. */
static uint64_t stored_bytes(struct archive_entry *entry, uint64_t size_bytes)
{
	la_int64_t offset;
	la_int64_t len;
	uint64_t sum = 0;

	if (archive_entry_sparse_reset(entry) == 0)
		return size_bytes;
	while (archive_entry_sparse_next(entry, &offset, &len) == ARCHIVE_OK)
		if (len > 0 && ckd_add(&sum, sum, (uint64_t)len))
			return size_bytes;
	return sum < size_bytes ? sum : size_bytes;
}

static struct tar_member describe(struct archive_entry *entry)
{
	la_int64_t size = archive_entry_size(entry);
	struct tar_member member = {
		.name = archive_entry_pathname(entry),
		.is_regular_file = archive_entry_filetype(entry) == AE_IFREG &&
				   !archive_entry_hardlink(entry) && !archive_entry_symlink(entry),
		.is_directory = archive_entry_filetype(entry) == AE_IFDIR,
		.has_size = archive_entry_size_is_set(entry) && size >= 0,
	};

	member.size_bytes = member.has_size ? (uint64_t)size : 0;
	member.data_bytes = stored_bytes(entry, member.size_bytes);
	return member;
}

static bool open_archive(struct tar_reader *reader, struct err *err)
{
	if (reader->is_open)
		return true;
	reader->is_open = true;
	return archive_read_open(reader->archive, reader, NULL, on_read, NULL) == ARCHIVE_OK ||
	       fail(reader, err);
}

bool tar_reader_next(struct tar_reader *reader, struct tar_member *ret, bool *ret_found,
		     struct err *err)
{
	struct archive_entry *entry;
	int result;

	reader->in_header = true;
	reader->header_bytes = 0;
	if (!open_archive(reader, err))
		return false;
	result = archive_read_next_header(reader->archive, &entry);
	reader->in_header = false;
	*ret_found = result == ARCHIVE_OK;
	/* A warning is about a member that is not quite what it says: reason enough. */
	if (result == ARCHIVE_OK)
		*ret = describe(entry);
	return result == ARCHIVE_OK || result == ARCHIVE_EOF || fail(reader, err);
}

bool tar_reader_data(struct tar_reader *reader, uint64_t *ret_offset, struct span *ret,
		     struct err *err)
{
	const void *data = NULL;
	size_t len = 0;
	la_int64_t offset = 0;
	int result;

	do
		result = archive_read_data_block(reader->archive, &data, &len, &offset);
	while (result == ARCHIVE_OK && len == 0);
	if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
		return fail(reader, err);
	if (offset < 0)
		return err_set(err, ERR_GENERAL, "tar: data at a negative offset");
	*ret_offset = (uint64_t)offset;
	*ret = result == ARCHIVE_OK ? span_make(data, len) : span_make("", 0);
	return true;
}
