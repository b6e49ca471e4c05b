/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of image/lz4_frame.h. */
#include "image/lz4_frame.h"

#include <errno.h>
#include <lz4frame.h>

#include "base/mem.h"
#include "base/str.h"
#include "noise.h"
#include "unit.h"

struct frame {
	char *bytes;
	size_t len;
};

static struct frame make_frame(struct span data, const LZ4F_preferences_t *preferences)
{
	size_t room = LZ4F_compressFrameBound(data.len, preferences);
	struct frame frame = { .bytes = xcalloc(1, room) };

	frame.len = LZ4F_compressFrame(frame.bytes, room, data.ptr, data.len, preferences);
	assert_false(LZ4F_isError(frame.len));
	return frame;
}

static bool take(void *ctx, struct span bytes, struct err *err)
{
	(void)err;
	assert_true(bytes.len > 0);
	str_add_span(ctx, bytes);
	return true;
}

static bool feed(struct lz4_frame_decoder *decoder, struct span bytes, size_t first, size_t step,
		 struct err *err)
{
	for (size_t at = 0; at < bytes.len;) {
		size_t left = bytes.len - at;
		size_t want = at == 0 && first > 0 ? first : step;
		size_t n = want < left ? want : left;

		if (!lz4_frame_decoder_add(decoder, span_make(bytes.ptr + at, n), err))
			return false;
		at += n;
	}
	return lz4_frame_decoder_finish(decoder, err);
}

/* The frame is what the announcement says: `text` is NULL, or what is said of it. */
static void check_frame(const char *what, struct span bytes, uint64_t announced, const char *text)
{
	static const size_t steps[] = { SIZE_MAX, 1, 3, 1000, 70000 };
	CLEANUP_STR struct str got = { 0 };
	const struct byte_sink sink = { .add = take, .ctx = &got };
	CLEANUP(lz4_frame_decoder_cleanup) struct lz4_frame_decoder *decoder = NULL;

	decoder = lz4_frame_decoder_new(announced, sink);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct err err = { 0 };
		bool done = feed(decoder, bytes, 0, steps[i], &err);

		check(done == !text, "%s in %zu: %s", what, steps[i], done ? "accepted" : err.text);
		check(done || err.kind == ERR_CORRUPT, "%s: kind", what);
		check(done || strstr(err.text, text), "%s: %s", what, err.text);
		check(got.len <= announced, "%s: more than announced", what);
		str_clear(&got);
		lz4_frame_decoder_reset(decoder);
	}
}

static void check_content(const char *what, struct span bytes, struct span data)
{
	static const size_t steps[] = { SIZE_MAX, 1, 13, 65536, 1000003 };
	CLEANUP_STR struct str got = { 0 };
	const struct byte_sink sink = { .add = take, .ctx = &got };
	CLEANUP(lz4_frame_decoder_cleanup) struct lz4_frame_decoder *decoder = NULL;

	decoder = lz4_frame_decoder_new(data.len, sink);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct err err = { 0 };

		check(feed(decoder, bytes, 0, steps[i], &err), "%s: %s", what, err.text);
		check(span_equal(str_span(&got), data), "%s: other data", what);
		str_clear(&got);
		lz4_frame_decoder_reset(decoder);
	}
}

static void frames_of_all_flags(void **state)
{
	static const LZ4F_blockSizeID_t block_sizes[] = { LZ4F_max64KB, LZ4F_max256KB, LZ4F_max1MB,
							  LZ4F_max4MB };
	static const size_t sizes[] = { 0, 1, 65536, 300000, 5000001 };
	CLEANUP_FREE char *data = xcalloc(1, 5000001);
	uint64_t seed = 42;

	(void)state;
	noise_fill(NOISE_MIXED, data, 5000001, &seed);
	for (size_t flags = 0; flags < 16; flags++) {
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			struct span content = span_make(data, sizes[i]);
			LZ4F_preferences_t preferences = { .compressionLevel = 0 };
			struct frame frame;
			char what[64];

			preferences.frameInfo.blockSizeID = block_sizes[(flags + i) % 4];
			preferences.frameInfo.blockMode = flags & 1 ? LZ4F_blockLinked :
								      LZ4F_blockIndependent;
			preferences.frameInfo.contentChecksumFlag = flags & 2 ? 1 : 0;
			preferences.frameInfo.blockChecksumFlag = flags & 4 ? 1 : 0;
			preferences.frameInfo.contentSize = flags & 8 ? sizes[i] : 0;
			frame = make_frame(content, &preferences);
			(void)snprintf(what, sizeof(what), "flags %zu, %zu bytes", flags, sizes[i]);
			check_content(what, span_make(frame.bytes, frame.len), content);
			free(frame.bytes);
		}
	}
}

static struct frame small_frame(struct span data)
{
	LZ4F_preferences_t preferences = { .compressionLevel = 0 };

	preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	return make_frame(data, &preferences);
}

