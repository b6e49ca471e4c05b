/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of decoding in image/bv4.h: the streams of tests/data/oci, good and bad, however they are cut. */
#include "image/bv4.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "bv4_reference.h"
#include "unit.h"

/* What is said of a stream that is refused. */
static const struct {
	const char *name;
	const char *text;
} reasons[] = {
	{ "bad-trunc-magic", "truncated" },
	{ "bad-trunc-header", "truncated" },
	{ "bad-trunc-payload", "truncated" },
	{ "bad-no-end-marker", "truncated" },
	{ "bad-wrong-magic", "unknown block type" },
	{ "bad-lz4-frame-magic", "unknown block type" },
	{ "bad-trailing-data", "something follows the end mark" },
	{ "bad-bomb-4gib", "block too large" },
	{ "bad-bomb-wrap", "block too large" },
	{ "bad-bomb-stored", "block too large" },
	{ "bad-ratio", "impossible ratio" },
	{ "bad-short-block", "corrupt block" },
	{ "bad-long-block", "corrupt block" },
	{ "bad-bad-offset", "corrupt block" },
	{ "bad-zero-offset", "corrupt block" },
	{ "bad-unlinked-start", "corrupt block" },
	{ "bad-literal-overrun", "corrupt block" },
};

static const char *reason_for(const char *name)
{
	each_row(reasons, row)
		if (strcmp(row->name, name) == 0)
			return row->text;
	fail_msg("no reason is expected for %s", name);
	return "";
}

struct stream {
	const char *name;
	uint64_t limit;
	const char *digest; /* hex; NULL = to be refused */
	struct str bytes;
};

/* Takes what is decoded. */
struct taker {
	struct digest *digest;
	uint64_t n;
};

static bool take(void *ctx, struct span bytes, struct err *err)
{
	struct taker *taker = ctx;

	(void)err;
	assert_true(bytes.len > 0);
	digest_add(taker->digest, bytes.ptr, bytes.len);
	taker->n += bytes.len;
	return true;
}

static bool feed(struct bv4_decoder *decoder, struct span bytes, size_t first, size_t step,
		 struct err *err)
{
	for (size_t at = 0; at < bytes.len;) {
		size_t left = bytes.len - at;
		size_t want = at == 0 && first > 0 ? first : step;
		size_t n = want < left ? want : left;

		/* Of exactly its size, so that the sanitizer sees a look beyond it. */
		CLEANUP_FREE char *part = malloc(n);

		assert_non_null(part);
		memcpy(part, bytes.ptr + at, n);
		if (!bv4_decoder_add(decoder, span_make(part, n), err))
			return false;
		at += n;
	}
	return bv4_decoder_finish(decoder, err);
}

/* Decodes in a first part and steps, and compares the outcome with what is expected. */
static void decode_cut(const struct stream *stream, struct bv4_decoder *decoder,
		       struct taker *taker, size_t first, size_t step)
{
	char hex[DIGEST_HEX_SIZE];
	struct err err = { 0 };
	bool done;

	taker->digest = digest_new();
	taker->n = 0;
	done = feed(decoder, str_span(&stream->bytes), first, step, &err);
	digest_finish(taker->digest, hex);
	digest_free(taker->digest);
	check(taker->n <= stream->limit, "%s: more data than announced", stream->name);
	check(done == (stream->digest != NULL), "%s in %zu, %zu…: %s", stream->name, first, step,
	      done ? "accepted" : err.text);
	if (done) {
		check(strcmp(hex, stream->digest) == 0, "%s in %zu, %zu…: other data", stream->name,
		      first, step);
		return;
	}
	check(err.kind == ERR_CORRUPT, "%s: kind", stream->name);
	check(strstr(err.text, reason_for(stream->name)) != NULL, "%s: %s", stream->name, err.text);
}

/* In one part, in small steps, in two parts cut at each byte (a large stream: around some places), and once more by the
 * same decoder after each attempt: a reset has to forget all of it. */
static void decode_in_many_ways(const struct stream *stream)
{
	static const size_t steps[] = { 1, 2, 3, 7, 11, 13, 1000, 4096, 65537, SIZE_MAX };
	struct taker taker = { 0 };
	const struct byte_sink sink = { .add = take, .ctx = &taker };
	CLEANUP(bv4_decoder_cleanup) struct bv4_decoder *decoder = NULL;
	size_t stride = stream->bytes.len > 4096 ? 1999 : 1;

	decoder = bv4_decoder_new(stream->limit, sink);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		decode_cut(stream, decoder, &taker, 0, steps[i]);
		bv4_decoder_reset(decoder);
	}
	for (size_t cut = 1; cut < stream->bytes.len; cut += stride) {
		decode_cut(stream, decoder, &taker, cut, SIZE_MAX);
		bv4_decoder_reset(decoder);
	}
}

