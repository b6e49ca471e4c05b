/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building, reading and looking up the index of disk layers: docs/FORMAT.image.md.
 *
 * The pieces of a layer are runs: one piece of data, or any number of pieces of zeros that encode to the same length.
 * They are kept as they travel and walked for each look-up; a layer has at most LAYER_INDEX_PIECES_MAX pieces.
 */
#include "image/layer_index.h"

#include <assert.h>

#include "base/mem.h"
#include "base/reader.h"

#define MAGIC       "tart-idx"
#define MAGIC_BYTES ((size_t)8)
#define VERSION     1

#define DIGEST_BYTES ((size_t)32)

/* In the first word of a run: the rest counts pieces of zeros; else it is the encoded length of a piece of data. */
#define ZEROS_BIT ((uint32_t)1 << 31)

struct run {
	bool is_zeros;
	uint32_t n_pieces;
	uint32_t blob_bytes; /* of each */
	struct span digest;  /* raw; empty for zeros */
};

static void put_le(struct str *out, uint64_t value, int n_bytes)
{
	for (int i = 0; i < n_bytes; i++)
		str_add_char(out, (char)(value >> (8 * i)));
}

static bool next_run(struct reader *reader, struct run *ret)
{
	struct run run = { .n_pieces = 1 };
	uint64_t word;
	uint64_t blob_bytes;

	if (!reader_le(reader, 4, &word))
		return false;
	run.is_zeros = word & ZEROS_BIT;
	if (!run.is_zeros) {
		run.blob_bytes = (uint32_t)word;
		if (!reader_take(reader, DIGEST_BYTES, &run.digest))
			return false;
	} else {
		run.n_pieces = (uint32_t)(word - ZEROS_BIT);
		if (!reader_le(reader, 4, &blob_bytes))
			return false;
		run.blob_bytes = (uint32_t)blob_bytes;
	}
	*ret = run;
	return true;
}

