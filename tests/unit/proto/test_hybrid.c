/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of proto/hybrid.h. */
#include "proto/hybrid.h"

#include "unit.h"

static void test_connect_lines(void **state)
{
	static const struct {
		const char *name;
		enum hybrid_result want;
		uint32_t port;
		size_t used;
	} rows[] = {
		{ "CONNECT 8080\n", HYBRID_LINE, 8080, 13 },
		{ "CONNECT 0\nabc", HYBRID_LINE, 0, 10 },
		{ "CONNECT 4294967295\n\n", HYBRID_LINE, UINT32_MAX, 19 },
		{ "", HYBRID_LATER, 0, 0 },
		{ "CONNECT 22", HYBRID_LATER, 0, 0 },
		{ "anything that may be a line yet", HYBRID_LATER, 0, 0 }, /* 31 bytes */
		{ "anything that cannot be a line y", HYBRID_BAD, 0, 0 },  /* 32 bytes */
		{ "CONNECT 0000000000000000000001\n", HYBRID_LINE, 1, 31 },
		{ "CONNECT 000000000000000000000001\n", HYBRID_BAD, 0, 0 },
		{ "CONNECT 4294967296\n", HYBRID_BAD, 0, 0 },
		{ "CONNECT \n", HYBRID_BAD, 0, 0 },
		{ "CONNECT\n", HYBRID_BAD, 0, 0 },
		{ "CONNECT 22\r\n", HYBRID_BAD, 0, 0 },
		{ "CONNECT -1\n", HYBRID_BAD, 0, 0 },
		{ "CONNECT  1\n", HYBRID_BAD, 0, 0 },
		{ "connect 1\n", HYBRID_BAD, 0, 0 },
		{ "\n", HYBRID_BAD, 0, 0 },
	};

	(void)state;
	each_row(rows, row) {
		uint32_t port = 0;
		size_t used = 0;
		enum hybrid_result got = hybrid_get_connect(span_of(row->name), &port, &used);

		check(got == row->want, "'%s': got %d", row->name, (int)got);
		check(port == row->port && used == row->used, "'%s': port %u, %zu bytes", row->name,
		      port, used);
	}
}

static void test_answers_come_back(void **state)
{
	(void)state;
	for (int reason = HYBRID_OK; reason <= HYBRID_INVALID; reason++) {
		CLEANUP_STR struct str text = { 0 };
		enum hybrid_reason got = HYBRID_TIMEOUT;
		uint32_t port = 0;
		size_t used = 0;

		hybrid_put_answer((enum hybrid_reason)reason, 1024, &text);
		assert_int_equal(hybrid_get_answer(span_first(str_span(&text), text.len - 1), &got,
						   &port, &used),
				 HYBRID_LATER);
		assert_int_equal(hybrid_get_answer(str_span(&text), &got, &port, &used),
				 HYBRID_LINE);
		assert_int_equal(got, reason);
		assert_int_equal(port, reason == HYBRID_OK ? 1024 : 0);
		assert_int_equal(used, text.len);
	}
}

static void test_what_is_no_answer(void **state)
{
	static const struct {
		const char *name;
	} rows[] = {
		{ "OK\n" },
		{ "OK \n" },
		{ "OK 4294967296\n" },
		{ "ERR\n" },
		{ "ERR \n" },
		{ "ERR nobody-knows\n" },
		{ "ok 1\n" },
		{ "0123456789012345678901234567890123456789012345678901234567890123" },
	};

	(void)state;
	each_row(rows, row) {
		enum hybrid_reason reason = HYBRID_TIMEOUT;
		uint32_t port = 0;
		size_t used = 0;

		check(hybrid_get_answer(span_of(row->name), &reason, &port, &used) == HYBRID_BAD,
		      "'%s' was taken", row->name);
	}
}

static void test_connect_comes_back(void **state)
{
	CLEANUP_STR struct str text = { 0 };
	uint32_t port = 0;
	size_t used = 0;

	(void)state;
	hybrid_put_connect(UINT32_MAX, &text);
	assert_int_equal(hybrid_get_connect(str_span(&text), &port, &used), HYBRID_LINE);
	assert_int_equal(port, UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect_lines),
		cmocka_unit_test(test_answers_come_back),
		cmocka_unit_test(test_what_is_no_answer),
		cmocka_unit_test(test_connect_comes_back),
	};

	return unit_main(tests);
}
