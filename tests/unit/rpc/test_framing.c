/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rpc/framing.h. */
#include "rpc/framing.h"

#include "unit.h"

#define MAX ((size_t)1000)

struct taker {
	struct framing framing;
	struct span wants[4];
	size_t n;
};

static void take(struct taker *taker, struct span bytes)
{
	struct span got;

	while (framing_next(&taker->framing, &bytes, MAX, &got) == FRAMING_MESSAGE) {
		assert_true(taker->n < ARRAY_LEN(taker->wants));
		check(span_equal(got, taker->wants[taker->n]), "message %zu", taker->n);
		taker->n++;
	}
	assert_int_equal(bytes.len, 0);
}

/* However it is cut, the same messages come out. */
static void cut_anywhere(void **state)
{
	CLEANUP(queue_done) struct queue stream = { .at = 0 };
	CLEANUP_STR struct str large = { 0 };

	(void)state;
	while (large.len < MAX)
		str_add_char(&large, 'x');
	framing_put(&stream, span_of("one"));
	framing_put(&stream, span_of(""));
	framing_put(&stream, str_span(&large));
	framing_put(&stream, span_of("four"));
	for (size_t piece = 1; piece <= queue_len(&stream); piece++) {
		struct span rest = queue_front(&stream);
		struct taker taker = { .wants = { span_of("one"), span_of(""), str_span(&large),
						  span_of("four") } };

		while (rest.len > 0) {
			size_t n = rest.len < piece ? rest.len : piece;

			take(&taker, span_first(rest, n));
			rest = span_from(rest, n);
		}
		check(taker.n == ARRAY_LEN(taker.wants), "cut at %zu: %zu", piece, taker.n);
		assert_true(framing_is_between(&taker.framing));
		assert_int_equal(framing_kept(&taker.framing), 0);
		framing_done(&taker.framing);
	}
}

static enum framing_step step_of(const char *bytes, size_t len)
{
	CLEANUP(framing_done) struct framing framing = { .n_prefix = 0 };
	struct span rest = span_make(bytes, len);
	struct span got;

	return framing_next(&framing, &rest, MAX, &got);
}

static void refused(void **state)
{
	(void)state;
	assert_int_equal(step_of("\0\0\0\x03\xe8", 5), FRAMING_MORE);
	assert_int_equal(step_of("\0\0\0\x03\xe9", 5), FRAMING_TOO_LARGE);
	assert_int_equal(step_of("\0\xff\xff\xff\xff", 5), FRAMING_TOO_LARGE);
	assert_int_equal(step_of("\1\0\0\0\1x", 6), FRAMING_COMPRESSED);
}

static void announcing_costs_nothing(void **state)
{
	CLEANUP(framing_done) struct framing framing = { .n_prefix = 0 };
	struct span bytes = span_make("\0\0\0\x03\xe8x", 6);
	struct span got;

	(void)state;
	assert_int_equal(framing_next(&framing, &bytes, MAX, &got), FRAMING_MORE);
	assert_false(framing_is_between(&framing));
	assert_int_equal(framing_kept(&framing), 1);
	assert_true(framing.body.room < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(refused),
		cmocka_unit_test(announcing_costs_nothing),
	};

	return unit_main(tests);
}
