/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, comparing and encoding layers. */
#include "registry/push_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "base/mem.h"
#include "image/disk.h"
#include "image/sum.h"
#include "image/zeros.h"
#include "storage/temp.h"

/* Where the file system knows no files without names, the name goes right after the file was made. */
static bool open_nameless(const struct home *home, int *ret_fd, struct err *err)
{
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;
	int fd = openat(home->tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)
		return err_sys(err, errno, "cannot create a temporary file");
	if (fd < 0) {
		if (!temp_make_file(home, "push-", "", &temp, err))
			return false;
		fd = TAKE_FD(temp.fd);
	}
	*ret_fd = fd;
	return true;
}

bool push_worker_open(const struct home *home, int bundle_fd, struct push_worker *ret,
		      struct err *err)
{
	CLEANUP(push_worker_done) struct push_worker worker = PUSH_WORKER_INIT;

	if (!disk_open_extents(bundle_fd, &worker.map, err) ||
	    !open_nameless(home, &worker.blob_fd, err))
		return false;
	worker.encoder = bv4_encoder_new();
	worker.piece = xcalloc(1, BV4_PIECE_BYTES);
	*ret = worker;
	worker = (struct push_worker)PUSH_WORKER_INIT;
	return true;
}

void push_worker_done(struct push_worker *worker)
{
	extent_map_free(worker->map);
	bv4_encoder_free(worker->encoder);
	free(worker->piece);
	cleanup_close(&worker->blob_fd);
	*worker = (struct push_worker)PUSH_WORKER_INIT;
}

/* Reads a piece; a hole is not read, and zeros that were read count as one. */
static bool read_piece(struct push_worker *worker, uint64_t start, size_t len, bool *ret_zeros,
		       struct err *err)
{
	struct extent extent;

	if (!cancel_check(err) || !extent_map_next(worker->map, start, &extent, err))
		return false;
	*ret_zeros = extent.len == 0 || extent.start >= start + len;
	if (*ret_zeros)
		return true;
	if (!extent_map_read(worker->map, start, worker->piece, len, err))
		return false;
	*ret_zeros = is_zeros(span_make(worker->piece, len));
	return true;
}

static bool compare_piece(struct push_worker *worker, uint64_t start,
			  const struct layer_piece *piece, bool *ret_same, struct err *err)
{
	char digest[DIGEST_HEX_SIZE];
	bool zeros;

	if (!read_piece(worker, start + piece->data_start, piece->data_bytes, &zeros, err))
		return false;
	*ret_same = zeros == piece->is_zeros;
	if (zeros || !*ret_same)
		return true;
	digest_of(span_make(worker->piece, piece->data_bytes), digest);
	*ret_same = strcmp(digest, piece->digest) == 0;
	return true;
}

bool push_layer_compare(struct push_worker *worker, uint64_t start,
			const struct layer_pieces *pieces, bool *ret_same, struct err *err)
{
	struct layer_piece piece;
	bool same = true;

	for (uint64_t at = 0; same && at < pieces->data_bytes; at += piece.data_bytes) {
		if (!layer_pieces_find(pieces, at, &piece)) {
			*ret_same = false;
			return true;
		}
		if (!compare_piece(worker, start, &piece, &same, err))
			return false;
	}
	*ret_same = same;
	return true;
}

/* A layer on its way into its blob. */
struct encoding {
	struct digest *data;
	struct digest *blob;
	uint64_t blob_bytes;
	int fd; /* -1: nothing is written */
	struct layer_pieces pieces;
};

static void encoding_begin(struct encoding *encoding, int fd)
{
	*encoding = (struct encoding){ .data = digest_new(), .blob = digest_new(), .fd = fd };
}

static void encoding_done(struct encoding *encoding)
{
	digest_free(encoding->data);
	digest_free(encoding->blob);
	layer_pieces_done(&encoding->pieces);
}

