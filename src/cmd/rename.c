/* SPDX-License-Identifier: Apache-2.0 */
/* tart rename: another name for a local VM, running or not. */
#include "cmd/command.h"
#include "cmd/new_name.h"
#include "storage/local.h"

struct rename_args {
	const char *name;
	const char *new_name;
};

static const struct operand rename_operands[] = {
	OPERAND(struct rename_args, name, "name", "VM name", .completes = COMPLETES_LOCAL),
	OPERAND(struct rename_args, new_name, "new-name", "its new name"),
	OPERAND_END,
};

static bool rename_validate(struct tart *tart, void *args, struct err *err)
{
	const struct rename_args *a = args;

	(void)tart;
	return new_name_check("new-name", a->new_name, err);
}

static bool rename_run(struct tart *tart, void *args, struct err *err)
{
	const struct rename_args *a = args;

	return local_rename(tart->home, a->name, a->new_name, err);
}

const struct command cmd_rename = {
	.name = "rename",
	.summary = "Rename a local VM",
	.operands = rename_operands,
	.args_size = sizeof(struct rename_args),
	.needs = NEEDS_HOME,
	.validate = rename_validate,
	.run = rename_run,
};
