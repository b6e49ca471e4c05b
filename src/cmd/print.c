/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and tables on stdout. */
#include "cmd/print.h"

#include <assert.h>
#include <stdio.h>

#include "base/json.h"
#include "base/utf8.h"
#include "cmd/notation.h"

const struct opt_value format_words[] = {
	{ "text", FORMAT_TEXT },
	{ "json", FORMAT_JSON },
	{ NULL, 0 },
};

static void print_to(FILE *to, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

static void print_to(FILE *to, const char *fmt, va_list ap)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_STR struct str line = { 0 };

	str_vaddf(&text, fmt, ap);
	str_add_escaped(&line, str_span(&text));
	str_add_char(&line, '\n');
	fputs(str_text(&line), to);
}

void print_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_to(stdout, fmt, ap);
	va_end(ap);
}

static void tell(void *ctx, const char *line)
{
	(void)ctx;
	print_line("%s", line);
}

const struct notice print_notice = { .tell = tell };

void print_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_to(stderr, fmt, ap);
	va_end(ap);
}

static const struct column *column_of(const struct table *table, size_t cell)
{
	return &table->columns[cell % table->n_columns];
}

static struct cell *add_cell(struct table *table, enum cell_type type)
{
	assert(column_of(table, table->cells.n)->type == type);
	(void)type;
	return vec_push(&table->cells);
}

void table_add_text(struct table *table, const char *text)
{
	struct cell *cell = add_cell(table, CELL_TEXT);

	cell->text = xstrdup(text ? text : "");
	cell->absent = !text;
}

void table_add_number(struct table *table, uint64_t number)
{
	add_cell(table, CELL_NUMBER)->number = number;
}

void table_add_bool(struct table *table, bool value)
{
	add_cell(table, CELL_BOOL)->number = value;
}

void table_add_time(struct table *table, time_t when)
{
	add_cell(table, CELL_TIME)->time = when;
}

void table_add_no_time(struct table *table)
{
	add_cell(table, CELL_TIME)->absent = true;
}

void table_done(struct table *table)
{
	vec_each(&table->cells, cell)
		free(cell->text);
	vec_done(&table->cells);
}

static void add_cell_text(struct str *out, enum cell_type type, const struct cell *cell, time_t now)
{
	if (cell->absent) {
		str_add_char(out, '-');
		return;
	}
	switch (type) {
	case CELL_TEXT:
		str_add_escaped(out, span_of(cell->text));
		break;
	case CELL_NUMBER:
		str_addf(out, "%llu", (unsigned long long)cell->number);
		break;
	case CELL_BOOL:
		str_add(out, cell->number ? "true" : "false");
		break;
	case CELL_TIME:
		date_add_relative(out, cell->time, now);
		break;
	}
}

static size_t code_points(const char *text)
{
	struct span rest = span_of(text);
	size_t n = 0;

	for (; rest.len > 0; n++)
		rest = span_from(rest, utf8_len(rest));
	return n;
}

/* A table as texts, titles included: n_rows times n_columns of them. */
struct grid {
	char **texts;
	size_t *widths; /* of columns */
	size_t n_rows;
	size_t n_columns;
};

static void grid_done(struct grid *grid)
{
	for (size_t i = 0; i < grid->n_rows * grid->n_columns; i++)
		free(grid->texts[i]);
	free(grid->texts);
	free(grid->widths);
}

static void grid_set(struct grid *grid, size_t row, size_t column, char *text)
{
	size_t width = code_points(text);

	grid->texts[row * grid->n_columns + column] = text;
	if (width > grid->widths[column])
		grid->widths[column] = width;
}

static void grid_fill(struct grid *grid, const struct table *table, time_t now)
{
	size_t to = 0;

	for (size_t i = 0; i < table->n_columns; i++) {
		const struct column *column = &table->columns[i];

		if (column->json_only)
			continue;
		grid_set(grid, 0, to, xstrdup(column->key));
		for (size_t row = 1; row < grid->n_rows; row++) {
			struct str text = { 0 };

			add_cell_text(&text, column->type,
				      &table->cells.v[(row - 1) * table->n_columns + i], now);
			grid_set(grid, row, to, str_take(&text));
		}
		to++;
	}
}