static void compare_with_reference(const struct stream *stream)
{
	struct reference_output out = { 0 };
	char hex[DIGEST_HEX_SIZE];
	bool done = reference_decode((const uint8_t *)str_text(&stream->bytes), stream->bytes.len,
				     stream->limit, &out);

	check(done == (stream->digest != NULL), "%s: the reference decoder differs", stream->name);
	digest_of(span_make((const char *)out.bytes.v, out.bytes.n), hex);
	check(!done || strcmp(hex, stream->digest) == 0, "%s: the reference decoder differs",
	      stream->name);
	vec_done(&out.bytes);
}

static void read_data(const char *name, struct str *out)
{
	struct err err = { 0 };
	int fd = open(TEST_DATA "/oci", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	check(fd >= 0 && fs_read_file(fd, name, 1 << 20, out, &err), "%s: %s", name, err.text);
	(void)close(fd);
}

static void the_streams_get_their_verdicts(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_JSON struct json *root = NULL;
	const struct json *streams;
	struct err err = { 0 };

	(void)state;
	read_data("expected.json", &text);
	check(json_parse(str_span(&text), &root, &err), "%s", err.text);
	streams = json_member(root, "streams");
	assert_int_equal(json_count(streams), 24);
	for (size_t i = 0; i < json_count(streams); i++) {
		const struct json *row = json_at(streams, i);
		const char *digest = json_member_text(row, "sha256");
		struct stream stream = { .name = json_member_text(row, "name") };

		assert_true(json_get_u64(json_member(row, "limit"), &stream.limit));
		assert_int_equal(digest != NULL,
				 strcmp(json_member_text(row, "verdict"), "accept") == 0);
		stream.digest = digest ? digest + strlen("sha256:") : NULL;
		read_data(json_member_text(row, "file"), &stream.bytes);
		decode_in_many_ways(&stream);
		compare_with_reference(&stream);
		str_done(&stream.bytes);
	}
}

#define HELLO_BLOCK "bv4-\x0e\0\0\0Hello, World!\n"

/* What the vectors do not say: one byte more or less than announced, empty streams, sizes at the limits. */
static const struct {
	const char *name;
	struct span bytes;
	uint64_t limit;
	const char *text; /* NULL = accepted */
} odd[] = {
#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
	{ "as announced", BYTES(HELLO_BLOCK "bv4$"), 14, NULL },
	{ "nothing at all", BYTES(""), 0, "truncated" },
	{ "a byte less", BYTES(HELLO_BLOCK "bv4$"), 15, "less data than announced" },
	{ "a byte more", BYTES(HELLO_BLOCK "bv4$"), 13, "more data than announced" },
	{ "a whole block more", BYTES(HELLO_BLOCK HELLO_BLOCK "bv4$"), 14,
	  "more data than announced" },
	{ "an empty block more", BYTES(HELLO_BLOCK "bv4-\0\0\0\0bv4$"), 14, NULL },
	{ "nothing announced", BYTES("bv4-\0\0\0\0bv4$"), 0, NULL },
	{ "no payload for no data", BYTES("bv41\0\0\0\0\0\0\0\0bv4$"), 0, "corrupt block" },
	{ "too much payload for no data", BYTES("bv41\0\0\0\0\2\0\0\0\0\0bv4$"), 0,
	  "corrupt block" },
	{ "data without payload", BYTES("bv41\1\0\0\0\0\0\0\0bv4$"), 1, "impossible ratio" },
	{ "64 MiB, cut off", BYTES("bv4-\0\0\0\4x"), 1 << 30, "truncated" },
	{ "64 MiB and 1", BYTES("bv4-\1\0\0\4x"), 1 << 30, "block too large" },
	{ "64 MiB of payload, cut off", BYTES("bv41\1\0\0\0\0\0\0\4x"), 1 << 30, "truncated" },
	{ "64 MiB and 1 of payload", BYTES("bv41\1\0\0\0\1\0\0\4x"), 1 << 30, "block too large" },
	{ "large before more", BYTES("bv4-\1\0\0\4x"), 1, "block too large" },
	{ "more before ratio", BYTES("bv41\0\2\0\0\1\0\0\0x"), 1, "more data than announced" },
	{ "ratio before truncated", BYTES("bv41\0\1\0\0\1\0\0\0"), 1 << 20, "impossible ratio" },
	{ "ratio at its limit", BYTES("bv41\xff\0\0\0\1\0\0\0"), 1 << 20, "truncated" },
	{ "a match of a byte back",
	  BYTES("bv41\x14\0\0\0\x14\0\0\0\x40"
		"abcd\1\0\xc0"
		"ABCDEFGHIJKLbv4$"),
	  20, NULL },
	/* liblz4 1.9 takes these two for zeros. */
	{ "a match of no bytes back",
	  BYTES("bv41\x14\0\0\0\x14\0\0\0\x40"
		"abcd\0\0\xc0"
		"ABCDEFGHIJKLbv4$"),
	  20, "corrupt block" },
	{ "one after long lengths",
	  BYTES("bv41\x34\0\0\0\x25\0\0\0\xff\1"
		"abcdefghijklmnop\1\0\1\0"
		"\0\0\xc0"
		"ABCDEFGHIJKLbv4$"),
	  52, "corrupt block" },
	{ "end mark twice", BYTES("bv4$bv4$"), 0, "something follows" },
	{ "a zero after the end", BYTES("bv4$\0"), 0, "something follows" },
};

static bool drop(void *ctx, struct span bytes, struct err *err)
{
	uint64_t *n = ctx;

	(void)err;
	*n += bytes.len;
	return true;
}

static void odd_streams(void **state)
{
	(void)state;
	each_row(odd, row) {
		for (size_t step = 1; step <= 64; step++) {
			uint64_t n = 0;
			const struct byte_sink sink = { .add = drop, .ctx = &n };
			CLEANUP(bv4_decoder_cleanup)
			struct bv4_decoder *decoder = bv4_decoder_new(row->limit, sink);
			struct err err = { 0 };
			bool done = feed(decoder, row->bytes, 0, step, &err);

			check(done == !row->text, "%s: %s", row->name,
			      done ? "accepted" : err.text);
			check(!done || n == row->limit, "%s: length", row->name);
			check(done || strstr(err.text, row->text), "%s: %s", row->name, err.text);
		}
	}
}

static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Headers that announce 64 MiB, and some of the payload. (Sanitizers count nothing here.) */
static void memory_is_for_what_has_arrived(void **state)
{
	static const struct {
		const char *name;
		struct span header;
	} rows[] = {
		{ "stored", BYTES("bv4-\0\0\0\4") },
		{ "compressed", BYTES("bv41\0\0\0\4\0\0\0\4") },
	};
	static const char part[1000];

	(void)state;
	each_row(rows, row) {
		uint64_t n = 0;
		const struct byte_sink sink = { .add = drop, .ctx = &n };
		size_t before = allocated();
		CLEANUP(bv4_decoder_cleanup)
		struct bv4_decoder *decoder = bv4_decoder_new(UINT64_MAX, sink);
		struct err err = { 0 };

		assert_true(bv4_decoder_add(decoder, row->header, &err));
		for (size_t arrived = 0; arrived < 3000000; arrived += sizeof(part)) {
			assert_true(bv4_decoder_add(decoder, span_make(part, sizeof(part)), &err));
			check(allocated() - before <= 2 * arrived + 400000, "%s: %zu for %zu",
			      row->name, allocated() - before, arrived);
		}
	}
}

static bool refuse(void *ctx, struct span bytes, struct err *err)
{
	(void)ctx;
	(void)bytes;
	return err_sys(err, ENOSPC, "cannot write");
}

static void an_error_of_the_sink_is_passed_on(void **state)
{
	const struct byte_sink sink = { .add = refuse };
	CLEANUP(bv4_decoder_cleanup) struct bv4_decoder *decoder = bv4_decoder_new(14, sink);
	struct err err = { 0 };

	(void)state;
	assert_false(bv4_decoder_add(decoder, span_make(HELLO_BLOCK, 22), &err));
	assert_int_equal(err.sys, ENOSPC);
	assert_int_equal(err.kind, ERR_GENERAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_streams_get_their_verdicts),
		cmocka_unit_test(odd_streams),
		cmocka_unit_test(memory_is_for_what_has_arrived),
		cmocka_unit_test(an_error_of_the_sink_is_passed_on),
	};

	return unit_main(tests);
}
