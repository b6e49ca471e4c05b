/* SPDX-License-Identifier: Apache-2.0 */
/* tart fqn: the name with its digest of a cached image; any other name as it is. */
#include "cmd/command.h"
#include "cmd/print.h"
#include "storage/cache.h"

struct fqn_args {
	const char *name;
};

static const struct operand fqn_operands[] = {
	OPERAND(struct fqn_args, name, "name", "VM name", .completes = COMPLETES_ALL),
	OPERAND_END,
};

static bool fqn_run(struct tart *tart, void *args, struct err *err)
{
	const struct fqn_args *a = args;
	CLEANUP(remote_name_done) struct remote_name name = { 0 };
	CLEANUP_STR struct str digest = { 0 };
	struct err ignored;

	if (!remote_name_parse(span_of(a->name), &name, &ignored)) {
		print_line("%s", a->name);
		return true;
	}
	if (!cache_resolve(tart->home, &name, &digest, err))
		return false;
	print_line("%s/%s@%s", name.host, name.repository, str_text(&digest));
	return true;
}

const struct command cmd_fqn = {
	.name = "fqn",
	.summary = "Print the name of an image with its digest",
	.operands = fqn_operands,
	.args_size = sizeof(struct fqn_args),
	.hidden = true,
	.needs = NEEDS_HOME,
	.run = fqn_run,
};
