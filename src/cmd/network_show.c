/* SPDX-License-Identifier: Apache-2.0 */
/* tart network show: the settings of network.conf, and where each comes from. */
#include <string.h>

#include "cmd/network.h"
#include "cmd/print.h"
#include "net/network_conf.h"
#include "vmnet/conf_file.h"

struct show_args {
	const char *key; /* NULL = all */
	enum format format;
};

static const struct operand show_operands[] = {
	OPERAND_OPTIONAL(struct show_args, key, "key", "Setting to show; all when not given",
			 .completes = COMPLETES_NETWORK_KEYS),
	OPERAND_END,
};

static const struct opt show_opts[] = {
	OPT_FORMAT(struct show_args, format),
	OPT_END,
};

static const struct column columns[] = {
	COLUMN("Key", CELL_TEXT),    COLUMN("Value", CELL_TEXT),     COLUMN("Default", CELL_TEXT),
	COLUMN("Source", CELL_TEXT), COLUMN_JSON("Rule", CELL_TEXT),
};

static void add_row(struct table *table, const struct network_key *key,
		    const struct network_conf *conf, const struct conf_file *file, size_t line)
{
	CLEANUP_STR struct str value = { 0 };
	CLEANUP_STR struct str source = { 0 };

	network_conf_print(conf, key->name, &value);
	if (line > 0)
		str_addf(&source, "%s:%zu", file->path, line);
	else
		str_add(&source, "default");
	table_add_text(table, key->name);
	table_add_text(table, str_text(&value));
	table_add_text(table, key->fallback);
	table_add_text(table, str_text(&source));
	table_add_text(table, key->rule);
}

static bool show_validate(struct tart *tart, void *args, struct err *err)
{
	const struct show_args *a = args;

	(void)tart;
	return !a->key || network_check_key(a->key, err);
}

static bool show_run(struct tart *tart, void *args, struct err *err)
{
	const struct show_args *a = args;
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	CLEANUP(network_conf_done) struct network_conf conf = { 0 };
	CLEANUP(table_done) struct table table = TABLE_INIT(columns);
	CLEANUP_STR struct str text = { 0 };
	enum keeper_wish wish;

	if (!network_wish(&wish, err))
		return false;
	conf_file_find(tart->home, wish, &file);
	if (!conf_file_read(&file, &text, err) ||
	    !network_conf_parse(str_span(&text), file.path, &conf, err))
		return false;
	for (const struct network_key *key = network_keys; key->name; key++) {
		if (!a->key || strcmp(a->key, key->name) == 0)
			add_row(&table, key, &conf, &file,
				conf_file_line(str_span(&text), key->name));
	}
	if (a->key)
		table_print_one(&table, a->format);
	else
		table_print(&table, a->format);
	return true;
}

const struct command cmd_network_show = {
	.name = "show",
	.group = &cmd_network,
	.summary = "Show the settings and where each comes from",
	.operands = show_operands,
	.opts = show_opts,
	.args_size = sizeof(struct show_args),
	.needs = NEEDS_HOME,
	.validate = show_validate,
	.run = show_run,
};