static struct grid grid_make(const struct table *table, time_t now)
{
	struct grid grid = { .n_rows = 1 + table->cells.n / table->n_columns };

	for (size_t i = 0; i < table->n_columns; i++)
		grid.n_columns += !table->columns[i].json_only;
	grid.texts = xcalloc(grid.n_rows * grid.n_columns, sizeof(*grid.texts));
	grid.widths = xcalloc(grid.n_columns, sizeof(*grid.widths));
	grid_fill(&grid, table, now);
	return grid;
}

/* Every cell is as wide as its column, the last one too; what that puts at the very end is cut off by the caller. */
static void grid_print(const struct grid *grid, struct str *out)
{
	for (size_t row = 0; row < grid->n_rows; row++) {
		for (size_t i = 0; i < grid->n_columns; i++) {
			const char *text = grid->texts[row * grid->n_columns + i];
			size_t pad = grid->widths[i] - code_points(text);

			str_addf(out, "%s%s%*s", i > 0 ? " " : "", text, (int)pad, "");
		}
		str_add_char(out, '\n');
	}
}

static struct span trim(struct span text)
{
	while (text.len > 0 && strchr(" \n", text.ptr[0]))
		text = span_from(text, 1);
	while (text.len > 0 && strchr(" \n", text.ptr[text.len - 1]))
		text.len--;
	return text;
}

void table_add_as_text(const struct table *table, time_t now, struct str *out)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP(grid_done) struct grid grid = { 0 };

	if (table->cells.n == 0)
		return;
	grid = grid_make(table, now);
	grid_print(&grid, &text);
	str_add_span(out, trim(str_span(&text)));
}

static bool is_utf8(const char *text)
{
	struct span rest = span_of(text);
	size_t n;

	for (; rest.len > 0; rest = span_from(rest, n)) {
		n = utf8_len(rest);
		if (n == 0)
			return false;
	}
	return true;
}

/* JSON is UTF-8; other bytes, as a file name may hold them, are escaped as on the terminal. */
static struct json *json_of_text(const char *text)
{
	CLEANUP_STR struct str escaped = { 0 };

	if (is_utf8(text))
		return json_string(text);
	str_add_escaped(&escaped, span_of(text));
	return json_string(str_text(&escaped));
}

static struct json *json_of_cell(enum cell_type type, const struct cell *cell)
{
	CLEANUP_STR struct str date = { 0 };

	if (cell->absent)
		return json_null();
	switch (type) {
	case CELL_TEXT:
		return json_of_text(cell->text);
	case CELL_NUMBER:
		return json_u64(cell->number);
	case CELL_BOOL:
		return json_bool(cell->number != 0);
	case CELL_TIME:
		break;
	}
	date_add_iso(&date, cell->time);
	return json_string(str_text(&date));
}

static struct json *json_of_row(const struct table *table, const struct cell *cells)
{
	struct json *object = json_object();

	for (size_t i = 0; i < table->n_columns; i++)
		json_set(object, table->columns[i].key,
			 json_of_cell(table->columns[i].type, &cells[i]));
	return object;
}

void table_add_as_json(const struct table *table, bool one, struct str *out)
{
	CLEANUP_JSON struct json *array = json_array();

	assert(table->cells.n % table->n_columns == 0);
	for (size_t i = 0; i < table->cells.n; i += table->n_columns)
		json_append(array, json_of_row(table, &table->cells.v[i]));
	assert(!one || json_count(array) == 1);
	json_print(one ? json_at(array, 0) : array, JSON_PRETTY, out);
}

static void print_table(const struct table *table, enum format format, bool one)
{
	CLEANUP_STR struct str text = { 0 };

	if (format == FORMAT_JSON)
		table_add_as_json(table, one, &text);
	else
		table_add_as_text(table, time(NULL), &text);
	puts(str_text(&text));
}

void table_print(const struct table *table, enum format format)
{
	print_table(table, format, false);
}

void table_print_one(const struct table *table, enum format format)
{
	print_table(table, format, true);
}
