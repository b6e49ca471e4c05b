/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/layer_index.h. */
#include "image/layer_index.h"

#include "base/mem.h"
#include "image/zeros.h"
#include "noise.h"
#include "place.h"

/* What went into the pieces of a layer. */
struct model {
	size_t data_bytes;
	size_t blob_bytes;
	bool is_zeros;
	char digest[DIGEST_HEX_SIZE];
};

#define MODEL_MAX 600

/* Random pieces: runs of zeros of two encoded lengths, data of any. The last may be short. */
static size_t make_pieces(struct layer_pieces *pieces, struct model *model, uint64_t *seed)
{
	size_t n = noise_below(seed, MODEL_MAX);

	for (size_t i = 0; i < n; i++) {
		struct model *piece = &model[i];
		uint64_t number = noise_next(seed);

		piece->is_zeros = noise_below(seed, 3) > 0;
		piece->data_bytes = i + 1 < n || noise_below(seed, 2) ?
					    BV4_PIECE_BYTES :
					    1 + noise_below(seed, BV4_PIECE_BYTES);
		piece->blob_bytes = piece->data_bytes / 255 + 12 +
				    (piece->is_zeros ?
					     noise_below(seed, 2) :
					     noise_below(seed, piece->data_bytes * 254 / 255 + 1));
		digest_of(span_make((const char *)&number, sizeof(number)), piece->digest);
		layer_pieces_add(pieces, piece->data_bytes, piece->blob_bytes,
				 piece->is_zeros ? NULL : piece->digest);
	}
	return n;
}

static void check_piece(const struct layer_pieces *pieces, const struct model *model, size_t i,
			uint64_t blob_start, uint64_t at)
{
	struct layer_piece piece = { 0 };

	assert_true(layer_pieces_find(pieces, at, &piece));
	assert_int_equal(piece.data_start, i * BV4_PIECE_BYTES);
	assert_int_equal(piece.data_bytes, model->data_bytes);
	assert_int_equal(piece.blob_start, blob_start);
	assert_int_equal(piece.blob_bytes, model->blob_bytes);
	assert_int_equal(piece.is_zeros, model->is_zeros);
	assert_string_equal(piece.digest, model->is_zeros ? "" : model->digest);
}

static void check_pieces(const struct layer_pieces *pieces, const struct model *model, size_t n)
{
	uint64_t blob_start = 0;
	struct layer_piece piece;

	for (size_t i = 0; i < n; i++) {
		uint64_t start = i * BV4_PIECE_BYTES;

		check_piece(pieces, &model[i], i, blob_start, start);
		check_piece(pieces, &model[i], i, blob_start, start + model[i].data_bytes / 2);
		check_piece(pieces, &model[i], i, blob_start, start + model[i].data_bytes - 1);
		blob_start += model[i].blob_bytes;
	}
	assert_int_equal(pieces->blob_bytes, blob_start);
	assert_false(layer_pieces_find(pieces, pieces->data_bytes, &piece));
	assert_false(layer_pieces_find(pieces, UINT64_MAX, &piece));
}

static void what_was_added_is_found(void **state)
{
	CLEANUP_FREE struct model *model = xcalloc(MODEL_MAX, sizeof(*model));
	uint64_t seed = 5;

	(void)state;
	for (int i = 0; i < 20; i++) {
		CLEANUP(layer_index_done) struct layer_index index = { 0 };
		CLEANUP(layer_index_done) struct layer_index again = { 0 };
		CLEANUP_STR struct str bytes = { 0 };
		CLEANUP_STR struct str bytes_again = { 0 };
		struct layer_pieces *pieces = vec_push(&index.layers);
		size_t n = make_pieces(pieces, model, &seed);

		check_pieces(pieces, model, n);
		assert_int_equal(layer_pieces_are_known(pieces), n > 0);
		layer_index_print(&index, &bytes);
		ok(layer_index_parse(str_span(&bytes), &again, &why));
		assert_int_equal(again.layers.n, 1);
		check_pieces(&again.layers.v[0], model, n);
		layer_index_print(&again, &bytes_again);
		assert_true(span_equal(str_span(&bytes), str_span(&bytes_again)));
		/* What is parsed can be added to like what was built. */
		if (n > 0 && model[n - 1].data_bytes == BV4_PIECE_BYTES) {
			layer_pieces_add(&again.layers.v[0], 1000, 20, NULL);
			layer_pieces_add(pieces, 1000, 20, NULL);
			assert_true(span_equal(str_span(&pieces->runs),
					       str_span(&again.layers.v[0].runs)));
		}
	}
}

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* 20 bytes, 12 for a layer, 8 for any number of zeros, 36 for a piece of data. */
static void it_is_small(void **state)
{
	CLEANUP(layer_index_done) struct layer_index index = { 0 };
	CLEANUP_STR struct str bytes = { 0 };

	(void)state;
	for (int layer = 0; layer < 10; layer++) {
		struct layer_pieces *pieces = vec_push(&index.layers);

		for (int i = 0; i < 512; i++)
			layer_pieces_add(pieces, BV4_PIECE_BYTES, 5000, i == 200 ? DIGEST_A : NULL);
	}
	vec_push(&index.layers)->data_bytes = 4711;
	layer_index_print(&index, &bytes);
	assert_int_equal(bytes.len, 20 + 10 * (12 + 8 + 36 + 8) + 12);
}

