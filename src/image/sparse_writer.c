/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparse writing in sequence.
 *
 * The data is looked at in segments that end where an aligned piece of the file ends. Segments of zeros are not written
 * but counted, as long as no data was written in their piece: `zeros` are the last bytes before `offset`, and begin where
 * a piece begins (or the range does). When data comes after them in the same piece, the part of them in that piece is
 * written before it; whole pieces of them become holes, or stay holes.
 */
#include "image/sparse_writer.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "image/zeros.h"

static const char zero_piece[SPARSE_PIECE_BYTES];

static bool write_zeros(int fd, uint64_t offset, uint64_t len, struct err *err)
{
	while (len > 0) {
		size_t n = len < sizeof(zero_piece) ? (size_t)len : sizeof(zero_piece);

		if (!fs_pwrite_all(fd, zero_piece, n, offset, err) || !cancel_check(err))
			return false;
		offset += n;
		len -= n;
	}
	return true;
}

bool sparse_zero(int fd, uint64_t offset, uint64_t len, struct err *err)
{
	if (len == 0)
		return true;
	while (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			 (off_t)len) < 0) {
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			return write_zeros(fd, offset, len, err);
		if (errno != EINTR)
			return err_sys(err, errno, "cannot make a hole");
		if (!cancel_check(err))
			return false;
	}
	return true;
}

static uint64_t in_piece(uint64_t offset)
{
	return offset % SPARSE_PIECE_BYTES;
}

/* The first `len` of the zeros that were counted are a hole, or become one. */
static bool settle(struct sparse_writer *writer, uint64_t len, struct err *err)
{
	uint64_t start = writer->offset - writer->zeros;

	writer->zeros -= len;
	return writer->is_fresh || sparse_zero(writer->fd, start, len, err);
}

/* Data follows in this piece: only the pieces before it are holes. */
static bool settle_before_data(struct sparse_writer *writer, struct err *err)
{
	uint64_t here = in_piece(writer->offset);
	uint64_t zeros = writer->zeros < here ? writer->zeros : here;

	if (!settle(writer, writer->zeros - zeros, err))
		return false;
	writer->zeros = 0;
	return write_zeros(writer->fd, writer->offset - zeros, zeros, err);
}

/* Of the data, what has to be written before the next segment that can be left out. */
static size_t find_data(const struct sparse_writer *writer, struct span data)
{
	bool piece_has_data = writer->piece_has_data;
	size_t len = 0;

	while (len < data.len) {
		size_t left = data.len - len;
		uint64_t piece_left = SPARSE_PIECE_BYTES - in_piece(writer->offset + len);
		size_t segment = left < piece_left ? left : (size_t)piece_left;

		if (!piece_has_data && is_zeros(span_make(data.ptr + len, segment)))
			break;
		len += segment;
		piece_has_data = segment < piece_left;
	}
	return len;
}

static bool write_data(struct sparse_writer *writer, struct span data, struct err *err)
{
	if (!settle_before_data(writer, err) ||
	    !fs_pwrite_all(writer->fd, data.ptr, data.len, writer->offset, err))
		return false;
	writer->offset += data.len;
	writer->piece_has_data = in_piece(writer->offset) != 0;
	return true;
}

/* The first segment. */
static size_t count_zeros(struct sparse_writer *writer, struct span data)
{
	uint64_t piece_left = SPARSE_PIECE_BYTES - in_piece(writer->offset);
	size_t len = data.len < piece_left ? data.len : (size_t)piece_left;

	writer->zeros += len;
	writer->offset += len;
	return len;
}

bool sparse_write(struct sparse_writer *writer, struct span data, struct err *err)
{
	if (data.len > writer->end - writer->offset)
		return err_set(err, ERR_CORRUPT, "more data than its place on the disk holds");
	while (data.len > 0) {
		size_t len = find_data(writer, data);

		if (len == 0)
			len = count_zeros(writer, data);
		else if (!write_data(writer, span_first(data, len), err))
			return false;
		data = span_from(data, len);
	}
	return writer->offset < writer->end || settle(writer, writer->zeros, err);
}
