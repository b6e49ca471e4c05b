/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/ring.h. */
#include "http/ring.h"

#include <string.h>

#include "unit.h"

#define ROOM 7

static void gives_back_what_was_put(void **state)
{
	struct ring ring = { 0 };
	unsigned char next_in = 0;
	unsigned char next_out = 0;

	(void)state;
	/* Every length of put meets every length of take, at every position. */
	for (int round = 0; round < 10000; round++) {
		unsigned char in[ROOM];
		unsigned char out[ROOM + 1];
		size_t n_in = (size_t)round * 5 % (ROOM + 1);
		size_t n_out = (size_t)round * 3 % (ROOM + 2);
		size_t before = ring.len;
		size_t got;

		for (size_t i = 0; i < n_in; i++)
			in[i] = (unsigned char)(next_in + i);
		if (ring_put(&ring, ROOM, in, n_in)) {
			next_in = (unsigned char)(next_in + n_in);
			assert_int_equal(ring.len, before + n_in);
		} else {
			assert_true(n_in > ROOM - before);
			assert_int_equal(ring.len, before);
		}
		got = ring_take(&ring, out, n_out);
		assert_true(got == n_out || (got < n_out && ring.len == 0));
		for (size_t i = 0; i < got; i++)
			assert_int_equal(out[i], next_out++);
	}
	ring_done(&ring);
}

static void is_empty_at_first(void **state)
{
	struct ring ring = { 0 };
	char out[1];

	(void)state;
	assert_int_equal(ring_take(&ring, out, sizeof(out)), 0);
	assert_true(ring_put(&ring, ROOM, NULL, 0));
	assert_null(ring.bytes);
	ring_done(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_what_was_put),
		cmocka_unit_test(is_empty_at_first),
	};

	return unit_main(tests);
}