static unsigned int nibble_of(char digit)
{
	return (unsigned int)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void put_digest(struct str *out, const char *hex)
{
	assert(digest_is_hex(span_of(hex)));
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		str_add_char(out, (char)(nibble_of(hex[2 * i]) << 4 | nibble_of(hex[2 * i + 1])));
}

static void print_hex(struct span raw, char ret_hex[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < raw.len; i++) {
		unsigned int byte = (unsigned char)raw.ptr[i];

		ret_hex[2 * i] = digits[byte >> 4];
		ret_hex[2 * i + 1] = digits[byte & 0x0f];
	}
	ret_hex[2 * raw.len] = '\0';
}

void layer_pieces_done(struct layer_pieces *pieces)
{
	str_done(&pieces->runs);
	*pieces = (struct layer_pieces){ 0 };
}

/* The run of zeros at the end, if it is one of pieces that encode to this length. */
static bool extend_zeros(struct layer_pieces *pieces, size_t blob_bytes)
{
	struct reader reader;
	struct run run;

	if (pieces->last_zeros == 0)
		return false;
	reader = reader_of(span_from(str_span(&pieces->runs), pieces->last_zeros - 1));
	if (!next_run(&reader, &run) || run.blob_bytes != blob_bytes)
		return false;
	str_truncate(&pieces->runs, pieces->last_zeros - 1);
	put_le(&pieces->runs, ZEROS_BIT | (run.n_pieces + 1), 4);
	put_le(&pieces->runs, blob_bytes, 4);
	return true;
}

void layer_pieces_add(struct layer_pieces *pieces, size_t data_bytes, size_t blob_bytes,
		      const char *digest)
{
	assert(data_bytes > 0 && data_bytes <= BV4_PIECE_BYTES && blob_bytes <= BV4_PIECE_BOUND);
	assert(pieces->data_bytes % BV4_PIECE_BYTES == 0); /* the one before was not short */
	pieces->data_bytes += data_bytes;
	pieces->blob_bytes += blob_bytes;
	if (digest) {
		put_le(&pieces->runs, blob_bytes, 4);
		put_digest(&pieces->runs, digest);
		pieces->last_zeros = 0;
	} else if (!extend_zeros(pieces, blob_bytes)) {
		pieces->last_zeros = pieces->runs.len + 1;
		put_le(&pieces->runs, ZEROS_BIT | 1, 4);
		put_le(&pieces->runs, blob_bytes, 4);
	}
}

bool layer_pieces_are_known(const struct layer_pieces *pieces)
{
	return pieces->runs.len > 0;
}

bool layer_pieces_fit(const struct layer_pieces *pieces, uint64_t data_bytes, uint64_t blob_bytes)
{
	return pieces->data_bytes == data_bytes &&
	       (!layer_pieces_are_known(pieces) ||
		pieces->blob_bytes + BV4_END_BYTES == blob_bytes);
}

bool layer_pieces_find(const struct layer_pieces *pieces, uint64_t at, struct layer_piece *ret)
{
	struct reader reader = reader_of(str_span(&pieces->runs));
	uint64_t wanted = at / BV4_PIECE_BYTES;
	uint64_t n_before = 0;
	uint64_t blob_start = 0;
	uint64_t left;
	struct run run;

	if (at >= pieces->data_bytes)
		return false;
	for (;;) {
		if (!next_run(&reader, &run))
			return false;
		if (wanted - n_before < run.n_pieces)
			break;
		n_before += run.n_pieces;
		blob_start += (uint64_t)run.n_pieces * run.blob_bytes;
	}
	ret->data_start = wanted * BV4_PIECE_BYTES;
	left = pieces->data_bytes - ret->data_start;
	ret->data_bytes = left < BV4_PIECE_BYTES ? (size_t)left : BV4_PIECE_BYTES;
	ret->blob_start = blob_start + (wanted - n_before) * run.blob_bytes;
	ret->blob_bytes = run.blob_bytes;
	ret->is_zeros = run.is_zeros;
	print_hex(run.digest, ret->digest);
	return true;
}

struct target {
	char *data;
	size_t used;
};

/* The decoder gives no more than was announced. */
static bool fill(void *ctx, struct span bytes, struct err *err)
{
	struct target *target = ctx;

	(void)err;
	memcpy(target->data + target->used, bytes.ptr, bytes.len);
	target->used += bytes.len;
	return true;
}

bool layer_piece_decode(const struct layer_piece *piece, struct span encoded, char *ret_data,
			struct err *err)
{
	struct target target = { .data = ret_data };
	const struct byte_sink sink = { .add = fill, .ctx = &target };
	CLEANUP(bv4_decoder_cleanup) struct bv4_decoder *decoder = NULL;
	char digest[DIGEST_HEX_SIZE];

	if (piece->is_zeros) {
		memset(ret_data, 0, piece->data_bytes);
		return true;
	}
	decoder = bv4_decoder_new(piece->data_bytes, sink);
	if (encoded.len != piece->blob_bytes)
		return err_set(err, ERR_CORRUPT, "a piece of %zu bytes, not %zu", encoded.len,
			       piece->blob_bytes);
	/* The end mark is not the piece's: one in it comes too early, or its block ends too late. */
	if (!bv4_decoder_add(decoder, encoded, err) ||
	    !bv4_decoder_add(decoder, span_of(BV4_END), err) || !bv4_decoder_finish(decoder, err))
		return false;
	digest_of(span_make(ret_data, piece->data_bytes), digest);
	if (strcmp(digest, piece->digest) != 0)
		return err_set(err, ERR_CORRUPT, "a piece with digest %s, not %s", digest,
			       piece->digest);
	return true;
}

void layer_index_done(struct layer_index *index)
{
	vec_each(&index->layers, layer)
		layer_pieces_done(layer);
	vec_done(&index->layers);
}

static bool is_length_possible(uint64_t data_bytes, uint32_t blob_bytes)
{
	uint64_t n_blocks = (data_bytes + BV4_BLOCK_BYTES - 1) / BV4_BLOCK_BYTES;

	return blob_bytes <= data_bytes + n_blocks * BV4_HEADER_MAX &&
	       data_bytes <= BV4_RATIO_MAX * blob_bytes;
}

/* Whether this run can come next: it is not too long, its pieces can have this encoded length, and it could not be part
 * of the run before it. */
static bool check_run(const struct layer_pieces *pieces, const struct run *run, uint64_t left,
		      const struct run *before)
{
	uint64_t n_left = (left + BV4_PIECE_BYTES - 1) / BV4_PIECE_BYTES;
	uint64_t last;

	if (run->n_pieces == 0 || run->n_pieces > n_left)
		return false;
	if (run->is_zeros && pieces->last_zeros > 0 && before->blob_bytes == run->blob_bytes)
		return false;
	last = left - (uint64_t)(run->n_pieces - 1) * BV4_PIECE_BYTES;
	return is_length_possible(last < BV4_PIECE_BYTES ? last : BV4_PIECE_BYTES,
				  run->blob_bytes) &&
	       (run->n_pieces == 1 || is_length_possible(BV4_PIECE_BYTES, run->blob_bytes));
}

static bool parse_runs(struct span runs, struct layer_pieces *pieces, struct err *err)
{
	struct reader reader = reader_of(runs);
	uint64_t left = pieces->data_bytes;
	struct run before = { 0 };
	struct run run;

	if (left > LAYER_INDEX_PIECES_MAX * BV4_PIECE_BYTES)
		return err_set(err, ERR_GENERAL, "too many pieces");
	while (left > 0) {
		uint64_t covered;
		size_t at = runs.len - reader_rest(&reader).len;

		if (!next_run(&reader, &run))
			return err_set(err, ERR_GENERAL, "pieces are missing");
		if (!check_run(pieces, &run, left, &before))
			return err_set(err, ERR_GENERAL, "pieces that cannot be");
		covered = run.n_pieces * BV4_PIECE_BYTES;
		left -= covered < left ? covered : left;
		pieces->blob_bytes += (uint64_t)run.n_pieces * run.blob_bytes;
		pieces->last_zeros = run.is_zeros ? at + 1 : 0;
		before = run;
	}
	if (reader_rest(&reader).len > 0)
		return err_set(err, ERR_GENERAL, "too many pieces");
	str_add_span(&pieces->runs, runs);
	return true;
}

static bool parse_layer(struct reader *reader, struct layer_pieces *ret, struct err *err)
{
	uint64_t runs_bytes;
	struct span runs;

	if (!reader_le(reader, 8, &ret->data_bytes) || !reader_le(reader, 4, &runs_bytes) ||
	    !reader_take(reader, (size_t)runs_bytes, &runs))
		return err_set(err, ERR_GENERAL, "it is cut off");
	return runs.len == 0 || parse_runs(runs, ret, err);
}

static bool parse_header(struct reader *reader, uint64_t *ret_layers, struct err *err)
{
	struct span magic;
	uint64_t version;
	uint64_t piece_bytes;

	if (!reader_take(reader, MAGIC_BYTES, &magic) || !span_is(magic, MAGIC))
		return err_set(err, ERR_GENERAL, "it does not begin as one");
	if (!reader_le(reader, 4, &version) || !reader_le(reader, 4, &piece_bytes) ||
	    !reader_le(reader, 4, ret_layers))
		return err_set(err, ERR_GENERAL, "it is cut off");
	if (version != VERSION)
		return err_set(err, ERR_GENERAL, "it has the unknown version %llu",
			       (unsigned long long)version);
	if (piece_bytes != BV4_PIECE_BYTES)
		return err_set(err, ERR_GENERAL, "it has pieces of %llu bytes",
			       (unsigned long long)piece_bytes);
	if (*ret_layers > LAYER_INDEX_LAYERS_MAX)
		return err_set(err, ERR_GENERAL, "it has too many layers");
	return true;
}

static bool parse(struct span bytes, struct layer_index *index, struct err *err)
{
	struct reader reader = reader_of(bytes);
	uint64_t n_layers;

	if (bytes.len > LAYER_INDEX_MAX)
		return err_set(err, ERR_GENERAL, "it is too large");
	if (!parse_header(&reader, &n_layers, err))
		return false;
	for (uint64_t i = 0; i < n_layers; i++)
		if (!parse_layer(&reader, vec_push(&index->layers), err))
			return err_context(err, "layer %llu", (unsigned long long)i);
	if (reader_rest(&reader).len > 0)
		return err_set(err, ERR_GENERAL, "something follows its end");
	return true;
}

bool layer_index_parse(struct span bytes, struct layer_index *ret, struct err *err)
{
	CLEANUP(layer_index_done) struct layer_index index = { 0 };

	if (!parse(bytes, &index, err))
		return err_context(err, "index of disk layers");
	*ret = index;
	index = (struct layer_index){ 0 };
	return true;
}

void layer_index_print(const struct layer_index *index, struct str *out)
{
	str_add(out, MAGIC);
	put_le(out, VERSION, 4);
	put_le(out, BV4_PIECE_BYTES, 4);
	put_le(out, index->layers.n, 4);
	vec_each(&index->layers, layer) {
		put_le(out, layer->data_bytes, 8);
		put_le(out, layer->runs.len, 4);
		str_add_span(out, str_span(&layer->runs));
	}
}
