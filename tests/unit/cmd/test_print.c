/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cmd/print.h. */
#include "cmd/print.h"

#include "unit.h"

static const struct column list_columns[] = {
	COLUMN("Source", CELL_TEXT),       COLUMN("Name", CELL_TEXT),
	COLUMN("Disk", CELL_NUMBER),       COLUMN("Accessed", CELL_TIME),
	COLUMN_JSON("Running", CELL_BOOL), COLUMN("State", CELL_TEXT),
};

#define NOW 1778622318 /* 2026-05-12T21:45:18Z */

static void add_row(struct table *table, const char *name, uint64_t disk_gb, time_t accessed,
		    bool running)
{
	table_add_text(table, "local");
	table_add_text(table, name);
	table_add_number(table, disk_gb);
	table_add_time(table, accessed);
	table_add_bool(table, running);
	table_add_text(table, running ? "running" : "stopped");
}

static void check_text(const struct table *table, const char *want)
{
	CLEANUP_STR struct str got = { 0 };

	table_add_as_text(table, NOW, &got);
	assert_string_equal(str_text(&got), want);
}

static void aligns_columns(void **state)
{
	CLEANUP(table_done) struct table table = TABLE_INIT(list_columns);

	(void)state;
	add_row(&table, "debian", 50, NOW - 7200, true);
	add_row(&table, "a", 100000, NOW, false);
	check_text(&table, "Source Name   Disk   Accessed     State  \n"
			   "local  debian 50     2 hours ago  running\n"
			   "local  a      100000 in 0 seconds stopped");
}

/* The last cell is padded, too, and then the end of the whole text is trimmed. */
static void trims_the_whole_text(void **state)
{
	CLEANUP(table_done) struct table table = TABLE_INIT(list_columns);

	(void)state;
	table_add_text(&table, "");
	table_add_text(&table, "x");
	table_add_number(&table, 1);
	table_add_time(&table, NOW);
	table_add_bool(&table, false);
	table_add_text(&table, "on");
	check_text(&table, "Source Name Disk Accessed     State\n"
			   "       x    1    in 0 seconds on");
}

static void counts_code_points(void **state)
{
	static const struct column columns[] = { COLUMN("N", CELL_TEXT), COLUMN("M", CELL_TEXT) };
	CLEANUP(table_done) struct table table = TABLE_INIT(columns);

	(void)state;
	table_add_text(&table, "\xc3\xa4\xc3\xb6\xc3\xbc");
	table_add_text(&table, "x");
	table_add_text(&table, "abcd");
	table_add_text(&table, "y");
	check_text(&table, "N    M\n"
			   "\xc3\xa4\xc3\xb6\xc3\xbc  x\n"
			   "abcd y");
}

static void escapes_what_a_terminal_obeys(void **state)
{
	static const struct column columns[] = { COLUMN("N", CELL_TEXT) };
	CLEANUP(table_done) struct table table = TABLE_INIT(columns);

	(void)state;
	table_add_text(&table, "a\033[2J\xff");
	check_text(&table, "N           \na\\x1b[2J\\xff");
}

static void what_there_is_not(void **state)
{
	static const struct column columns[] = { COLUMN("N", CELL_TEXT), COLUMN("T", CELL_TIME) };
	CLEANUP(table_done) struct table table = TABLE_INIT(columns);
	CLEANUP_STR struct str json = { 0 };

	(void)state;
	table_add_text(&table, NULL);
	table_add_no_time(&table);
	check_text(&table, "N T\n- -");
	table_add_as_json(&table, true, &json);
	assert_string_equal(json.ptr, "{\n  \"N\" : null,\n  \"T\" : null\n}");
}

static void nothing_is_an_empty_line(void **state)
{
	CLEANUP(table_done) struct table table = TABLE_INIT(list_columns);
	CLEANUP_STR struct str json = { 0 };

	(void)state;
	check_text(&table, "");
	table_add_as_json(&table, false, &json);
	assert_string_equal(json.ptr, "[\n\n]");
}

static void prints_json(void **state)
{
	CLEANUP(table_done) struct table table = TABLE_INIT(list_columns);
	CLEANUP_STR struct str json = { 0 };

	(void)state;
	add_row(&table, "a \"b\"\xff", 50, NOW, true);
	table_add_as_json(&table, false, &json);
	assert_string_equal(json.ptr, "[\n"
				      "  {\n"
				      "    \"Source\" : \"local\",\n"
				      "    \"Name\" : \"a \\\"b\\\"\\\\xff\",\n"
				      "    \"Disk\" : 50,\n"
				      "    \"Accessed\" : \"2026-05-12T21:45:18Z\",\n"
				      "    \"Running\" : true,\n"
				      "    \"State\" : \"running\"\n"
				      "  }\n"
				      "]");
	str_clear(&json);
	table_add_as_json(&table, true, &json);
	assert_memory_equal(json.ptr, "{\n  \"Source\" : ", strlen("{\n  \"Source\" : "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligns_columns),
		cmocka_unit_test(trims_the_whole_text),
		cmocka_unit_test(counts_code_points),
		cmocka_unit_test(escapes_what_a_terminal_obeys),
		cmocka_unit_test(what_there_is_not),
		cmocka_unit_test(nothing_is_an_empty_line),
		cmocka_unit_test(prints_json),
	};

	return unit_main(tests);
}
