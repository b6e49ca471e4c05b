/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what the parser accepts, it prints so that it reads the same again, in either style. */
#include "base/json.h"

#include "fuzz.h"

static char *print(const struct json *node, enum json_style style)
{
	struct str text = { 0 };

	json_print(node, style, &text);
	return str_take(&text);
}

static void check_reads_the_same(const char *text, const char *compact)
{
	CLEANUP_JSON struct json *again = NULL;
	CLEANUP_FREE char *printed = NULL;
	struct err err = { 0 };

	fuzz_check(json_parse(span_of(text), &again, &err));
	printed = print(again, JSON_COMPACT);
	fuzz_check(strcmp(printed, compact) == 0);
}

static void check_copy(const struct json *root, const char *compact)
{
	CLEANUP_JSON struct json *copy = json_dup(root);
	CLEANUP_FREE char *printed = print(copy, JSON_COMPACT);

	fuzz_check(strcmp(printed, compact) == 0);
}

/* Sorting changes the order of members and nothing else, so a second time changes nothing. */
static void check_sort(struct json *root)
{
	CLEANUP_FREE char *once = NULL;
	CLEANUP_FREE char *twice = NULL;

	json_sort(root);
	once = print(root, JSON_COMPACT);
	json_sort(root);
	twice = print(root, JSON_COMPACT);
	fuzz_check(strcmp(once, twice) == 0);
	check_reads_the_same(once, once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_JSON struct json *root = NULL;
	CLEANUP_FREE char *compact = NULL;
	CLEANUP_FREE char *pretty = NULL;
	struct err err = { 0 };

	if (!json_parse(span_make((const char *)data, size), &root, &err)) {
		fuzz_check(!root && err.kind == ERR_GENERAL && err.text[0]);
		return 0;
	}
	compact = print(root, JSON_COMPACT);
	pretty = print(root, JSON_PRETTY);
	check_reads_the_same(compact, compact);
	check_reads_the_same(pretty, compact);
	check_copy(root, compact);
	check_sort(root);
	return 0;
}
