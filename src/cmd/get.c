/* SPDX-License-Identifier: Apache-2.0 */
/* tart get: the configuration of one VM. */
#include "cmd/command.h"
#include "cmd/print.h"
#include "storage/config.h"
#include "storage/local.h"

struct get_args {
	const char *name;
	enum format format;
};

static const struct operand get_operands[] = {
	OPERAND(struct get_args, name, "name", "VM name", .completes = COMPLETES_LOCAL),
	OPERAND_END,
};

static const struct opt get_opts[] = {
	OPT_FORMAT(struct get_args, format),
	OPT_END,
};

static const struct column columns[] = {
	COLUMN("OS", CELL_TEXT),         COLUMN("CPU", CELL_NUMBER),
	COLUMN("Memory", CELL_NUMBER),   COLUMN("Disk", CELL_NUMBER),
	COLUMN("DiskFormat", CELL_TEXT), COLUMN("Size", CELL_TEXT),
	COLUMN("Display", CELL_TEXT),    COLUMN_JSON("Running", CELL_BOOL),
	COLUMN("State", CELL_TEXT),
};

/* Bytes as GB with three decimals, rounded. */
static void add_gb(struct str *out, uint64_t bytes)
{
	uint64_t thousandths = bytes / 1000000 + (bytes % 1000000 >= 500000);

	str_addf(out, "%llu.%03llu", (unsigned long long)(thousandths / 1000),
		 (unsigned long long)(thousandths % 1000));
}

static void fill(struct table *table, const struct config *config, const struct bundle_sizes *sizes,
		 enum vm_state state)
{
	CLEANUP_STR struct str size = { 0 };
	CLEANUP_STR struct str display = { 0 };

	add_gb(&size, sizes->allocated_bytes);
	display_print(&config->display, &display);
	table_add_text(table, guest_os_text(config->os));
	table_add_number(table, config->cpu_count);
	table_add_number(table, config->memory_bytes >> 20);
	table_add_number(table, sizes->logical_bytes / 1000000000);
	table_add_text(table, config->disk_format_text);
	table_add_text(table, str_text(&size));
	table_add_text(table, str_text(&display));
	table_add_bool(table, state == VM_RUNNING);
	table_add_text(table, vm_state_text(state));
}

static bool get_run(struct tart *tart, void *args, struct err *err)
{
	const struct get_args *a = args;
	CLEANUP(config_done) struct config config = { 0 };
	CLEANUP(table_done) struct table table = TABLE_INIT(columns);
	CLEANUP_CLOSE int fd = -1;
	struct bundle_sizes sizes;

	if (!local_open(tart->home, a->name, &fd, err) || !config_read(fd, &config, err) ||
	    !bundle_sizes(fd, &sizes, err))
		return false;
	fill(&table, &config, &sizes, bundle_state(fd, NULL));
	table_print_one(&table, a->format);
	return true;
}

const struct command cmd_get = {
	.name = "get",
	.summary = "Show the configuration of a VM",
	.operands = get_operands,
	.opts = get_opts,
	.args_size = sizeof(struct get_args),
	.needs = NEEDS_HOME,
	.run = get_run,
};
