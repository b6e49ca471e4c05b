/* SPDX-License-Identifier: Apache-2.0 */
/* tart list: local VMs and cached images. */
#include <stdlib.h>

#include "cmd/command.h"
#include "cmd/print.h"
#include "storage/cache.h"
#include "storage/local.h"

struct list_args {
	const char *source; /* NULL = both */
	enum format format;
	bool quiet;
};

static const char *const sources[] = { "local", "oci", NULL };

static const struct opt list_opts[] = {
	OPT_TEXT(struct list_args, source, 0, "source", NULL,
		 "Only VMs of this kind: \"local\" or \"oci\"; both when not given",
		 .choices = sources),
	OPT_FORMAT(struct list_args, format),
	OPT_FLAG(struct list_args, quiet, 'q', "quiet", "Names only, one per line"),
	OPT_END,
};

static const struct column columns[] = {
	COLUMN("Source", CELL_TEXT),   COLUMN("Name", CELL_TEXT),
	COLUMN("Disk", CELL_NUMBER),   COLUMN("Size", CELL_NUMBER),
	COLUMN("Accessed", CELL_TIME), COLUMN_JSON("Running", CELL_BOOL),
	COLUMN("State", CELL_TEXT),
};

struct row {
	const char *source;
	char *name; /* owned */
	struct bundle_sizes sizes;
	struct timespec accessed;
	enum vm_state state;
};

struct rows {
	VEC(struct row) v;
	bool names_only;
};

static void rows_done(struct rows *rows)
{
	vec_each(&rows->v, row)
		free(row->name);
	vec_done(&rows->v);
}

/* What cannot be read, or vanishes while we look, has no row. */
static void add_row(struct rows *rows, const char *source, const char *name, int bundle_fd)
{
	struct row row = { .source = source };
	struct err ignored;

	if (!rows->names_only) {
		if (!bundle_sizes(bundle_fd, &row.sizes, &ignored) ||
		    !bundle_accessed(bundle_fd, &row.accessed, &ignored))
			return;
		row.state = bundle_state(bundle_fd, NULL);
	}
	row.name = xstrdup(name);
	*vec_push(&rows->v) = row;
}

static bool add_local(const struct home *home, struct rows *rows, struct err *err)
{
	CLEANUP(name_list_done) struct name_list list = { 0 };
	struct err ignored;

	if (!local_list(home, &list, err))
		return false;
	vec_each(&list.names, name) {
		CLEANUP_CLOSE int fd = -1;

		if (local_peek(home, *name, &fd, &ignored))
			add_row(rows, "local", *name, fd);
	}
	return true;
}

static bool add_item(void *ctx, const struct cache_item *item, struct err *err)
{
	(void)err;
	if (item->bundle_fd >= 0)
		add_row(ctx, "OCI", item->name, item->bundle_fd);
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct row *left = a;
	const struct row *right = b;

	return strcmp(left->name, right->name);
}

static bool add_cached(const struct home *home, struct rows *rows, struct err *err)
{
	size_t first = rows->v.n;

	if (!cache_walk(home, add_item, rows, err))
		return false;
	if (rows->v.n > first + 1)
		qsort(rows->v.v + first, rows->v.n - first, sizeof(*rows->v.v), by_name);
	return true;
}

static void print_table(const struct rows *rows, enum format format)
{
	CLEANUP(table_done) struct table table = TABLE_INIT(columns);

	vec_each(&rows->v, row) {
		table_add_text(&table, row->source);
		table_add_text(&table, row->name);
		table_add_number(&table, row->sizes.logical_bytes / 1000000000);
		table_add_number(&table, row->sizes.allocated_bytes / 1000000000);
		table_add_time(&table, row->accessed.tv_sec);
		table_add_bool(&table, row->state == VM_RUNNING);
		table_add_text(&table, vm_state_text(row->state));
	}
	table_print(&table, format);
}

static bool wants(const struct list_args *a, const char *source)
{
	return !a->source || strcmp(a->source, source) == 0;
}

static bool list_validate(struct tart *tart, void *args, struct err *err)
{
	const struct list_args *a = args;

	(void)tart;
	if (!wants(a, "local") && !wants(a, "oci"))
		return err_set(err, ERR_USAGE, "'%s' is not a valid <source>", a->source);
	return true;
}

static bool list_run(struct tart *tart, void *args, struct err *err)
{
	const struct list_args *a = args;
	CLEANUP(rows_done) struct rows rows = { .names_only = a->quiet };

	if ((wants(a, "local") && !add_local(tart->home, &rows, err)) ||
	    (wants(a, "oci") && !add_cached(tart->home, &rows, err)))
		return false;
	if (!a->quiet) {
		print_table(&rows, a->format);
		return true;
	}
	vec_each(&rows.v, row)
		print_line("%s", row->name);
	return true;
}

const struct command cmd_list = {
	.name = "list",
	.summary = "List local VMs and cached images",
	.opts = list_opts,
	.args_size = sizeof(struct list_args),
	.needs = NEEDS_HOME,
	.validate = list_validate,
	.run = list_run,
};
