/* SPDX-License-Identifier: Apache-2.0 */
/* tart network set: one setting of network.conf. */
#include "cmd/network.h"
#include "vmnet/conf_file.h"

struct set_args {
	const char *key;
	const char *value;
};

static const struct operand set_operands[] = {
	OPERAND(struct set_args, key, "key", "Setting to change; 'tart network show' lists them",
		.completes = COMPLETES_NETWORK_KEYS),
	OPERAND(struct set_args, value, "value", "Its new value"),
	OPERAND_END,
};

static bool set_validate(struct tart *tart, void *args, struct err *err)
{
	const struct set_args *a = args;

	(void)tart;
	return network_check_key(a->key, err);
}

static bool set_run(struct tart *tart, void *args, struct err *err)
{
	const struct set_args *a = args;
	CLEANUP(conf_file_done) struct conf_file file = { 0 };
	enum keeper_wish wish;

	if (!network_wish(&wish, err))
		return false;
	conf_file_find(tart->home, wish, &file);
	return network_change(tart, &file, a->key, a->value, err);
}

const struct command cmd_network_set = {
	.name = "set",
	.group = &cmd_network,
	.summary = "Change a setting, for VMs that start from now on",
	.operands = set_operands,
	.args_size = sizeof(struct set_args),
	.needs = NEEDS_HOME,
	.validate = set_validate,
	.run = set_run,
};
