/* SPDX-License-Identifier: Apache-2.0 */
/* tart network reset: one setting of network.conf back to its default. */
#include "cmd/network.h"
#include "vmnet/conf_file.h"

struct reset_args {
	const char *key;
};

static const struct operand reset_operands[] = {
	OPERAND(struct reset_args, key, "key", "Setting to reset",
		.completes = COMPLETES_NETWORK_KEYS),
	OPERAND_END,
};

static bool reset_validate(struct tart *tart, void *args, struct err *err)
{
	const struct reset_args *a = args;

	(void)tart;
	return network_check_key(a->key, err);
}

static bool reset_run(struct tart *tart, void *args, struct err *err)
{
	const struct reset_args *a = args;
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	enum keeper_wish wish;

	if (!network_wish(&wish, err))
		return false;
	conf_file_find(tart->home, wish, &file);
	return network_change(tart, &file, a->key, NULL, err);
}

const struct command cmd_network_reset = {
	.name = "reset",
	.group = &cmd_network,
	.summary = "Put a setting back to its default",
	.operands = reset_operands,
	.args_size = sizeof(struct reset_args),
	.needs = NEEDS_HOME,
	.validate = reset_validate,
	.run = reset_run,
};
