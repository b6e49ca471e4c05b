/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the JSON tree, base/json.c: reading, changing, printing. */
#include "base/json.h"

#include "unit.h"

static struct json *parse(const char *text)
{
	struct json *root = NULL;
	struct err err = { 0 };

	if (!json_parse(span_of(text), &root, &err))
		fail_msg("%s: %s", text, err.text);
	return root;
}

static void check_prints(const struct json *node, enum json_style style, const char *want)
{
	CLEANUP_STR struct str out = { 0 };

	json_print(node, style, &out);
	assert_string_equal(str_text(&out), want);
}

static const struct {
	const char *name;
	const char *text;
	const char *pretty;
} styles[] = {
	{ "number", "0.10", "0.10" },
	{ "empty array", "[]", "[\n\n]" },
	{ "empty object", "{}", "{\n\n}" },
	{ "array", "[1,\"a\",null]", "[\n  1,\n  \"a\",\n  null\n]" },
	{ "object", "{\"a\":1,\"b\":true}", "{\n  \"a\" : 1,\n  \"b\" : true\n}" },
	{ "nested", "{\"a\":{\"b\":[1]}}",
	  "{\n  \"a\" : {\n    \"b\" : [\n      1\n    ]\n  }\n}" },
	{ "empty inside", "{\"a\":[],\"b\":{}}", "{\n  \"a\" : [\n\n  ],\n  \"b\" : {\n\n  }\n}" },
	{ "list of objects", "[{\"a\":1},{\"a\":2}]",
	  "[\n  {\n    \"a\" : 1\n  },\n  {\n    \"a\" : 2\n  }\n]" },
	{ "escaped key", "{\"a\\\"\":\"/\"}", "{\n  \"a\\\"\" : \"/\"\n}" },
};

static void both_styles(void **state)
{
	(void)state;
	each_row(styles, row) {
		CLEANUP_JSON struct json *root = parse(row->text);
		CLEANUP_STR struct str pretty = { 0 };

		json_print(root, JSON_PRETTY, &pretty);
		check(strcmp(str_text(&pretty), row->pretty) == 0, "%s: '%s'", row->name,
		      str_text(&pretty));
		check_prints(root, JSON_COMPACT, row->text);
	}
}

static void a_tree_built_by_hand(void **state)
{
	CLEANUP_JSON struct json *root = json_object();
	struct json *list = json_set(root, "list", json_array());

	(void)state;
	json_append(list, json_string("a"));
	json_append(list, json_string_span(span_make("bcd", 2)));
	json_append(list, json_string_span((struct span){ 0 }));
	json_append(list, json_bool(true));
	json_append(list, json_bool(false));
	json_append(list, json_null());
	json_append(list, json_u64(UINT64_MAX));
	json_append(list, json_i64(INT64_MIN));
	json_append(list, json_number("1e400"));
	check_prints(root, JSON_COMPACT,
		     "{\"list\":[\"a\",\"bc\",\"\",true,false,null,18446744073709551615,"
		     "-9223372036854775808,1e400]}");
}

static void members_are_set_in_place_and_removed_in_order(void **state)
{
	CLEANUP_JSON struct json *root = parse("{\"a\":1,\"b\":2,\"c\":3}");

	(void)state;
	json_set(root, "b", json_string("new"));
	check_prints(root, JSON_COMPACT, "{\"a\":1,\"b\":\"new\",\"c\":3}");
	json_set(root, "d", json_null());
	assert_true(json_remove(root, "a"));
	assert_false(json_remove(root, "a"));
	check_prints(root, JSON_COMPACT, "{\"b\":\"new\",\"c\":3,\"d\":null}");
	assert_true(json_remove(root, "d"));
	assert_true(json_remove(root, "c"));
	assert_true(json_remove(root, "b"));
	check_prints(root, JSON_COMPACT, "{}");
}

static void a_copied_member_takes_its_new_key(void **state)
{
	CLEANUP_JSON struct json *from = parse("{\"a\":[1]}");
	CLEANUP_JSON struct json *to = json_object();

	(void)state;
	json_set(to, "b", json_dup(json_member(from, "a")));
	check_prints(to, JSON_COMPACT, "{\"b\":[1]}");
	check_prints(from, JSON_COMPACT, "{\"a\":[1]}");
}

