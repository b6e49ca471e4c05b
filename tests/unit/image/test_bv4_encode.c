/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of encoding in image/bv4.h. */
#include "image/bv4.h"

#include "base/mem.h"
#include "base/str.h"
#include "bv4_reference.h"
#include "noise.h"
#include "unit.h"

static const size_t sizes[] = { 0,      1,      4,      5,      12,     13,     4096,    65535,
				65536,  65537,  65540,  131072, 131073, 262143, 1048575, 1048576,
				100000, 200001, 300007, 999999, 65548,  131085, 1 << 19, 777777 };

struct taken {
	struct str bytes;
};

static bool take(void *ctx, struct span bytes, struct err *err)
{
	struct taken *taken = ctx;

	(void)err;
	str_add_span(&taken->bytes, bytes);
	return true;
}

/* The stream gives this data, says our decoder, in odd steps, and says the other one. */
static void check_stream(const char *what, struct span stream, struct span data)
{
	struct taken taken = { 0 };
	struct reference_output out = { 0 };
	const struct byte_sink sink = { .add = take, .ctx = &taken };
	CLEANUP(bv4_decoder_cleanup)
	struct bv4_decoder *decoder = bv4_decoder_new(data.len, sink);
	struct err err = { 0 };

	for (size_t at = 0, n; at < stream.len; at += n) {
		n = stream.len - at < 30011 ? stream.len - at : 30011;
		check(bv4_decoder_add(decoder, span_make(stream.ptr + at, n), &err), "%s: %s", what,
		      err.text);
	}
	check(bv4_decoder_finish(decoder, &err), "%s: %s", what, err.text);
	check(span_equal(str_span(&taken.bytes), data), "%s: other data", what);
	check(reference_decode((const uint8_t *)stream.ptr, stream.len, data.len, &out),
	      "%s: refused by the reference decoder", what);
	check(span_equal(span_make((const char *)out.bytes.v, out.bytes.n), data),
	      "%s: other data by the reference decoder", what);
	vec_done(&out.bytes);
	str_done(&taken.bytes);
}

static void check_piece(const char *what, struct span encoded, struct span data)
{
	CLEANUP_STR struct str stream = { 0 };

	str_add_span(&stream, encoded);
	str_add(&stream, BV4_END);
	check_stream(what, str_span(&stream), data);
}

/* Blocks as the original writes them: 64 KiB each but the last; stored exactly if LZ4 does not help. */
static void check_blocks(const char *what, struct span encoded, size_t data_len)
{
	const uint8_t *at = (const uint8_t *)encoded.ptr;
	const uint8_t *end = at + encoded.len;

	for (size_t done = 0, want; done < data_len; done += want) {
		bool is_stored;
		size_t payload;

		want = data_len - done < BV4_BLOCK_BYTES ? data_len - done : BV4_BLOCK_BYTES;
		assert_true(end - at > 8);
		is_stored = memcmp(at, "bv4-", 4) == 0;
		check(is_stored || memcmp(at, "bv41", 4) == 0, "%s: magic", what);
		check(reference_u32(at + 4) == want, "%s: block of %u", what,
		      reference_u32(at + 4));
		payload = is_stored ? want : reference_u32(at + 8);
		check(is_stored || payload < want, "%s: larger than stored", what);
		at += (is_stored ? 8 : 12) + payload;
	}
	check(at == end, "%s: bytes after the last block", what);
}

static void encode_everything(struct bv4_encoder *used, enum noise_kind kind, size_t size,
			      uint64_t *seed)
{
	CLEANUP_FREE char *data = xcalloc(1, size + 1);
	CLEANUP_FREE char *moved = xcalloc(1, size + 8);
	CLEANUP(bv4_encoder_cleanup) struct bv4_encoder *fresh = bv4_encoder_new();
	struct span encoded;
	struct span again;
	char what[64];

	(void)snprintf(what, sizeof(what), "kind %d, %zu bytes", (int)kind, size);
	noise_fill(kind, data, size, seed);
	memcpy(moved + 3, data, size);
	bv4_encode_piece(fresh, span_make(data, size), &encoded);
	check(encoded.len <= BV4_PIECE_BOUND, "%s: bound", what);
	check(kind != NOISE_ZEROS || encoded.len <= 300 * (size / BV4_BLOCK_BYTES + 1),
	      "%s: %zu for zeros", what, encoded.len);
	check_blocks(what, encoded, size);
	check_piece(what, encoded, span_make(data, size));
	bv4_encode_piece(used, span_make(moved + 3, size), &again);
	check(span_equal(encoded, again), "%s: depends on what came before", what);
}

static void the_output_depends_on_the_data_only(void **state)
{
	CLEANUP(bv4_encoder_cleanup) struct bv4_encoder *used = bv4_encoder_new();
	uint64_t seed = 4711;

	(void)state;
	for (int kind = 0; kind < NOISE_KINDS; kind++)
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
			encode_everything(used, (enum noise_kind)kind, sizes[i], &seed);
}

static void zeros_are_like_other_data(void **state)
{
	CLEANUP(bv4_encoder_cleanup) struct bv4_encoder *plain = bv4_encoder_new();
	CLEANUP(bv4_encoder_cleanup) struct bv4_encoder *encoder = bv4_encoder_new();
	CLEANUP_FREE char *zeros = xcalloc(1, BV4_PIECE_BYTES);
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		size_t size = i % 3 == 0 ? BV4_PIECE_BYTES : sizes[noise_below(&seed, 24)];
		struct span want;
		struct span got;

		bv4_encode_piece(plain, span_make(zeros, size), &want);
		bv4_encode_zeros(encoder, size, &got);
		check(span_equal(want, got), "%zu zeros", size);
		if (i % 5 == 0)
			bv4_encode_piece(encoder, span_make(zeros, 70000), &got);
	}
}

/* A whole layer, and each of its pieces alone. */
static void pieces_make_a_stream(void **state)
{
	CLEANUP(bv4_encoder_cleanup) struct bv4_encoder *encoder = bv4_encoder_new();
	CLEANUP_STR struct str stream = { 0 };
	size_t size = 5 * BV4_PIECE_BYTES + 4711;
	CLEANUP_FREE char *data = xcalloc(1, size);
	uint64_t seed = 99;

	(void)state;
	noise_fill(NOISE_MIXED, data, size, &seed);
	for (size_t at = 0; at < size; at += BV4_PIECE_BYTES) {
		size_t left = size - at;
		struct span piece = span_make(data + at,
					      left < BV4_PIECE_BYTES ? left : BV4_PIECE_BYTES);
		struct span encoded;

		bv4_encode_piece(encoder, piece, &encoded);
		check_piece("a piece", encoded, piece);
		str_add_span(&stream, encoded);
	}
	str_add(&stream, BV4_END);
	check_stream("all pieces", str_span(&stream), span_make(data, size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_output_depends_on_the_data_only),
		cmocka_unit_test(zeros_are_like_other_data),
		cmocka_unit_test(pieces_make_a_stream),
	};

	return unit_main(tests);
}