static bool is_hex_pair(struct span word)
{
	return word.len == 2 && strspn(word.ptr, "0123456789abcdef") >= 2;
}

/* The bytes of the example in the document: what stands in front of each line of the block. */
static void read_example(struct str *out)
{
	CLEANUP_STR struct str text = { 0 };
	const char *start;
	struct span rest;
	struct span line;
	struct span word;

	ok(fs_read_file(AT_FDCWD, TEST_DATA "/../../docs/FORMAT.image.md", 1 << 20, &text, &why));
	start = strstr(str_text(&text), "```\n74 61");
	assert_non_null(start);
	rest = span_of(start + 4);
	while (span_next(&rest, '\n', &line) && !span_is(line, "```"))
		while (span_next(&line, ' ', &word) && (word.len == 0 || is_hex_pair(word)))
			if (word.len > 0)
				str_add_char(out, (char)strtoul(word.ptr, NULL, 16));
}

static void the_document_shows_what_is_written(void **state)
{
	CLEANUP(layer_index_done) struct layer_index index = { 0 };
	CLEANUP_STR struct str example = { 0 };
	CLEANUP_STR struct str bytes = { 0 };
	CLEANUP_FREE char *data = xcalloc(1, BV4_PIECE_BYTES);
	struct layer_pieces *pieces = vec_push(&index.layers);
	char digest[DIGEST_HEX_SIZE];

	(void)state;
	memcpy(data, "Hello, World!\n", 14);
	digest_of(span_make(data, BV4_PIECE_BYTES), digest);
	layer_pieces_add(pieces, BV4_PIECE_BYTES, 4464, digest);
	layer_pieces_add(pieces, BV4_PIECE_BYTES, 4449, NULL);
	layer_pieces_add(pieces, BV4_PIECE_BYTES, 4449, NULL);
	layer_pieces_add(pieces, 102400, 445, NULL);
	assert_true(layer_pieces_fit(pieces, 3248128, 13811));
	layer_index_print(&index, &bytes);
	read_example(&example);
	assert_int_equal(example.len, 84);
	assert_true(span_equal(str_span(&example), str_span(&bytes)));
}

static void a_layer_without_pieces_has_its_length(void **state)
{
	CLEANUP(layer_index_done) struct layer_index index = { 0 };
	CLEANUP_STR struct str bytes = { 0 };
	struct layer_piece piece;

	(void)state;
	vec_push(&index.layers)->data_bytes = 512 * MIB;
	layer_index_print(&index, &bytes);
	layer_index_done(&index);
	ok(layer_index_parse(str_span(&bytes), &index, &why));
	assert_false(layer_pieces_are_known(&index.layers.v[0]));
	assert_false(layer_pieces_find(&index.layers.v[0], 0, &piece));
	assert_true(layer_pieces_fit(&index.layers.v[0], 512 * MIB, 4711));
	assert_false(layer_pieces_fit(&index.layers.v[0], 511 * MIB, 4711));
}

static void pieces_fit_one_layer(void **state)
{
	CLEANUP(layer_pieces_done) struct layer_pieces pieces = { 0 };

	(void)state;
	layer_pieces_add(&pieces, BV4_PIECE_BYTES, 5000, DIGEST_A);
	layer_pieces_add(&pieces, 100, 30, NULL);
	assert_true(layer_pieces_fit(&pieces, MIB + 100, 5034));
	assert_false(layer_pieces_fit(&pieces, MIB + 100, 5030));
	assert_false(layer_pieces_fit(&pieces, MIB + 101, 5034));
}

#define HEADER(n_layers) "tart-idx\1\0\0\0\0\0\x10\0" n_layers
#define ONE_LAYER        HEADER("\1\0\0\0")
#define MIB_LAYER        ONE_LAYER "\0\0\x10\0\0\0\0\0"
#define RAW_DIGEST       "01234567890123456789012345678901"

