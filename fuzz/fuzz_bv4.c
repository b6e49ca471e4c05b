/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's LZ4 framing. However the stream is cut, the decoder says the same of it as the one that was written without
 * liblz4 (tests/unit/image/bv4_reference.h), and gives the same data.
 */
#include "image/bv4.h"

#include <string.h>

#include "../tests/unit/image/bv4_reference.h"
#include "base/str.h"
#include "fuzz.h"

/* Blocks announce what they hold; the stream is decoded as one of their sum, which keeps a bomb small. */
#define DATA_MAX ((uint64_t)1 << 20)

static bool take(void *ctx, struct span bytes, struct err *err)
{
	(void)err;
	fuzz_check(bytes.len > 0);
	str_add_span(ctx, bytes);
	return true;
}

static uint64_t announced(const uint8_t *data, size_t size)
{
	uint64_t sum = 0;

	for (size_t at = 0; size - at >= 12 && memcmp(data + at, "bv4", 3) == 0;) {
		uint32_t decoded = reference_u32(data + at + 4);
		bool is_stored = data[at + 3] == '-';
		uint64_t step = is_stored ? 8 + (uint64_t)decoded :
					    12 + (uint64_t)reference_u32(data + at + 8);

		if (data[at + 3] == '$' || sum + decoded > DATA_MAX || step > size - at)
			break;
		sum += decoded;
		at += (size_t)step;
	}
	return sum;
}

static void compare(const uint8_t *data, size_t size, uint64_t limit, size_t step)
{
	CLEANUP_STR struct str got = { 0 };
	struct reference_output want = { 0 };
	const struct byte_sink sink = { .add = take, .ctx = &got };
	struct bv4_decoder *decoder = bv4_decoder_new(limit, sink);
	struct err err = { 0 };
	bool done = true;

	for (size_t at = 0, n; done && at < size; at += n) {
		n = step < size - at ? step : size - at;
		done = bv4_decoder_add(decoder, span_make((const char *)data + at, n), &err);
	}
	done = done && bv4_decoder_finish(decoder, &err);
	fuzz_check(done || (err.kind == ERR_CORRUPT && err.text[0]));
	fuzz_check(got.len <= limit);
	fuzz_check(reference_decode(data, size, limit, &want) == done);
	if (done) {
		fuzz_check(want.bytes.n == limit && got.len == limit);
		fuzz_check(limit == 0 || memcmp(want.bytes.v, got.ptr, got.len) == 0);
	}
	vec_done(&want.bytes);
	bv4_decoder_free(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { SIZE_MAX, 7, 1 };
	uint64_t limit = announced(data, size);

	for (size_t i = 0; i < ARRAY_LEN(steps) && (i == 0 || size < 4096); i++)
		compare(data, size, limit, steps[i]);
	compare(data, size, limit + 1, SIZE_MAX);
	return 0;
}
