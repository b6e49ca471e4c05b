/* SPDX-License-Identifier: Apache-2.0 */
/* Data of many kinds that is the same in every run. */
#ifndef TART_TESTS_UNIT_IMAGE_NOISE_H
#define TART_TESTS_UNIT_IMAGE_NOISE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* xorshift64*: start it with anything but 0. */
static inline uint64_t noise_next(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1d;
}

/* Uniform enough: below `end`, which is not 0. */
static inline size_t noise_below(uint64_t *seed, size_t end)
{
	return (size_t)(noise_next(seed) >> 11) % end;
}

enum noise_kind {
	NOISE_ZEROS,
	NOISE_RANDOM,  /* cannot be compressed */
	NOISE_WORDS,   /* compresses like text */
	NOISE_REPEATS, /* copies of what came up to 80 KB before: more and less than LZ4's reach */
	NOISE_ISLANDS, /* a few random bytes here and there in zeros */
	NOISE_MIXED,   /* stretches of all of these */
	NOISE_KINDS
};

static inline void noise_words(char *out, size_t len, uint64_t *seed)
{
	static const char *const words[] = { "disk ",  "layer ",   "boot\n",     "registry ",
					     "guest ", "sparse\n", "image/bv4 ", "0x0000\n" };
	const char *word = "";

	for (size_t i = 0; i < len; i++) {
		if (!*word)
			word = words[noise_below(seed, 8)];
		out[i] = *word++;
	}
}

static inline void noise_repeats(char *out, size_t len, uint64_t *seed)
{
	size_t at = 0;

	while (at < len) {
		size_t n = 1 + noise_below(seed, 700);
		size_t back = 1 + noise_below(seed, 80000);

		for (; n > 0 && at < len; n--, at++) {
			if (back <= at)
				out[at] = out[at - back];
			else
				out[at] = (char)noise_next(seed);
		}
	}
}

static inline void noise_fill(enum noise_kind kind, char *out, size_t len, uint64_t *seed)
{
	memset(out, 0, len);
	switch (kind) {
	case NOISE_RANDOM:
		for (size_t i = 0; i < len; i++)
			out[i] = (char)(noise_next(seed) >> 56);
		break;
	case NOISE_WORDS:
		noise_words(out, len, seed);
		break;
	case NOISE_REPEATS:
		noise_repeats(out, len, seed);
		break;
	case NOISE_ISLANDS:
		for (size_t i = 0; len > 0 && i < 1 + len / 40000; i++)
			out[noise_below(seed, len)] = (char)(1 + noise_below(seed, 255));
		break;
	case NOISE_MIXED:
		for (size_t at = 0, n; at < len; at += n) {
			n = 1 + noise_below(seed, 150000);
			n = n < len - at ? n : len - at;
			noise_fill((enum noise_kind)noise_below(seed, NOISE_MIXED), out + at, n,
				   seed);
		}
		break;
	case NOISE_ZEROS:
	case NOISE_KINDS:
		break;
	}
}

static inline void flip_bit(char *bytes, size_t bit)
{
	unsigned char *byte = (unsigned char *)bytes + bit / 8;

	*byte = (unsigned char)(*byte ^ 1U << bit % 8);
}

#endif
