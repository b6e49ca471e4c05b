/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast layers are made and read on this machine, by one thread, in memory: encoding and decoding against liblz4
 * alone, the digests, and telling zeros from data. bench_codec.sh runs it; README.md says what for.
 */
#include <fcntl.h>
#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/digest.h"
#include "base/fs.h"
#include "base/mem.h"
#include "image/bv4.h"
#include "image/zeros.h"

#define ROUNDS    5
#define BLOCK     BV4_BLOCK_BYTES
#define BLOCK_OUT LZ4_COMPRESSBOUND(BV4_BLOCK_BYTES)

struct work {
	struct span data;
	struct str stream; /* encoded by us */
	char *blocks;      /* encoded by liblz4 alone, BLOCK_OUT apart */
	int *block_lens;
	char *out;
	uint64_t sum; /* of what is otherwise not used */
};

static void copy(struct work *work)
{
	memcpy(work->out, work->data.ptr, work->data.len);
}

/* Of zeros, so that each byte is looked at: data is told by its first bytes. */
static void scan(struct work *work)
{
	for (size_t at = 0; at < work->data.len; at += BLOCK)
		work->sum += is_zeros(span_make(work->out + at, BLOCK));
}

static void hash(struct work *work)
{
	char hex[DIGEST_HEX_SIZE];

	digest_of(work->data, hex);
	work->sum += (unsigned char)hex[0];
}

static void lz4_compress(struct work *work)
{
	LZ4_stream_t *lz4 = LZ4_createStream();

	for (size_t i = 0; i < work->data.len / BLOCK; i++) {
		if (i % (BV4_PIECE_BYTES / BLOCK) == 0)
			(void)LZ4_initStream(lz4, sizeof(*lz4));
		work->block_lens[i] = LZ4_compress_fast_continue(lz4, work->data.ptr + i * BLOCK,
								 work->blocks + i * BLOCK_OUT,
								 (int)BLOCK, (int)BLOCK_OUT, 1);
	}
	(void)LZ4_freeStream(lz4);
}

static void lz4_decompress(struct work *work)
{
	for (size_t i = 0; i < work->data.len / BLOCK; i++) {
		char *to = work->out + i * BLOCK;
		size_t history = i % (BV4_PIECE_BYTES / BLOCK) == 0 ? 0 : 65536;
		int n = LZ4_decompress_safe_usingDict(work->blocks + i * BLOCK_OUT, to,
						      work->block_lens[i], (int)BLOCK, to - history,
						      (int)history);

		if (n != (int)BLOCK)
			abort();
	}
}

static void encode(struct work *work)
{
	struct bv4_encoder *encoder = bv4_encoder_new();
	struct span encoded;

	str_clear(&work->stream);
	for (size_t at = 0; at < work->data.len; at += BV4_PIECE_BYTES) {
		bv4_encode_piece(encoder, span_make(work->data.ptr + at, BV4_PIECE_BYTES),
				 &encoded);
		str_add_span(&work->stream, encoded);
	}
	str_add(&work->stream, BV4_END);
	bv4_encoder_free(encoder);
}

static bool count(void *ctx, struct span bytes, struct err *err)
{
	struct work *work = ctx;

	(void)err;
	work->sum += bytes.len;
	return true;
}

/* As it comes from a connection. */
static void decode(struct work *work)
{
	const struct byte_sink sink = { .add = count, .ctx = work };
	struct bv4_decoder *decoder = bv4_decoder_new(work->data.len, sink);
	struct err err = { 0 };

	for (size_t at = 0, n; at < work->stream.len; at += n) {
		n = work->stream.len - at < 16384 ? work->stream.len - at : 16384;
		if (!bv4_decoder_add(decoder, span_make(work->stream.ptr + at, n), &err))
			abort();
	}
	if (!bv4_decoder_finish(decoder, &err))
		abort();
	bv4_decoder_free(decoder);
}

/* CPU time: others may be at work. */
static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure(const char *name, void (*run)(struct work *), struct work *work)
{
	double best = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double start = seconds();
		double time;

		run(work);
		time = seconds() - start;
		if (i == 0 || time < best)
			best = time;
	}
	printf("%-34s %8.0f MB/s\n", name, (double)work->data.len / 1e6 / best);
}

int main(int argc, char **argv)
{
	struct str text = { 0 };
	struct work work = { .sum = 0 };
	struct err err = { 0 };

	if (argc != 2 || !fs_read_file(AT_FDCWD, argv[1], (size_t)1 << 30, &text, &err)) {
		fprintf(stderr, "usage: %s FILE (of at most 1 GiB)\n%s\n", argv[0], err.text);
		return 64;
	}
	work.data = span_make(text.ptr, text.len - text.len % BV4_PIECE_BYTES);
	if (work.data.len == 0) {
		fprintf(stderr, "%s: less than 1 MiB\n", argv[1]);
		return 64;
	}
	work.out = xcalloc(1, work.data.len);
	work.blocks = xcalloc(work.data.len / BLOCK, BLOCK_OUT);
	work.block_lens = xcalloc(work.data.len / BLOCK, sizeof(int));
	memset(work.out, 0,
	       work.data.len); /* pages of its own, not the one that stands for all zeros */
	measure("zero scan", scan, &work);
	measure("memcpy", copy, &work);
	measure("SHA-256", hash, &work);
	measure("LZ4 compression alone", lz4_compress, &work);
	measure("encoding a layer", encode, &work);
	measure("LZ4 decompression alone", lz4_decompress, &work);
	measure("decoding a layer", decode, &work);
	printf("%zu MiB became %zu MiB\n", work.data.len >> 20, work.stream.len >> 20);
	return work.sum == 0;
}