static void lookups(void **state)
{
	CLEANUP_JSON struct json *root =
		parse("{\"text\":\"t\",\"null\":null,\"n\":7,\"list\":[1,2]}");

	(void)state;
	assert_true(json_is_object(root));
	assert_string_equal(json_member_text(root, "text"), "t");
	assert_null(json_member_text(root, "n"));
	assert_null(json_member_text(root, "absent"));
	assert_non_null(json_member(root, "null"));
	assert_int_equal(json_type(json_member(root, "null")), JSON_NULL);
	assert_null(json_member(root, "absent"));
	assert_null(json_member(json_member(root, "list"), "text"));
	assert_string_equal(json_text(json_member(root, "n")), "7");
	assert_null(json_text(json_member(root, "list")));

	assert_int_equal(json_count(root), 4);
	assert_string_equal(json_key_at(root, 2), "n");
	assert_null(json_key_at(root, 4));
	assert_null(json_at(root, 4));
	assert_int_equal(json_count(json_member(root, "list")), 2);
	assert_string_equal(json_text(json_at(json_member(root, "list"), 1)), "2");
	assert_null(json_key_at(json_member(root, "list"), 0));
}

static void readers_accept_null(void **state)
{
	uint64_t n = 7;
	bool flag = true;

	(void)state;
	assert_int_equal(json_type(NULL), JSON_NULL);
	assert_false(json_is_object(NULL));
	assert_null(json_text(NULL));
	assert_null(json_member(NULL, "a"));
	assert_null(json_member_text(NULL, "a"));
	assert_int_equal(json_count(NULL), 0);
	assert_null(json_at(NULL, 0));
	assert_null(json_key_at(NULL, 0));
	assert_false(json_get_u64(NULL, &n));
	assert_false(json_get_bool(NULL, &flag));
	json_free(NULL);
}

static const struct {
	const char *name;
	const char *text;
	bool ok;
	uint64_t value;
} numbers[] = {
	{ "zero", "0", true, 0 },
	{ "largest", "18446744073709551615", true, UINT64_MAX },
	{ "too large", "18446744073709551616", false, 0 },
	{ "negative", "-1", false, 0 },
	{ "negative zero", "-0", false, 0 },
	{ "fraction", "1.0", false, 0 },
	{ "exponent", "1e3", false, 0 },
	{ "string", "\"1\"", false, 0 },
	{ "null", "null", false, 0 },
};

static void numbers_are_read_only_when_they_fit(void **state)
{
	(void)state;
	each_row(numbers, row) {
		CLEANUP_JSON struct json *node = parse(row->text);
		uint64_t value = 4711;

		check(json_get_u64(node, &value) == row->ok, "%s", row->name);
		check(value == (row->ok ? row->value : 4711), "%s: %llu", row->name,
		      (unsigned long long)value);
	}
}

static void booleans(void **state)
{
	CLEANUP_JSON struct json *list = parse("[true,false,0]");
	bool value = false;

	(void)state;
	assert_true(json_get_bool(json_at(list, 0), &value));
	assert_true(value);
	assert_true(json_get_bool(json_at(list, 1), &value));
	assert_false(value);
	assert_false(json_get_bool(json_at(list, 2), &value));
}

static void sorts_by_bytes_at_every_level_but_not_arrays(void **state)
{
	CLEANUP_JSON struct json *root = parse(
		"{\"b\":[{\"z\":1,\"y\":2},3,1],\"\xc3\xa9\":0,\"a\":{\"d\":1,\"C\":2},\"B\":4}");

	(void)state;
	json_sort(root);
	check_prints(
		root, JSON_COMPACT,
		"{\"B\":4,\"a\":{\"C\":2,\"d\":1},\"b\":[{\"y\":2,\"z\":1},3,1],\"\xc3\xa9\":0}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_styles),
		cmocka_unit_test(a_tree_built_by_hand),
		cmocka_unit_test(members_are_set_in_place_and_removed_in_order),
		cmocka_unit_test(a_copied_member_takes_its_new_key),
		cmocka_unit_test(lookups),
		cmocka_unit_test(readers_accept_null),
		cmocka_unit_test(numbers_are_read_only_when_they_fit),
		cmocka_unit_test(booleans),
		cmocka_unit_test(sorts_by_bytes_at_every_level_but_not_arrays),
	};

	return unit_main(tests);
}
