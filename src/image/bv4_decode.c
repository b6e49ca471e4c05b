/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding Apple's LZ4 framing.
 *
 * Theory of operation. The stream comes in pieces of any size. A block's header is gathered in `header`, checked, and
 * then its payload: of a stored block, bytes are handed on as they come; of a compressed block, all of it is gathered in
 * `encoded` unless it lies in one piece of the input already.
 *
 * Compressed blocks are decoded behind their history in one buffer:
 *
 *	window:  | ... | history, at most 64 KiB | the next block | room |
 *	                                         ^ window_used
 *
 * When the room is used up, the history moves to the front. The buffers grow with what has arrived: a header that
 * announces 64 MiB costs nothing until its payload is there.
 */
#include "image/bv4.h"

#include <assert.h>
#include <lz4.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/reader.h"
#include "image/lz4_block.h"

#define MAGIC_BYTES   4
#define HISTORY_BYTES ((size_t)65536)

/* Room for some blocks of the usual size between two moves of the history. */
#define WINDOW_BYTES (HISTORY_BYTES + 4 * BV4_BLOCK_BYTES)

enum state { IN_MAGIC, IN_HEADER, IN_STORED, IN_COMPRESSED, AT_END };

struct bv4_decoder {
	uint64_t data_bytes; /* announced */
	struct byte_sink sink;
	enum state state;
	uint64_t n_taken;   /* bytes of the stream */
	uint64_t n_decoded; /* blocks that are complete, and what was handed on of a stored one */
	char header[BV4_HEADER_MAX];
	size_t header_have;
	size_t header_want;
	bool is_stored;
	size_t block_data;    /* of the current block: bytes it decodes to */
	size_t block_encoded; /* and bytes of its payload */
	char *encoded;
	size_t encoded_have; /* of a stored block: bytes handed on */
	size_t encoded_room;
	char *window;
	size_t window_used;
	size_t window_room;
};

struct bv4_decoder *bv4_decoder_new(uint64_t data_bytes, struct byte_sink sink)
{
	struct bv4_decoder *decoder = xcalloc(1, sizeof(*decoder));

	decoder->data_bytes = data_bytes;
	decoder->sink = sink;
	bv4_decoder_reset(decoder);
	return decoder;
}

void bv4_decoder_free(struct bv4_decoder *decoder)
{
	if (!decoder)
		return;
	free(decoder->encoded);
	free(decoder->window);
	free(decoder);
}

static void begin_block(struct bv4_decoder *decoder)
{
	decoder->state = IN_MAGIC;
	decoder->header_have = 0;
	decoder->header_want = MAGIC_BYTES;
	decoder->encoded_have = 0;
}

void bv4_decoder_reset(struct bv4_decoder *decoder)
{
	decoder->n_taken = 0;
	decoder->n_decoded = 0;
	decoder->window_used = 0;
	begin_block(decoder);
}

static bool corrupt(const struct bv4_decoder *decoder, const char *what, struct err *err)
{
	return err_set(err, ERR_CORRUPT, "bad LZ4 data before byte %llu: %s",
		       (unsigned long long)decoder->n_taken, what);
}

/* Moves the history to the front when the room behind it is too small, and grows the window when there still is not
 * enough. */
static char *window_end(struct bv4_decoder *decoder, size_t room)
{
	size_t keep = decoder->window_used < HISTORY_BYTES ? decoder->window_used : HISTORY_BYTES;

	if (room > decoder->window_room - decoder->window_used) {
		if (decoder->window)
			memmove(decoder->window, decoder->window + decoder->window_used - keep,
				keep);
		decoder->window_used = keep;
	}
	if (!decoder->window || room > decoder->window_room - decoder->window_used) {
		size_t want = decoder->window_used + room;

		decoder->window_room = want < WINDOW_BYTES ? WINDOW_BYTES : want;
		decoder->window = xrealloc(decoder->window, decoder->window_room, 1);
	}
	return decoder->window + decoder->window_used;
}

/* Adds bytes of a stored block to the history: the last 64 KiB are enough. */
static void remember(struct bv4_decoder *decoder, struct span bytes)
{
	if (bytes.len > HISTORY_BYTES)
		bytes = span_from(bytes, bytes.len - HISTORY_BYTES);
	memcpy(window_end(decoder, bytes.len), bytes.ptr, bytes.len);
	decoder->window_used += bytes.len;
}

static bool deliver(struct bv4_decoder *decoder, struct span data, struct err *err)
{
	decoder->n_decoded += data.len;
	return data.len == 0 || decoder->sink.add(decoder->sink.ctx, data, err);
}

static bool decode(struct bv4_decoder *decoder, struct span encoded, struct err *err)
{
	char *out = window_end(decoder, decoder->block_data);
	size_t history = decoder->window_used < HISTORY_BYTES ? decoder->window_used :
								HISTORY_BYTES;
	int n = LZ4_decompress_safe_usingDict(encoded.ptr, out, (int)encoded.len,
					      (int)decoder->block_data, out - history,
					      (int)history);

	if (n < 0 || (size_t)n != decoder->block_data || !lz4_block_offsets_are_valid(encoded))
		return corrupt(decoder, "corrupt block", err);
	decoder->window_used += decoder->block_data;
	return deliver(decoder, span_make(out, decoder->block_data), err);
}

