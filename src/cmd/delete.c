/* SPDX-License-Identifier: Apache-2.0 */
/* tart delete: removing local VMs and cached images. */
#include "base/vec.h"
#include "cmd/command.h"
#include "cmd/wait_notice.h"
#include "storage/local.h"

struct delete_args {
	struct text_list names;
};

static const struct operand delete_operands[] = {
	OPERAND_LIST(struct delete_args, names, "name", "local VM or cached image",
		     .completes = COMPLETES_ALL),
	OPERAND_END,
};

static bool delete_one(const struct home *home, const char *text, struct err *err)
{
	CLEANUP(remote_name_done) struct remote_name name = { 0 };
	struct err ignored;

	if (remote_name_parse(span_of(text), &name, &ignored))
		return cache_delete(home, &name, text, &wait_notice_line, err);
	return local_delete(home, text, err);
}

static bool delete_run(struct tart *tart, void *args, struct err *err)
{
	const struct delete_args *a = args;

	vec_each(&a->names, name) {
		if (!delete_one(tart->home, *name, err))
			return false;
	}
	return true;
}

const struct command cmd_delete = {
	.name = "delete",
	.summary = "Delete VMs",
	.operands = delete_operands,
	.args_size = sizeof(struct delete_args),
	.needs = NEEDS_HOME,
	.run = delete_run,
};