static bool add_blob(struct encoding *encoding, struct span bytes, struct err *err)
{
	digest_add(encoding->blob, bytes.ptr, bytes.len);
	if (encoding->fd >= 0 &&
	    !fs_pwrite_all(encoding->fd, bytes.ptr, bytes.len, encoding->blob_bytes, err))
		return err_context(err, "writing a compressed layer");
	encoding->blob_bytes += bytes.len;
	return true;
}

static bool add_zeros(struct encoding *encoding, struct bv4_encoder *encoder, size_t len,
		      struct err *err)
{
	struct span encoded;

	if (!sum_add_zeros(encoding->data, len, err))
		return false;
	bv4_encode_zeros(encoder, len, &encoded);
	layer_pieces_add(&encoding->pieces, len, encoded.len, NULL);
	return add_blob(encoding, encoded, err);
}

static bool add_data(struct encoding *encoding, struct bv4_encoder *encoder, struct span piece,
		     struct err *err)
{
	char digest[DIGEST_HEX_SIZE];
	struct span encoded;

	digest_of(piece, digest);
	digest_add(encoding->data, piece.ptr, piece.len);
	bv4_encode_piece(encoder, piece, &encoded);
	layer_pieces_add(&encoding->pieces, piece.len, encoded.len, digest);
	return add_blob(encoding, encoded, err);
}

static bool encoding_finish(struct encoding *encoding, struct disk_layer *ret_item,
			    struct layer_pieces *ret_pieces, struct err *err)
{
	if (!add_blob(encoding, span_of(BV4_END), err))
		return false;
	ret_item->data_bytes = encoding->pieces.data_bytes;
	ret_item->blob_bytes = encoding->blob_bytes;
	digest_finish(encoding->data, ret_item->data_digest);
	digest_finish(encoding->blob, ret_item->blob_digest);
	*ret_pieces = encoding->pieces;
	encoding->pieces = (struct layer_pieces){ 0 };
	return true;
}

static size_t piece_at(uint64_t at, uint64_t data_bytes)
{
	return data_bytes - at < BV4_PIECE_BYTES ? (size_t)(data_bytes - at) : BV4_PIECE_BYTES;
}

static bool encode_piece(struct push_worker *worker, struct encoding *encoding, uint64_t start,
			 size_t len, struct err *err)
{
	bool zeros;

	if (!read_piece(worker, start, len, &zeros, err))
		return false;
	return zeros ? add_zeros(encoding, worker->encoder, len, err) :
		       add_data(encoding, worker->encoder, span_make(worker->piece, len), err);
}

bool push_layer_encode(struct push_worker *worker, uint64_t start, uint64_t data_bytes,
		       const struct push_watch *watch, struct disk_layer *ret_item,
		       struct layer_pieces *ret_pieces, struct err *err)
{
	CLEANUP(encoding_done) struct encoding encoding;

	encoding_begin(&encoding, worker->blob_fd);
	/* What the layer before took on the disk is given back, and never written there if this comes soon enough. */
	if (ftruncate(worker->blob_fd, 0) < 0)
		return err_sys(err, errno, "cannot empty a temporary file");
	for (uint64_t at = 0; at < data_bytes; at += BV4_PIECE_BYTES) {
		size_t len = piece_at(at, data_bytes);

		if (!encode_piece(worker, &encoding, start + at, len, err) ||
		    (watch->step && !watch->step(watch->ctx, len, err)))
			return false;
	}
	return encoding_finish(&encoding, ret_item, ret_pieces, err);
}

bool push_zeros_encode(uint64_t data_bytes, struct disk_layer *ret_item,
		       struct layer_pieces *ret_pieces, struct err *err)
{
	CLEANUP(bv4_encoder_cleanup) struct bv4_encoder *encoder = bv4_encoder_new();
	CLEANUP(encoding_done) struct encoding encoding;

	encoding_begin(&encoding, -1);
	for (uint64_t at = 0; at < data_bytes; at += BV4_PIECE_BYTES) {
		if (!cancel_check(err) ||
		    !add_zeros(&encoding, encoder, piece_at(at, data_bytes), err))
			return false;
	}
	return encoding_finish(&encoding, ret_item, ret_pieces, err);
}