/* Whether the header needs more than its magic. */
static bool take_magic(struct bv4_decoder *decoder, struct err *err)
{
	struct span magic = span_make(decoder->header, MAGIC_BYTES);

	if (span_is(magic, BV4_END)) {
		if (decoder->n_decoded < decoder->data_bytes)
			return corrupt(decoder, "less data than announced", err);
		decoder->state = AT_END;
		return true;
	}
	if (span_is(magic, "bv41"))
		decoder->header_want = MAGIC_BYTES + 8;
	else if (span_is(magic, "bv4-"))
		decoder->header_want = MAGIC_BYTES + 4;
	else
		return corrupt(decoder, "unknown block type", err);
	decoder->state = IN_HEADER;
	decoder->is_stored = decoder->header_want == MAGIC_BYTES + 4;
	return true;
}

static bool take_header(struct bv4_decoder *decoder, struct err *err)
{
	struct reader reader = reader_of(span_make(decoder->header, decoder->header_want));
	uint64_t data = 0;
	uint64_t encoded = 0;

	(void)reader_skip(&reader, MAGIC_BYTES);
	(void)reader_le(&reader, 4, &data);
	if (decoder->is_stored)
		encoded = data;
	else
		(void)reader_le(&reader, 4, &encoded);
	if (data > BV4_BLOCK_MAX || encoded > BV4_BLOCK_MAX)
		return corrupt(decoder, "block too large", err);
	if (data > decoder->data_bytes - decoder->n_decoded)
		return corrupt(decoder, "more data than announced", err);
	if (!decoder->is_stored && data > BV4_RATIO_MAX * encoded)
		return corrupt(decoder, "impossible ratio", err);
	decoder->block_data = (size_t)data;
	decoder->block_encoded = (size_t)encoded;
	decoder->state = decoder->is_stored ? IN_STORED : IN_COMPRESSED;
	return true;
}

static struct span take(struct bv4_decoder *decoder, struct span *input, size_t max)
{
	struct span taken = span_first(*input, input->len < max ? input->len : max);

	*input = span_from(*input, taken.len);
	decoder->n_taken += taken.len;
	return taken;
}

static bool add_header(struct bv4_decoder *decoder, struct span *input, struct err *err)
{
	struct span part = take(decoder, input, decoder->header_want - decoder->header_have);

	memcpy(decoder->header + decoder->header_have, part.ptr, part.len);
	decoder->header_have += part.len;
	if (decoder->header_have < decoder->header_want)
		return true;
	return decoder->state == IN_MAGIC ? take_magic(decoder, err) : take_header(decoder, err);
}

static bool add_stored(struct bv4_decoder *decoder, struct span *input, struct err *err)
{
	struct span part = take(decoder, input, decoder->block_encoded - decoder->encoded_have);

	decoder->encoded_have += part.len;
	if (part.len > 0)
		remember(decoder, part);
	if (decoder->encoded_have == decoder->block_encoded)
		begin_block(decoder);
	return deliver(decoder, part, err);
}

/* Appends to `encoded`, which grows to at most twice of what is there. */
static void gather(struct bv4_decoder *decoder, struct span part)
{
	size_t have = decoder->encoded_have + part.len;

	if (have > decoder->encoded_room) {
		size_t room = 2 * have < decoder->block_encoded ? 2 * have : decoder->block_encoded;

		decoder->encoded = xrealloc(decoder->encoded, room, 1);
		decoder->encoded_room = room;
	}
	memcpy(decoder->encoded + decoder->encoded_have, part.ptr, part.len);
	decoder->encoded_have = have;
}

static bool add_compressed(struct bv4_decoder *decoder, struct span *input, struct err *err)
{
	struct span part = take(decoder, input, decoder->block_encoded - decoder->encoded_have);

	if (part.len < decoder->block_encoded) {
		gather(decoder, part);
		if (decoder->encoded_have < decoder->block_encoded)
			return true;
		part = span_make(decoder->encoded, decoder->block_encoded);
	}
	begin_block(decoder);
	return decode(decoder, part, err);
}

static bool add_some(struct bv4_decoder *decoder, struct span *input, struct err *err)
{
	switch (decoder->state) {
	case IN_MAGIC:
	case IN_HEADER:
		return add_header(decoder, input, err);
	case IN_STORED:
		return add_stored(decoder, input, err);
	case IN_COMPRESSED:
		return add_compressed(decoder, input, err);
	case AT_END:
		break;
	}
	return corrupt(decoder, "something follows the end mark", err);
}

/* A block without payload is complete with its header. */
static bool has_empty_payload(const struct bv4_decoder *decoder)
{
	return (decoder->state == IN_STORED || decoder->state == IN_COMPRESSED) &&
	       decoder->block_encoded == 0;
}

bool bv4_decoder_add(struct bv4_decoder *decoder, struct span bytes, struct err *err)
{
	while (bytes.len > 0 || has_empty_payload(decoder))
		if (!add_some(decoder, &bytes, err))
			return false;
	return true;
}

bool bv4_decoder_finish(struct bv4_decoder *decoder, struct err *err)
{
	if (decoder->state != AT_END)
		return corrupt(decoder, "truncated", err);
	assert(decoder->n_decoded == decoder->data_bytes);
	return true;
}
