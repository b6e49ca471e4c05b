/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking, by libarchive's filters around its "raw" format. */
#include "image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/mem.h"
#include "base/str.h"

#define BUFFER_BYTES ((size_t)64 * 1024)

struct unpacker {
	int fd;
	enum unpack_codec codec;
	struct archive *archive; /* NULL: plain */
	bool is_open;
	bool at_end;
	struct err err; /* of reading fd, while libarchive is on the stack */
	char buffer[BUFFER_BYTES];
};

static bool read_some(struct unpacker *unpacker, size_t *ret_len, struct err *err)
{
	ssize_t n;

	do {
		if (!cancel_check(err))
			return false;
		n = read(unpacker->fd, unpacker->buffer, sizeof(unpacker->buffer));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, errno, "cannot read a layer");
	*ret_len = (size_t)n;
	return true;
}

static la_ssize_t on_read(struct archive *archive, void *ctx, const void **ret)
{
	struct unpacker *unpacker = ctx;
	size_t len;

	if (!read_some(unpacker, &len, &unpacker->err)) {
		archive_set_error(archive, EIO, "cannot read");
		return -1;
	}
	*ret = unpacker->buffer;
	return (la_ssize_t)len;
}

static bool fail(struct unpacker *unpacker, struct err *err)
{
	CLEANUP_STR struct str text = STR_CAPPED(200);
	const char *why = archive_error_string(unpacker->archive);

	if (unpacker->err.kind != ERR_NONE) {
		*err = unpacker->err;
		return false;
	}
	str_add_escaped(&text, span_of(why ? why : "unknown error"));
	return err_set(err, ERR_GENERAL, "cannot unpack a layer: %s", str_text(&text));
}

struct unpacker *unpacker_new(int fd, enum unpack_codec codec)
{
	struct unpacker *unpacker = xcalloc(1, sizeof(*unpacker));
	int result;

	unpacker->fd = fd;
	unpacker->codec = codec;
	if (codec == UNPACK_PLAIN)
		return unpacker;
	unpacker->archive = archive_read_new();
	if (!unpacker->archive)
		mem_exhausted();
	result = codec == UNPACK_GZIP ? archive_read_support_filter_gzip(unpacker->archive) :
					archive_read_support_filter_zstd(unpacker->archive);
	if (result != ARCHIVE_OK ||
	    archive_read_support_format_raw(unpacker->archive) != ARCHIVE_OK)
		mem_exhausted();
	return unpacker;
}

void unpacker_free(struct unpacker *unpacker)
{
	if (!unpacker)
		return;
	if (unpacker->archive)
		(void)archive_read_free(unpacker->archive);
	free(unpacker);
}

/* A file that is not compressed as announced passes through libarchive's filters as it is: that is for the caller's
 * digest to find. */
static bool open_archive(struct unpacker *unpacker, struct err *err)
{
	struct archive_entry *entry;

	if (unpacker->is_open)
		return true;
	unpacker->is_open = true;
	if (archive_read_open(unpacker->archive, unpacker, NULL, on_read, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(unpacker->archive, &entry) != ARCHIVE_OK)
		return fail(unpacker, err);
	return true;
}

static bool next_unpacked(struct unpacker *unpacker, struct span *ret, struct err *err)
{
	const void *data = NULL;
	size_t len = 0;
	la_int64_t offset;
	int result;

	if (!open_archive(unpacker, err))
		return false;
	do
		result = archive_read_data_block(unpacker->archive, &data, &len, &offset);
	while (result == ARCHIVE_OK && len == 0);
	if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
		return fail(unpacker, err);
	*ret = result == ARCHIVE_OK ? span_make(data, len) : span_make("", 0);
	return cancel_check(err);
}

static bool next(void *ctx, struct span *ret, struct err *err)
{
	struct unpacker *unpacker = ctx;
	size_t len = 0;

	if (unpacker->at_end) {
		*ret = span_make("", 0);
		return true;
	}
	if (unpacker->archive) {
		if (!next_unpacked(unpacker, ret, err))
			return false;
	} else {
		if (!read_some(unpacker, &len, err))
			return false;
		*ret = span_make(unpacker->buffer, len);
	}
	unpacker->at_end = ret->len == 0;
	return true;
}

struct byte_source unpacker_source(struct unpacker *unpacker)
{
	return (struct byte_source){ .next = next, .ctx = unpacker };
}
