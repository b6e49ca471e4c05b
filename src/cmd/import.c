/* SPDX-License-Identifier: Apache-2.0 */
/* tart import: a VM from a file that `tart export` wrote. */
#include <errno.h>
#include <fcntl.h>

#include "base/cancel.h"
#include "cmd/command.h"
#include "cmd/new_name.h"
#include "cmd/print.h"
#include "storage/export.h"

struct import_args {
	const char *path;
	const char *name;
};

static const struct operand import_operands[] = {
	OPERAND(struct import_args, path, "path", "file that tart export wrote",
		.completes = COMPLETES_FILES),
	OPERAND(struct import_args, name, "name", "name of the VM", .completes = COMPLETES_LOCAL),
	OPERAND_END,
};

static bool import_validate(struct tart *tart, void *args, struct err *err)
{
	const struct import_args *a = args;

	(void)tart;
	return new_name_check("name", a->name, err);
}

/* A FIFO waits here for its writer. */
static bool open_input(const char *path, int *ret_fd, struct err *err)
{
	int fd;

	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR && !cancel_requested());
	if (!cancel_check(err))
		return false;
	if (fd < 0)
		return err_sys(err, errno, "cannot open '%s'", path);
	*ret_fd = fd;
	return true;
}

static bool import_run(struct tart *tart, void *args, struct err *err)
{
	const struct import_args *a = args;
	CLEANUP_CLOSE int fd = -1;

	if (!open_input(a->path, &fd, err))
		return err_reclass(err, ERR_IMPORT);
	print_line("importing...");
	return import_vm(tart->home, fd, a->path, a->name, err) || err_reclass(err, ERR_IMPORT);
}

const struct command cmd_import = {
	.name = "import",
	.summary = "Make a VM from a file that tart export wrote",
	.discussion = "Archives that Tart writes on macOS are of another kind and cannot be read.",
	.operands = import_operands,
	.args_size = sizeof(struct import_args),
	.needs = NEEDS_HOME,
	.validate = import_validate,
	.run = import_run,
};
