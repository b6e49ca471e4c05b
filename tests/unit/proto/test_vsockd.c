/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of proto/vsockd.h. */
#include "proto/vsockd.h"

#include "unit.h"

static void test_messages_come_back(void **state)
{
	static const struct {
		const char *name;
		struct vsockd_message message;
	} rows[] = {
		{ "driver-up", { .word = VSOCKD_DRIVER_UP } },
		{ "driver-down", { .word = VSOCKD_DRIVER_DOWN } },
		{ "broken a loop of descriptors",
		  { .word = VSOCKD_BROKEN, .why = "a loop of descriptors" } },
		{ "done reset", { .word = VSOCKD_DONE, .order = VSOCKD_RESET } },
		{ "done quiesce", { .word = VSOCKD_DONE, .order = VSOCKD_QUIESCE } },
		{ "done resume", { .word = VSOCKD_DONE, .order = VSOCKD_RESUME } },
		{ "reset", { .word = VSOCKD_RESET } },
		{ "quiesce", { .word = VSOCKD_QUIESCE } },
		{ "resume", { .word = VSOCKD_RESUME } },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_STR struct str text = { 0 };
		struct vsockd_message got = { 0 };
		struct err err = { 0 };

		vsockd_put(&row->message, &text);
		assert_string_equal(str_text(&text), row->name);
		check(vsockd_get(str_span(&text), &got, &err), "%s: %s", row->name, err.text);
		assert_int_equal(got.word, row->message.word);
		assert_int_equal(got.order, row->message.order);
		assert_string_equal(got.why, row->message.why);
	}
}

static void test_what_is_no_message(void **state)
{
	static const struct {
		const char *name;
	} rows[] = {
		{ "" },
		{ " " },
		{ "driver" },
		{ "driver-up " },
		{ "driver-up x" },
		{ "reset " },
		{ "broken" },
		{ "broken " },
		{ "broken a\nb" },
		{ "done" },
		{ "done " },
		{ "done done" },
		{ "done reset " },
		{ "done driver-up" },
		{ "Reset" },
		{ "resets" },
		{ " reset" },
	};

	(void)state;
	each_row(rows, row) {
		struct vsockd_message got = { .word = VSOCKD_RESUME };
		struct err err = { 0 };

		check(!vsockd_get(span_of(row->name), &got, &err), "'%s' was taken", row->name);
		assert_int_equal(got.word, VSOCKD_RESUME);
		assert_int_equal(err.kind, ERR_GENERAL);
	}
}

static void test_reasons_are_made_to_fit(void **state)
{
	struct vsockd_message message = { .word = VSOCKD_BROKEN, .why = "a\n\x80 b" };
	CLEANUP_STR struct str text = { 0 };
	struct vsockd_message got;
	struct err err = { 0 };

	(void)state;
	vsockd_put(&message, &text);
	assert_string_equal(str_text(&text), "broken a?? b");

	memset(message.why, 'x', sizeof(message.why) - 1);
	str_clear(&text);
	vsockd_put(&message, &text);
	assert_true(text.len <= VSOCKD_MESSAGE_MAX);
	assert_true(vsockd_get(str_span(&text), &got, &err));
	assert_string_equal(got.why, message.why);

	message.why[0] = '\0';
	str_clear(&text);
	vsockd_put(&message, &text);
	assert_true(vsockd_get(str_span(&text), &got, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_come_back),
		cmocka_unit_test(test_what_is_no_message),
		cmocka_unit_test(test_reasons_are_made_to_fit),
	};

	return unit_main(tests);
}
