/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"

#include <string.h>

#include "unit.h"

static char byte_at(size_t i)
{
	return (char)(i * 31 + i / 200);
}

static void what_is_put_comes_out(void **state)
{
	struct queue queue = { 0 };
	size_t in = 0;
	size_t out = 0;

	(void)state;
	/* Steps that never meet: the queue grows, shrinks, is moved to its front, and is empty now and then. */
	for (size_t round = 0; round < 20000; round++) {
		char bytes[997];
		size_t n = round * 7 % sizeof(bytes);
		size_t take = round % 5 == 4 ? queue_len(&queue) : round * 11 % 701;

		for (size_t i = 0; i < n; i++)
			bytes[i] = byte_at(in + i);
		queue_put(&queue, span_make(bytes, n));
		in += n;
		assert_int_equal(queue_len(&queue), in - out);
		assert_int_equal(queue_front(&queue).len, in - out);
		take = take < queue_len(&queue) ? take : queue_len(&queue);
		for (size_t i = 0; i < take; i++)
			assert_int_equal(queue_front(&queue).ptr[i], byte_at(out + i));
		queue_drop(&queue, take);
		out += take;
	}
	queue_done(&queue);
	assert_int_equal(queue_len(&queue), 0);
}

static void an_empty_one_keeps_little_memory(void **state)
{
	static const char bytes[1 << 20];
	struct queue queue = { 0 };

	(void)state;
	assert_int_equal(queue_front(&queue).len, 0);
	queue_put(&queue, span_make(bytes, sizeof(bytes)));
	queue_drop(&queue, sizeof(bytes));
	assert_true(queue.bytes.room <= (size_t)256 << 10);
	queue_put(&queue, span_of("again"));
	assert_true(span_is(queue_front(&queue), "again"));
	queue_done(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_comes_out),
		cmocka_unit_test(an_empty_one_keeps_little_memory),
	};

	return unit_main(tests);
}
