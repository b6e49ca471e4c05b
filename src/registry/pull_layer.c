/* SPDX-License-Identifier: Apache-2.0 */
/* Layers on their way into the disk. */
#include "registry/pull_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/mem.h"
#include "image/bv4.h"
#include "image/extent.h"
#include "image/lz4_frame.h"
#include "image/sparse_writer.h"
#include "image/zeros.h"

#define BUFFER_BYTES ((size_t)256 * 1024)

bool layer_has_data(const struct layer_place *place, bool *ret, struct err *err)
{
	struct extent extent;

	if (!extent_find(place->fd, place->offset, place->offset + place->data_bytes, &extent, err))
		return false;
	*ret = extent.len > 0;
	return true;
}

bool layer_clear(const struct layer_place *place, struct err *err)
{
	return sparse_zero(place->fd, place->offset, place->data_bytes, err);
}

/* After another error, which is the one to tell. */
static void clear_after(const struct layer_place *place)
{
	struct err ignored;

	(void)layer_clear(place, &ignored);
}

/* A stretch of a file as a stream; holes are not read. */
struct range {
	int fd;
	uint64_t offset;
	uint64_t end;
	char *buf; /* BUFFER_BYTES */
	struct byte_sink sink;
};

static bool pass_zeros(struct range *range, uint64_t end, struct err *err)
{
	static const char zeros[65536];

	while (range->offset < end) {
		uint64_t left = end - range->offset;
		size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		if (!range->sink.add(range->sink.ctx, span_make(zeros, n), err) ||
		    !cancel_check(err))
			return false;
		range->offset += n;
	}
	return true;
}

/* *ret_read = false when the file cannot be read, which is for the caller to judge. */
static bool pass_data(struct range *range, uint64_t end, bool *ret_read, struct err *err)
{
	while (range->offset < end) {
		uint64_t left = end - range->offset;
		size_t want = left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES;
		ssize_t n = pread(range->fd, range->buf, want, (off_t)range->offset);

		if (n == 0 || (n < 0 && errno != EINTR)) {
			*ret_read = false;
			return true;
		}
		if (n > 0) {
			if (!range->sink.add(range->sink.ctx, span_make(range->buf, (size_t)n),
					     err))
				return false;
			range->offset += (size_t)n;
		}
		if (!cancel_check(err))
			return false;
	}
	return true;
}

static bool pass_range(int fd, uint64_t offset, uint64_t len, struct byte_sink sink, bool *ret_read,
		       struct err *err)
{
	CLEANUP_FREE char *buf = xcalloc(1, BUFFER_BYTES);
	struct range range = {
		.fd = fd, .offset = offset, .end = offset + len, .buf = buf, .sink = sink
	};

	*ret_read = true;
	while (range.offset < range.end && *ret_read) {
		struct extent extent;
		struct err ignored;

		if (!extent_find(fd, range.offset, range.end, &extent, &ignored)) {
			*ret_read = false;
			break;
		}
		if (extent.len == 0)
			return pass_zeros(&range, range.end, err);
		if (!pass_zeros(&range, extent.start, err) ||
		    !pass_data(&range, extent.start + extent.len, ret_read, err))
			return false;
	}
	return true;
}

static bool hash_bytes(void *ctx, struct span bytes, struct err *err)
{
	(void)err;
	digest_add(ctx, bytes.ptr, bytes.len);
	return true;
}

bool layer_check(const struct layer_place *place, bool *ret_same, struct err *err)
{
	CLEANUP(digest_cleanup) struct digest *digest = digest_new();
	const struct byte_sink sink = { .add = hash_bytes, .ctx = digest };
	char hex[DIGEST_HEX_SIZE];
	bool is_read;

	if (!pass_range(place->fd, place->offset, place->data_bytes, sink, &is_read, err))
		return false;
	digest_finish(digest, hex);
	*ret_same = is_read && strcmp(hex, place->hex) == 0;
	return true;
}

/* Data that is hashed and written. */
struct intake {
	const struct layer_place *place;
	struct digest *digest;
	struct sparse_writer writer;
};

