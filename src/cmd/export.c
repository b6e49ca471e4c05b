/* SPDX-License-Identifier: Apache-2.0 */
/* tart export: a VM as one file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cancel.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/output.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "storage/export.h"
#include "storage/name.h"

struct export_args {
	const char *name;
	const char *path;
};

static const struct operand export_operands[] = {
	OPERAND(struct export_args, name, "name", "local VM or cached image",
		.completes = COMPLETES_ALL),
	OPERAND_OPTIONAL(struct export_args, path, "path",
			 "file to write, by default the name with .tvm behind it",
			 .completes = COMPLETES_FILES),
	OPERAND_END,
};

/* In the current directory; a remote name's separators would lead elsewhere. */
static char *default_path(const char *name)
{
	char *path = xasprintf("%s.tvm", name);

	for (char *c = path; name_is_remote(name) && *c; c++)
		if (*c == '/' || *c == ':')
			*c = '_';
	return path;
}

/* Only "yes" is a yes. */
static bool ask(const char *path, bool *ret_yes, struct err *err)
{
	CLEANUP_STR struct str question = { 0 };
	CLEANUP_FREE char *line = NULL;
	size_t room = 0;
	ssize_t len;

	str_add(&question, "file ");
	str_add_escaped(&question, span_of(path));
	str_add(&question, " already exists, are you sure you want to overwrite it? (yes, [no])? ");
	(void)fputs(str_text(&question), stdout);
	(void)fflush(stdout);
	len = getline(&line, &room, stdin);
	if (!cancel_check(err))
		return false;
	if (len > 0 && line[len - 1] == '\n')
		line[len - 1] = '\0';
	*ret_yes = len > 0 && strcmp(line, "yes") == 0;
	return true;
}

static void say_exporting(void)
{
	print_line("exporting...");
}

static bool write_file(const struct export_source *source, const char *path, struct err *err)
{
	CLEANUP(output_done) struct output output = OUTPUT_INIT;

	return output_open(path, 0644, &output, err) &&
	       export_write(source, output.fd, say_exporting, err) && output_commit(&output, err);
}

static bool export_run(struct tart *tart, void *args, struct err *err)
{
	const struct export_args *a = args;
	CLEANUP(export_close) struct export_source source = EXPORT_SOURCE_INIT;
	CLEANUP_FREE char *path = a->path ? xstrdup(a->path) : default_path(a->name);
	bool go_on = true;

	if (!export_open(tart->home, a->name, &source, err))
		return err_reclass(err, ERR_EXPORT);
	if (!a->path && fs_exists(AT_FDCWD, path) && !ask(path, &go_on, err))
		return false;
	return !go_on || write_file(&source, path, err) || err_reclass(err, ERR_EXPORT);
}

const struct command cmd_export = {
	.name = "export",
	.summary = "Write a VM into one file",
	.discussion = "A VM that is running cannot be exported; while it is exported, it cannot be "
		      "run.",
	.operands = export_operands,
	.args_size = sizeof(struct export_args),
	.needs = NEEDS_HOME,
	.run = export_run,
};