static void frames_that_are_not_as_announced(void **state)
{
	struct span data = span_of("what is in the frame, what is in the frame, what is in it");
	struct frame frame = small_frame(data);
	struct span bytes = span_make(frame.bytes, frame.len);
	CLEANUP_STR struct str twice = { 0 };
	LZ4F_preferences_t preferences = { .frameInfo.contentSize = data.len };
	struct frame sized = make_frame(data, &preferences);

	(void)state;
	check_frame("as announced", bytes, data.len, NULL);
	check_frame("a byte less", bytes, data.len + 1, "less data than announced");
	check_frame("a byte more", bytes, data.len - 1, "more data than announced");
	check_frame("nothing announced", bytes, 0, "more data than announced");
	check_frame("size in the header", span_make(sized.bytes, sized.len), data.len + 1,
		    "another size than announced");
	for (size_t n = 0; n < bytes.len; n++)
		check_frame("cut off", span_first(bytes, n), data.len, "truncated");
	str_add_span(&twice, bytes);
	str_add_span(&twice, bytes);
	check_frame("a byte after it", span_first(str_span(&twice), bytes.len + 1), data.len,
		    "something follows");
	check_frame("two frames", str_span(&twice), 2 * data.len, "less data than announced");
	check_frame("two frames of one", str_span(&twice), data.len, "something follows");
	free(frame.bytes);
	free(sized.bytes);
}

/* With a checksum over the content, no bit may change; without one, that is the manifest's business. */
static void damaged_frames(void **state)
{
	struct span data = span_of("what is in the frame, what is in the frame, what is in it");
	struct frame frame = small_frame(data);
	CLEANUP_STR struct str got = { 0 };
	const struct byte_sink sink = { .add = take, .ctx = &got };
	CLEANUP(lz4_frame_decoder_cleanup)
	struct lz4_frame_decoder *decoder = lz4_frame_decoder_new(data.len, sink);

	(void)state;
	for (size_t i = 0; i < 8 * frame.len; i++) {
		struct err err = { 0 };

		flip_bit(frame.bytes, i);
		check(!feed(decoder, span_make(frame.bytes, frame.len), 0, SIZE_MAX, &err) ||
			      span_equal(str_span(&got), data),
		      "bit %zu", i);
		flip_bit(frame.bytes, i);
		lz4_frame_decoder_reset(decoder);
		str_clear(&got);
	}
	free(frame.bytes);
}

static void what_is_no_frame(void **state)
{
	static const struct {
		const char *name;
		struct span bytes;
		const char *text;
	} rows[] = {
#define BYTES(text) { text, sizeof(text) - 1 }
		{ "nothing", BYTES(""), NULL },
		{ "skippable", BYTES("\x50\x2a\x4d\x18\4\0\0\0abcd"), "unknown magic" },
		{ "legacy", BYTES("\x02\x21\x4c\x18\0\0\0\0"), "unknown magic" },
		{ "Apple's", BYTES("bv4$ and more"), "unknown magic" },
		{ "zstd", BYTES("\x28\xb5\x2f\xfd\0\0\0\0"), "unknown magic" },
		{ "dictionary", BYTES("\x04\x22\x4d\x18\x61\x40\0\0\0\0\0\0\0\0\0"), "dictionary" },
		{ "future version", BYTES("\x04\x22\x4d\x18\xa0\x40\0\0\0\0\0\0\0\0\0"),
		  "headerVersion" },
		{ "header checksum", BYTES("\x04\x22\x4d\x18\x60\x40\0\0\0\0\0\0\0\0\0"),
		  "headerChecksum" },
		{ "empty frame", BYTES("\x04\x22\x4d\x18\x60\x40\x82\0\0\0\0"), NULL },
	};

	(void)state;
	each_row(rows, row)
		check_frame(row->name, row->bytes, 0, row->text);
	check_frame("nothing where something was announced", span_make("", 0), 1, "truncated");
}

static bool refuse(void *ctx, struct span bytes, struct err *err)
{
	(void)ctx;
	(void)bytes;
	return err_sys(err, ENOSPC, "cannot write");
}

static void an_error_of_the_sink_is_passed_on(void **state)
{
	struct frame frame = small_frame(span_of("abc"));
	const struct byte_sink sink = { .add = refuse };
	CLEANUP(lz4_frame_decoder_cleanup)
	struct lz4_frame_decoder *decoder = lz4_frame_decoder_new(3, sink);
	struct err err = { 0 };

	(void)state;
	assert_false(lz4_frame_decoder_add(decoder, span_make(frame.bytes, frame.len), &err));
	assert_int_equal(err.sys, ENOSPC);
	free(frame.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_all_flags),
		cmocka_unit_test(frames_that_are_not_as_announced),
		cmocka_unit_test(damaged_frames),
		cmocka_unit_test(what_is_no_frame),
		cmocka_unit_test(an_error_of_the_sink_is_passed_on),
	};

	return unit_main(tests);
}