static void intake_begin(struct intake *intake, const struct layer_place *place)
{
	*intake = (struct intake){
		.place = place,
		.digest = digest_new(),
		.writer = { .fd = place->fd,
			    .offset = place->offset,
			    .end = place->offset + place->data_bytes,
			    .is_fresh = place->is_fresh },
	};
}

static void intake_done(struct intake *intake)
{
	digest_free(intake->digest);
}

/* Into a place that holds something: what is right already stays, and stays shared with whatever file it is from. */
static bool write_changes(struct intake *intake, struct span bytes, struct err *err)
{
	struct sparse_writer *writer = &intake->writer;
	CLEANUP_FREE char *there = NULL;
	ssize_t n;

	if (bytes.len > writer->end - writer->offset)
		return err_set(err, ERR_CORRUPT, "more data than its place on the disk holds");
	there = xcalloc(1, bytes.len + 1);
	n = pread(writer->fd, there, bytes.len, (off_t)writer->offset);
	if (n != (ssize_t)bytes.len || memcmp(there, bytes.ptr, bytes.len) != 0) {
		if (is_zeros(bytes) ?
			    !sparse_zero(writer->fd, writer->offset, bytes.len, err) :
			    !fs_pwrite_all(writer->fd, bytes.ptr, bytes.len, writer->offset, err))
			return false;
	}
	writer->offset += bytes.len;
	return true;
}

static bool take_in(void *ctx, struct span bytes, struct err *err)
{
	struct intake *intake = ctx;

	digest_add(intake->digest, bytes.ptr, bytes.len);
	if (intake->place->is_fresh)
		return sparse_write(&intake->writer, bytes, err);
	return write_changes(intake, bytes, err);
}

/* All of the data came, and it is the right data. Afterwards only intake_done() is allowed. */
static bool intake_is_right(struct intake *intake, char ret_hex[DIGEST_HEX_SIZE])
{
	digest_finish(intake->digest, ret_hex);
	return intake->writer.offset == intake->writer.end &&
	       strcmp(ret_hex, intake->place->hex) == 0;
}

/* Only whole blocks can be shared, and not on every file system. */
static bool share_blocks(int src_fd, uint64_t src_offset, const struct layer_place *place)
{
	struct file_clone_range range = {
		.src_fd = src_fd,
		.src_offset = src_offset,
		.src_length = place->data_bytes,
		.dest_offset = place->offset,
	};

	/* 0 would mean: to the end of the file. */
	return range.src_length > 0 && ioctl(place->fd, FICLONERANGE, &range) == 0;
}

static bool copy_bytes(int src_fd, uint64_t src_offset, const struct layer_place *place,
		       bool *ret_same, struct err *err)
{
	CLEANUP(intake_done) struct intake intake = { .digest = NULL };
	const struct byte_sink sink = { .add = take_in, .ctx = &intake };
	char hex[DIGEST_HEX_SIZE];
	bool is_read;

	intake_begin(&intake, place);
	if (!pass_range(src_fd, src_offset, place->data_bytes, sink, &is_read, err))
		return false;
	*ret_same = is_read && intake_is_right(&intake, hex);
	return true;
}

bool layer_copy(int src_fd, uint64_t src_offset, const struct layer_place *place, bool *ret_same,
		struct err *err)
{
	bool same = false;

	if (share_blocks(src_fd, src_offset, place) ?
		    !layer_check(place, &same, err) :
		    !copy_bytes(src_fd, src_offset, place, &same, err)) {
		clear_after(place);
		return false;
	}
	*ret_same = same;
	return same || layer_clear(place, err);
}

/* What a decoder of any codec can do. */
struct codec {
	void *(*make)(uint64_t data_bytes, struct byte_sink decoded);
	bool (*add)(void *decoder, struct span bytes, struct err *err);
	bool (*finish)(void *decoder, struct err *err);
	void (*reset)(void *decoder);
	void (*free)(void *decoder); /* accepts NULL */
};

