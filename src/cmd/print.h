/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results on stdout: lines, tables and JSON. cli.md 1.5 and 1.12; notation.h has dates.
 *
 * A table's columns describe both of its forms:
 *
 *	static const struct column columns[] = {
 *		COLUMN("Name", CELL_TEXT), COLUMN("Disk", CELL_NUMBER), COLUMN_JSON("Running", CELL_BOOL),
 *	};
 *	struct table table CLEANUP(table_done) = TABLE_INIT(columns);
 *
 *	table_add_text(&table, name);
 *	table_add_number(&table, disk_gb);
 *	table_add_bool(&table, running);          the row is full: the next cell starts another
 *	table_print(&table, args->format);
 */
#ifndef TART_CMD_PRINT_H
#define TART_CMD_PRINT_H

#include <time.h>

#include "base/str.h"
#include "base/vec.h"
#include "cmd/options.h"
#include "registry/notice.h"

enum format { FORMAT_TEXT, FORMAT_JSON };

extern const struct opt_value format_words[]; /* text, json */

/* --format text|json */
#define OPT_FORMAT(args, field) \
	OPT_ENUM(args, field, 0, "format", NULL, format_words, FORMAT_TEXT, "Output format")

/* A status line: control characters and broken UTF-8 in it are escaped, since much of it comes from outside. */
void print_line(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The lines of what lies below, on stdout. For one thread; transfer.h has that for many. */
extern const struct notice print_notice;

/* The same on stderr, for warnings. */
void print_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);

enum cell_type {
	CELL_TEXT,
	CELL_NUMBER,
	CELL_BOOL,
	CELL_TIME, /* "3 hours ago" in a table, "2026-05-12T21:45:18Z" in JSON */
};

struct column {
	const char *key;
	enum cell_type type;
	bool json_only;
};

#define COLUMN(key_, type_)                    \
	{                                      \
		.key = (key_), .type = (type_) \
	}
#define COLUMN_JSON(key_, type_)                                  \
	{                                                         \
		.key = (key_), .type = (type_), .json_only = true \
	} /* not in tables */

struct cell {
	char *text; /* owned; NULL unless CELL_TEXT */
	uint64_t number;
	time_t time;
	bool absent; /* "-" in a table, null in JSON */
};

struct table {
	const struct column *columns;
	size_t n_columns;
	VEC(struct cell) cells;
};

#define TABLE_INIT(columns_)                                            \
	{                                                               \
		.columns = (columns_), .n_columns = ARRAY_LEN(columns_) \
	}

/* Cells come row by row, each of its column's type. Texts are copied; NULL, or no time, is for what there is not. */
void table_add_text(struct table *table, const char *text);
void table_add_number(struct table *table, uint64_t number);
void table_add_bool(struct table *table, bool value);
void table_add_time(struct table *table, time_t when);
void table_add_no_time(struct table *table);
void table_done(struct table *table);

/* On stdout: the table with an empty line when it has no rows, or a JSON array of objects. */
void table_print(const struct table *table, enum format format);

/* The same for a table of one row, which is one JSON object. */
void table_print_one(const struct table *table, enum format format);

/* What they print, without the final newline. */
void table_add_as_text(const struct table *table, time_t now, struct str *out);
void table_add_as_json(const struct table *table, bool one, struct str *out);

#endif