static const struct {
	const char *name;
	struct span bytes;
	const char *text; /* NULL = accepted */
} indexes[] = {
#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
	{ "no layers", BYTES(HEADER("\0\0\0\0")), NULL },
	{ "a piece of data", BYTES(MIB_LAYER "\x24\0\0\0\0\x20\0\0" RAW_DIGEST), NULL },
	{ "a piece of zeros", BYTES(MIB_LAYER "\x8\0\0\0\1\0\0\x80\0\x20\0\0"), NULL },
	{ "an empty layer", BYTES(ONE_LAYER "\0\0\0\0\0\0\0\0\0\0\0\0"), NULL },
	{ "pieces not known", BYTES(MIB_LAYER "\0\0\0\0"), NULL },
	{ "huge, not known", BYTES(ONE_LAYER "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), NULL },
	{ "nothing", BYTES(""), "does not begin" },
	{ "another magic", BYTES("tart-idX\1\0\0\0\0\0\x10\0\0\0\0\0"), "does not begin" },
	{ "version 2", BYTES("tart-idx\2\0\0\0\0\0\x10\0\0\0\0\0"), "unknown version 2" },
	{ "other pieces", BYTES("tart-idx\1\0\0\0\0\0\1\0\0\0\0\0"), "pieces of 65536" },
	{ "cut in the header", BYTES("tart-idx\1\0\0\0\0\0\x10\0\0\0\0"), "cut off" },
	{ "65537 layers", BYTES(HEADER("\1\0\1\0")), "too many layers" },
	{ "65536 layers, none there", BYTES(HEADER("\0\0\1\0")), "layer 0: it is cut off" },
	{ "cut in a layer's header", BYTES(MIB_LAYER "\0\0\0"), "cut off" },
	{ "cut in the runs", BYTES(MIB_LAYER "\x8\0\0\0\1\0\0\x80\0\x20\0"), "cut off" },
	{ "4 GiB of runs", BYTES(MIB_LAYER "\xff\xff\xff\xff\1\0\0\x80\0\x20\0\0"), "cut off" },
	{ "bytes after the end", BYTES(HEADER("\0\0\0\0") "\0"), "follows its end" },
	{ "half a run", BYTES(MIB_LAYER "\x4\0\0\0\1\0\0\x80"), "pieces are missing" },
	{ "half a digest",
	  BYTES(MIB_LAYER "\x14\0\0\0\0\x20\0\0"
			  "0123456789012345"),
	  "pieces are missing" },
	{ "a run too many", BYTES(MIB_LAYER "\x10\0\0\0\1\0\0\x80\0\x20\0\0\1\0\0\x80\0\x21\0\0"),
	  "too many pieces" },
	{ "a run of no pieces", BYTES(MIB_LAYER "\x8\0\0\0\0\0\0\x80\0\x20\0\0"), "cannot be" },
	{ "a run too long", BYTES(MIB_LAYER "\x8\0\0\0\2\0\0\x80\0\x20\0\0"), "cannot be" },
	{ "the longest run", BYTES(MIB_LAYER "\x8\0\0\0\xff\xff\xff\xff\0\x20\0\0"), "cannot be" },
	{ "runs for an empty layer",
	  BYTES(ONE_LAYER "\0\0\0\0\0\0\0\0\x8\0\0\0\1\0\0\x80\0\x20\0\0"), "too many pieces" },
	{ "too many pieces for a layer",
	  BYTES(ONE_LAYER "\1\0\0\0\1\0\0\0\x8\0\0\0\1\x10\0\x80\0\x20\0\0"), "too many pieces" },
	{ "encoded to less than possible", BYTES(MIB_LAYER "\x8\0\0\0\1\0\0\x80\x10\x10\0\0"),
	  "cannot be" },
	{ "encoded to the least", BYTES(MIB_LAYER "\x8\0\0\0\1\0\0\x80\x11\x10\0\0"), NULL },
	{ "encoded to the most", BYTES(MIB_LAYER "\x8\0\0\0\1\0\0\x80\xc0\0\x10\0"), NULL },
	{ "encoded to more", BYTES(MIB_LAYER "\x8\0\0\0\1\0\0\x80\xc1\0\x10\0"), "cannot be" },
	{ "data encoded to nothing", BYTES(MIB_LAYER "\x24\0\0\0\0\0\0\0" RAW_DIGEST),
	  "cannot be" },
	{ "two runs that are one",
	  BYTES(ONE_LAYER "\0\0\x20\0\0\0\0\0\x10\0\0\0\1\0\0\x80\0\x20\0\0\1\0\0\x80\0\x20\0\0"),
	  "cannot be" },
	{ "two runs of two lengths",
	  BYTES(ONE_LAYER "\0\0\x20\0\0\0\0\0\x10\0\0\0\1\0\0\x80\0\x20\0\0\1\0\0\x80\1\x20\0\0"),
	  NULL },
	{ "a short piece like a full one",
	  BYTES(ONE_LAYER "\1\0\x10\0\0\0\0\0\x8\0\0\0\2\0\0\x80\0\x20\0\0"), "cannot be" },
};

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	each_row(indexes, row) {
		CLEANUP(layer_index_done) struct layer_index index = { 0 };
		CLEANUP_STR struct str printed = { 0 };
		struct err err = { 0 };
		bool done = layer_index_parse(row->bytes, &index, &err);

		check(done == !row->text, "%s: %s", row->name, done ? "accepted" : err.text);
		check(done || strstr(err.text, row->text), "%s: %s", row->name, err.text);
		check(done || index.layers.n == 0, "%s: output touched", row->name);
		if (!done)
			continue;
		layer_index_print(&index, &printed);
		check(span_equal(str_span(&printed), row->bytes), "%s: prints differently",
		      row->name);
	}
}

/* A damaged piece is never taken for a good one, whichever bit it is. */
static void a_piece_is_verified(void **state)
{
	CLEANUP(bv4_encoder_cleanup) struct bv4_encoder *encoder = bv4_encoder_new();
	CLEANUP_STR struct str blob = { 0 };
	static char data[3000];
	static char got[3000];
	struct layer_piece piece = { .data_bytes = sizeof(data) };
	struct err err = { 0 };
	struct span encoded;
	size_t n_harmless = 0;
	uint64_t seed = 8;

	(void)state;
	noise_fill(NOISE_WORDS, data, sizeof(data), &seed);
	bv4_encode_piece(encoder, span_make(data, sizeof(data)), &encoded);
	str_add_span(&blob, encoded);
	piece.blob_bytes = blob.len;
	digest_of(span_make(data, sizeof(data)), piece.digest);
	ok(layer_piece_decode(&piece, str_span(&blob), got, &why));
	assert_memory_equal(got, data, sizeof(data));
	for (size_t i = 0; i < 8 * blob.len; i++) {
		flip_bit(blob.ptr, i);
		if (layer_piece_decode(&piece, str_span(&blob), got, &err)) {
			/* An offset that leads to the same bytes elsewhere. */
			check(memcmp(got, data, sizeof(data)) == 0, "bit %zu", i);
			n_harmless++;
		} else {
			check(err.kind == ERR_CORRUPT, "bit %zu: %s", i, err.text);
		}
		flip_bit(blob.ptr, i);
	}
	assert_in_range(n_harmless, 0, blob.len / 10);
	assert_false(layer_piece_decode(&piece, span_make(blob.ptr, blob.len - 1), got, &err));
	str_add(&blob, BV4_END);
	assert_false(layer_piece_decode(&piece, str_span(&blob), got, &err));
	piece.blob_bytes += 4;
	assert_false(layer_piece_decode(&piece, str_span(&blob), got, &err));
}

static void zeros_need_no_bytes(void **state)
{
	const struct layer_piece piece = { .data_bytes = 100, .is_zeros = true };
	char got[100] = "x";

	(void)state;
	ok(layer_piece_decode(&piece, span_make(NULL, 0), got, &why));
	assert_true(is_zeros(span_make(got, sizeof(got))));
}

/* A disk as our writer sends it: blobs in one file, behind each other, and the index. */
#define DISK_BYTES  (37 * MIB + 123457)
#define LAYER_BYTES (8 * MIB)

struct sent {
	char *disk;
	int fd;
	uint64_t blob_starts[DISK_BYTES / LAYER_BYTES + 1];
	struct layer_index index;
	uint64_t n_fetched;
};

static uint64_t send_layer(struct sent *sent, struct bv4_encoder *encoder, uint64_t start,
			   uint64_t end, uint64_t at)
{
	struct layer_pieces *pieces = vec_push(&sent->index.layers);
	char digest[DIGEST_HEX_SIZE];
	struct span encoded;

	for (size_t n; start < end; start += n, at += encoded.len) {
		struct span piece;

		n = end - start < BV4_PIECE_BYTES ? end - start : BV4_PIECE_BYTES;
		piece = span_make(sent->disk + start, n);
		digest_of(piece, digest);
		if (is_zeros(piece))
			bv4_encode_zeros(encoder, n, &encoded);
		else
			bv4_encode_piece(encoder, piece, &encoded);
		ok(fs_pwrite_all(sent->fd, encoded.ptr, encoded.len, at, &why));
		layer_pieces_add(pieces, n, encoded.len, is_zeros(piece) ? NULL : digest);
	}
	ok(fs_pwrite_all(sent->fd, BV4_END, BV4_END_BYTES, at, &why));
	return at + BV4_END_BYTES;
}

static void send_disk(struct sent *sent, struct place *place)
{
	CLEANUP(bv4_encoder_cleanup) struct bv4_encoder *encoder = bv4_encoder_new();
	uint64_t at = 0;
	uint64_t seed = 2024;

	sent->fd = open_at(place->fd, "blobs", O_RDWR | O_CREAT);
	sent->disk = xcalloc(1, DISK_BYTES);
	for (uint64_t i = 0; i < 12; i++) /* some of it stays zeros */
		noise_fill((enum noise_kind)(i % NOISE_KINDS), sent->disk + i * 3 * MIB,
			   1 + noise_below(&seed, 2 * MIB), &seed);
	for (uint64_t start = 0; start < DISK_BYTES; start += LAYER_BYTES) {
		uint64_t end = start + LAYER_BYTES < DISK_BYTES ? start + LAYER_BYTES : DISK_BYTES;

		sent->blob_starts[start / LAYER_BYTES] = at;
		at = send_layer(sent, encoder, start, end, at);
		assert_true(layer_pieces_fit(&sent->index.layers.v[start / LAYER_BYTES],
					     end - start,
					     at - sent->blob_starts[start / LAYER_BYTES]));
	}
}

/* Reads like somebody who has nothing but the index and Ranges of blobs: pieces one by one, each verified. */
static void read_disk(struct sent *sent, const struct layer_index *index, uint64_t start,
		      size_t len, char *out)
{
	CLEANUP_FREE char *encoded = xcalloc(1, BV4_PIECE_BOUND);
	CLEANUP_FREE char *decoded = xcalloc(1, BV4_PIECE_BYTES);

	while (len > 0) {
		const struct layer_pieces *layer = &index->layers.v[start / LAYER_BYTES];
		uint64_t at = start % LAYER_BYTES;
		struct layer_piece piece = { 0 };
		size_t skip;
		size_t n;

		assert_true(layer_pieces_find(layer, at, &piece));
		assert_true(piece.blob_bytes <= BV4_PIECE_BOUND);
		if (!piece.is_zeros)
			assert_int_equal(pread(sent->fd, encoded, piece.blob_bytes,
					       (off_t)(sent->blob_starts[start / LAYER_BYTES] +
						       piece.blob_start)),
					 piece.blob_bytes);
		sent->n_fetched += !piece.is_zeros;
		ok(layer_piece_decode(&piece, span_make(encoded, piece.blob_bytes), decoded, &why));
		skip = (size_t)(at - piece.data_start);
		n = piece.data_bytes - skip < len ? piece.data_bytes - skip : len;
		memcpy(out, decoded + skip, n);
		out += n;
		start += n;
		len -= n;
	}
}

static void any_megabyte_can_be_read(void **state)
{
	CLEANUP(layer_index_done) struct layer_index index = { 0 };
	CLEANUP_FREE char *got = xcalloc(1, MIB);
	CLEANUP_STR struct str bytes = { 0 };
	struct sent sent = { .fd = -1 };
	struct place place;
	uint64_t seed = 77;

	(void)state;
	place_make(&place);
	send_disk(&sent, &place);
	layer_index_print(&sent.index, &bytes);
	ok(layer_index_parse(str_span(&bytes), &index, &why));
	for (int i = 0; i < 200; i++) {
		uint64_t start = noise_below(&seed, DISK_BYTES - MIB + 1);

		if (i == 0)
			start = DISK_BYTES - MIB;
		read_disk(&sent, &index, start, MIB, got);
		check(memcmp(got, sent.disk + start, MIB) == 0, "1 MiB at %llu",
		      (unsigned long long)start);
	}
	assert_in_range(sent.n_fetched, 100, 399); /* a range has two pieces, not all of data */
	free(sent.disk);
	(void)close(sent.fd);
	layer_index_done(&sent.index);
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found),
		cmocka_unit_test(it_is_small),
		cmocka_unit_test(the_document_shows_what_is_written),
		cmocka_unit_test(a_layer_without_pieces_has_its_length),
		cmocka_unit_test(pieces_fit_one_layer),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(a_piece_is_verified),
		cmocka_unit_test(zeros_need_no_bytes),
		cmocka_unit_test(any_megabyte_can_be_read),
	};

	return unit_main(tests);
}
