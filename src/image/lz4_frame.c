/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding LZ4 frames.
 *
 * liblz4 would also take frames that are to be skipped, and ask nobody about a dictionary. So the header is gathered and
 * looked at first; then the library gets it, and all that follows.
 */
#include "image/lz4_frame.h"

#include <assert.h>
#include <lz4frame.h>
#include <stdlib.h>

#include "base/mem.h"

#define OUT_BYTES ((size_t)256 << 10)

#define MAGIC          "\x04\x22\x4d\x18"
#define MAGIC_BYTES    4
#define FLAGS_AT       4 /* where in the header they are */
#define FLAG_DICT      0x01U
#define HEADER_SIZE_AT 5 /* so many bytes say how long the header is */

enum state { IN_HEADER, IN_BLOCKS, AT_END };

struct lz4_frame_decoder {
	uint64_t data_bytes; /* announced */
	struct byte_sink sink;
	enum state state;
	uint64_t n_taken;
	uint64_t n_decoded;
	char header[LZ4F_HEADER_SIZE_MAX];
	size_t header_have;
	size_t header_want;
	LZ4F_dctx *lz4;
	char *out;
};

struct lz4_frame_decoder *lz4_frame_decoder_new(uint64_t data_bytes, struct byte_sink sink)
{
	struct lz4_frame_decoder *decoder = xcalloc(1, sizeof(*decoder));

	decoder->data_bytes = data_bytes;
	decoder->sink = sink;
	decoder->out = xcalloc(1, OUT_BYTES);
	if (LZ4F_isError(LZ4F_createDecompressionContext(&decoder->lz4, LZ4F_VERSION)))
		mem_exhausted();
	lz4_frame_decoder_reset(decoder);
	return decoder;
}

void lz4_frame_decoder_free(struct lz4_frame_decoder *decoder)
{
	if (!decoder)
		return;
	(void)LZ4F_freeDecompressionContext(decoder->lz4);
	free(decoder->out);
	free(decoder);
}

void lz4_frame_decoder_reset(struct lz4_frame_decoder *decoder)
{
	LZ4F_resetDecompressionContext(decoder->lz4);
	decoder->state = IN_HEADER;
	decoder->n_taken = 0;
	decoder->n_decoded = 0;
	decoder->header_have = 0;
	decoder->header_want = HEADER_SIZE_AT;
}

static bool corrupt(const struct lz4_frame_decoder *decoder, const char *what, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "bad LZ4 frame before byte %llu: %s",
		       (unsigned long long)decoder->n_taken, what);
}

static bool take_library_error(const struct lz4_frame_decoder *decoder, size_t code,
			       struct err *err)
{
	const char *name = LZ4F_getErrorName(code);

	if (strcmp(name, "ERROR_allocation_failed") == 0)
		mem_exhausted();
	return corrupt(decoder, name, err);
}

/* Some of the header is there: how much of it is wanted? */
static bool measure_header(struct lz4_frame_decoder *decoder, struct err *err)
{
	size_t size;

	if (!span_is(span_make(decoder->header, MAGIC_BYTES), MAGIC))
		return corrupt(decoder, "unknown magic bytes", err);
	if ((unsigned char)decoder->header[FLAGS_AT] & FLAG_DICT)
		return corrupt(decoder, "it was made with a dictionary", err);
	size = LZ4F_headerSize(decoder->header, decoder->header_have);
	if (LZ4F_isError(size))
		return take_library_error(decoder, size, err);
	assert(size <= sizeof(decoder->header));
	decoder->header_want = size;
	return true;
}

static bool take_header(struct lz4_frame_decoder *decoder, struct err *err)
{
	LZ4F_frameInfo_t info;
	size_t size = decoder->header_have;
	size_t result = LZ4F_getFrameInfo(decoder->lz4, &info, decoder->header, &size);

	if (LZ4F_isError(result))
		return take_library_error(decoder, result, err);
	assert(size == decoder->header_have);
	if (info.contentSize > 0 && info.contentSize != decoder->data_bytes)
		return corrupt(decoder, "it holds another size than announced", err);
	decoder->state = IN_BLOCKS;
	return true;
}

static bool add_header(struct lz4_frame_decoder *decoder, struct span *input, struct err *err)
{
	size_t want = decoder->header_want - decoder->header_have;
	size_t n = input->len < want ? input->len : want;

	memcpy(decoder->header + decoder->header_have, input->ptr, n);
	*input = span_from(*input, n);
	decoder->header_have += n;
	decoder->n_taken += n;
	if (decoder->header_have < decoder->header_want)
		return true;
	if (decoder->header_want == HEADER_SIZE_AT)
		return measure_header(decoder, err);
	return take_header(decoder, err);
}

static bool deliver(struct lz4_frame_decoder *decoder, size_t len, struct err *err)
{
	if (len > decoder->data_bytes - decoder->n_decoded)
		return corrupt(decoder, "more data than announced", err);
	decoder->n_decoded += len;
	return len == 0 || decoder->sink.add(decoder->sink.ctx, span_make(decoder->out, len), err);
}

/* One step of the library; *ret_progress = false when it has no use for what there is and nothing to give. */
static bool add_blocks(struct lz4_frame_decoder *decoder, struct span *input, bool *ret_progress,
		       struct err *err)
{
	size_t out = OUT_BYTES;
	size_t in = input->len;
	size_t result = LZ4F_decompress(decoder->lz4, decoder->out, &out, input->ptr, &in, NULL);

	if (LZ4F_isError(result))
		return take_library_error(decoder, result, err);
	*input = span_from(*input, in);
	decoder->n_taken += in;
	*ret_progress = in > 0 || out > 0;
	if (!deliver(decoder, out, err))
		return false;
	if (result > 0)
		return true;
	if (decoder->n_decoded < decoder->data_bytes)
		return corrupt(decoder, "less data than announced", err);
	decoder->state = AT_END;
	return true;
}

bool lz4_frame_decoder_add(struct lz4_frame_decoder *decoder, struct span bytes, struct err *err)
{
	bool progress = true;

	while (decoder->state == IN_HEADER && bytes.len > 0)
		if (!add_header(decoder, &bytes, err))
			return false;
	/* Even without input: what was decoded may not have fitted. */
	while (decoder->state == IN_BLOCKS && progress)
		if (!add_blocks(decoder, &bytes, &progress, err))
			return false;
	return bytes.len == 0 || corrupt(decoder, "something follows its end", err);
}

bool lz4_frame_decoder_finish(struct lz4_frame_decoder *decoder, struct err *err)
{
	if (decoder->state == AT_END || (decoder->n_taken == 0 && decoder->data_bytes == 0))
		return true;
	return corrupt(decoder, "truncated", err);
}
