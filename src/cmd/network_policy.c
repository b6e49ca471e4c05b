/* SPDX-License-Identifier: Apache-2.0 */
/* tart network policy: what a running VM may reach, shown or changed. */
#include "cmd/network.h"
#include "cmd/print.h"
#include "vmnet/nics.h"

struct policy_args {
	const char *vm;
	const char *allow, *block, *expose; /* NULL = as it is; "" = none */
	enum format format;
	struct netd_policy change; /* what validate() has made of them */
};

static const struct operand policy_operands[] = {
	OPERAND(struct policy_args, vm, "name", "VM name", .completes = COMPLETES_RUNNING),
	OPERAND_END,
};

static const struct opt policy_opts[] = {
	OPT_TEXT(struct policy_args, allow, 0, "allow", "CIDRs",
		 "Networks to allow from now on, comma-separated, or @host; '' for none"),
	OPT_TEXT(struct policy_args, block, 0, "block", "CIDRs",
		 "Networks to block from now on, comma-separated; '' for none"),
	OPT_TEXT(
		struct policy_args, expose, 0, "expose", "ports",
		"TCP ports of the host that lead into the VM from now on, comma-separated EXTERNAL:INTERNAL; '' for none"),
	OPT_FORMAT(struct policy_args, format),
	OPT_END,
};

static const struct column columns[] = {
	COLUMN("VM", CELL_TEXT),    COLUMN("Interface", CELL_TEXT), COLUMN("Allow", CELL_TEXT),
	COLUMN("Block", CELL_TEXT), COLUMN("Expose", CELL_TEXT),
};

static bool read_list(const char *text, const char *option, policy_list *list, bool *ret_set,
		      struct err *err)
{
	*ret_set = text != NULL;
	return !text || !text[0] || policy_list_parse(span_of(text), option, list, err);
}

static bool policy_validate(struct tart *tart, void *args, struct err *err)
{
	struct policy_args *a = args;
	struct netd_policy *change = &a->change;

	(void)tart;
	change->set_expose = a->expose != NULL;
	return read_list(a->allow, "--allow", &change->policy.allow, &change->set_allow, err) &&
	       read_list(a->block, "--block", &change->policy.block, &change->set_block, err) &&
	       (!a->expose || !a->expose[0] ||
		expose_list_parse(span_of(a->expose), "--expose", &change->expose, err));
}

static void add_row(struct table *table, const char *vm, const struct netd_policy *policy)
{
	CLEANUP_STR struct str allow = { 0 };
	CLEANUP_STR struct str block = { 0 };
	CLEANUP_STR struct str expose = { 0 };

	policy_list_print(&policy->policy.allow, &allow);
	policy_list_print(&policy->policy.block, &block);
	expose_list_print(&policy->expose, &expose);
	table_add_text(table, vm);
	table_add_text(table, policy->tap);
	table_add_text(table, str_text(&allow));
	table_add_text(table, str_text(&block));
	table_add_text(table, str_text(&expose));
}

static const struct netd_nic *find_softnet(const struct netd_list *list)
{
	vec_each(&list->nics, nic) {
		if (nic->mode == NETD_SOFTNET)
			return nic;
	}
	return NULL;
}

static bool policy_run(struct tart *tart, void *args, struct err *err)
{
	struct policy_args *a = args;
	CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
	CLEANUP(nics_done) struct netd_list list = { 0 };
	CLEANUP(netd_message_done) struct netd_message answer = { 0 };
	CLEANUP(table_done) struct table table = TABLE_INIT(columns);
	CLEANUP_STR struct str request = { 0 };
	const struct netd_nic *nic;

	if (!network_nics(tart, a->vm, &keeper, &list, err))
		return false;
	nic = find_softnet(&list);
	if (!nic)
		return err_set(err, ERR_GENERAL,
			       "VM \"%s\" has no lists, since it runs without --net-softnet: "
			       "its network is '%s'",
			       a->vm, network_mode_text(list.nics.v[0].mode));
	memcpy(a->change.tap, nic->tap, sizeof(a->change.tap));
	netd_put_policy(NETD_POLICY, &a->change, &request);
	if (!keeper_ask(&keeper, &request, NETD_R_POLICY, &answer, NULL, NULL, err))
		return false;
	add_row(&table, a->vm, &answer.policy);
	table_print_one(&table, a->format);
	return true;
}

static void policy_args_done(void *args)
{
	struct policy_args *a = args;

	policy_done(&a->change.policy);
	vec_done(&a->change.expose);
}

const struct command cmd_network_policy = {
	.name = "policy",
	.group = &cmd_network,
	.summary = "Show or change what a running VM may reach under Softnet",
	.discussion =
		"A list that is given replaces the one that the VM was started with or had since. "
		"The others stay. What is printed is in force.",
	.operands = policy_operands,
	.opts = policy_opts,
	.args_size = sizeof(struct policy_args),
	.needs = NEEDS_HOME,
	.validate = policy_validate,
	.run = policy_run,
	.done = policy_args_done,
};