static void *bv4_make(uint64_t data_bytes, struct byte_sink decoded)
{
	return bv4_decoder_new(data_bytes, decoded);
}

static bool bv4_add(void *decoder, struct span bytes, struct err *err)
{
	return bv4_decoder_add(decoder, bytes, err);
}

static bool bv4_finish(void *decoder, struct err *err)
{
	return bv4_decoder_finish(decoder, err);
}

static void bv4_reset(void *decoder)
{
	bv4_decoder_reset(decoder);
}

static void bv4_free(void *decoder)
{
	bv4_decoder_free(decoder);
}

static void *frame_make(uint64_t data_bytes, struct byte_sink decoded)
{
	return lz4_frame_decoder_new(data_bytes, decoded);
}

static bool frame_add(void *decoder, struct span bytes, struct err *err)
{
	return lz4_frame_decoder_add(decoder, bytes, err);
}

static bool frame_finish(void *decoder, struct err *err)
{
	return lz4_frame_decoder_finish(decoder, err);
}

static void frame_reset(void *decoder)
{
	lz4_frame_decoder_reset(decoder);
}

static void frame_free(void *decoder)
{
	lz4_frame_decoder_free(decoder);
}

static const struct codec codecs[LAYER_CODEC_COUNT] = {
	[LAYER_BV4] = { bv4_make, bv4_add, bv4_finish, bv4_reset, bv4_free },
	[LAYER_LZ4_FRAME] = { frame_make, frame_add, frame_finish, frame_reset, frame_free },
};

struct fetch {
	struct intake intake;
	const struct codec *codec;
	void *decoder;
	struct pull_meter *meter;
	uint64_t counted_bytes;
};

static void fetch_done(struct fetch *fetch)
{
	intake_done(&fetch->intake);
	fetch->codec->free(fetch->decoder);
}

static bool decode(void *ctx, struct span bytes, struct err *err)
{
	struct fetch *fetch = ctx;

	fetch->counted_bytes += bytes.len;
	fetch->meter->done_bytes += bytes.len;
	return fetch->codec->add(fetch->decoder, bytes, err);
}

static void uncount(struct fetch *fetch)
{
	fetch->meter->done_bytes -= fetch->counted_bytes;
	fetch->counted_bytes = 0;
}

/* What was written is there still: it is taken away, or compared with what comes. */
static bool begin_again(void *ctx, struct err *err)
{
	struct fetch *fetch = ctx;
	const struct layer_place *place = fetch->intake.place;

	if (place->is_fresh && !layer_clear(place, err))
		return false;
	intake_done(&fetch->intake);
	intake_begin(&fetch->intake, place);
	fetch->codec->reset(fetch->decoder);
	uncount(fetch);
	return true;
}

static bool fetch_data(struct registry *registry, const struct descriptor *descriptor,
		       struct fetch *fetch, struct err *err)
{
	const struct blob_sink sink = { .add = decode, .reset = begin_again, .ctx = fetch };
	char hex[DIGEST_HEX_SIZE];

	if (!blob_fetch(registry, descriptor->digest, descriptor->size_bytes, sink, NULL, err) ||
	    !fetch->codec->finish(fetch->decoder, err))
		return false;
	if (!intake_is_right(&fetch->intake, hex))
		return err_set(err, ERR_CORRUPT,
			       "its data is not what the manifest says: it has the digest %s%s",
			       NAME_DIGEST_PREFIX, hex);
	return true;
}

bool layer_fetch(struct registry *registry, const struct descriptor *descriptor,
		 enum layer_codec codec, const struct layer_place *place, struct pull_meter *meter,
		 struct err *err)
{
	CLEANUP(fetch_done) struct fetch fetch = { .codec = &codecs[codec], .meter = meter };
	const struct byte_sink decoded = { .add = take_in, .ctx = &fetch.intake };

	intake_begin(&fetch.intake, place);
	fetch.decoder = fetch.codec->make(place->data_bytes, decoded);
	if (fetch_data(registry, descriptor, &fetch, err))
		return true;
	uncount(&fetch);
	clear_after(place);
	return false;
}
