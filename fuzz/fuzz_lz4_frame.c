/* SPDX-License-Identifier: Apache-2.0 */
/* LZ4 frames: however one is cut, the same comes out, and never more than was announced. */
#include "image/lz4_frame.h"

#include <string.h>

#include "base/str.h"
#include "fuzz.h"

static bool take(void *ctx, struct span bytes, struct err *err)
{
	(void)err;
	fuzz_check(bytes.len > 0);
	str_add_span(ctx, bytes);
	return true;
}

static bool decode(struct span bytes, uint64_t announced, size_t step, struct str *out,
		   struct err *err)
{
	const struct byte_sink sink = { .add = take, .ctx = out };
	struct lz4_frame_decoder *decoder = lz4_frame_decoder_new(announced, sink);
	bool done = true;

	for (size_t at = 0, n; done && at < bytes.len; at += n) {
		n = step < bytes.len - at ? step : bytes.len - at;
		done = lz4_frame_decoder_add(decoder, span_make(bytes.ptr + at, n), err);
	}
	done = done && lz4_frame_decoder_finish(decoder, err);
	fuzz_check(out->len <= announced && (!done || out->len == announced));
	lz4_frame_decoder_free(decoder);
	return done;
}

/* The first two bytes say what was announced. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_STR struct str whole = { 0 };
	CLEANUP_STR struct str stepwise = { 0 };
	struct err err = { 0 };
	struct span bytes;
	uint64_t announced;
	bool done;

	if (size < 2)
		return 0;
	announced = (uint64_t)data[0] | (uint64_t)data[1] << 8;
	bytes = span_make((const char *)data + 2, size - 2);
	done = decode(bytes, announced, SIZE_MAX, &whole, &err);
	fuzz_check(done || (err.kind == ERR_CORRUPT && err.text[0]));
	fuzz_check(decode(bytes, announced, 5, &stepwise, &err) == done);
	fuzz_check(!done || span_equal(str_span(&whole), str_span(&stepwise)));
	return 0;
}
