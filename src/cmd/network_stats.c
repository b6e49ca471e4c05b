/* SPDX-License-Identifier: Apache-2.0 */
/* tart network stats: what of a VM's traffic was refused or dropped, by rule. */
#include "cmd/network.h"
#include "cmd/print.h"
#include "vmnet/nics.h"

struct stats_args {
	const char *vm;
	enum format format;
};

static const struct operand stats_operands[] = {
	OPERAND(struct stats_args, vm, "name", "VM name", .completes = COMPLETES_RUNNING),
	OPERAND_END,
};

static const struct opt stats_opts[] = {
	OPT_FORMAT(struct stats_args, format),
	OPT_END,
};

static const struct column columns[] = {
	COLUMN("Interface", CELL_TEXT), COLUMN("Rule", CELL_TEXT),
	COLUMN("Packets", CELL_NUMBER), COLUMN("Bytes", CELL_NUMBER),
	COLUMN("Meaning", CELL_TEXT),
};

static const char *const meanings[NETD_COUNTERS] = {
	[NETD_C_SPOOFED] = "not from its own MAC and IP address; IPv6, VLANs, other protocols",
	[NETD_C_ARP] = "ARP in the name of others, or for others",
	[NETD_C_SERVER] = "answers of a DHCP server",
	[NETD_C_REFUSED] = "to where it may not connect; it was told so",
	[NETD_C_DROPPED] = "the same, too fast to be told each time; broadcasts",
	[NETD_C_PEER] = "to other VMs",
	[NETD_C_INBOUND] = "to it, from outside, unasked for",
	[NETD_C_FORGED] = "from outside, in the name of its IP address",
};

static bool add_rows(struct table *table, const struct keeper *keeper, const struct netd_nic *nic,
		     struct err *err)
{
	CLEANUP(netd_message_done) struct netd_message answer = { 0 };
	CLEANUP_STR struct str request = { 0 };

	netd_put_stats_request(nic->tap, &request);
	if (!keeper_ask(keeper, &request, NETD_R_STATS, &answer, NULL, NULL, err))
		return false;
	for (size_t i = 0; i < NETD_COUNTERS; i++) {
		table_add_text(table, nic->tap);
		table_add_text(table, netd_counter_names[i]);
		table_add_number(table, answer.stats.counts[i].packets);
		table_add_number(table, answer.stats.counts[i].bytes);
		table_add_text(table, meanings[i]);
	}
	return true;
}

static bool stats_run(struct tart *tart, void *args, struct err *err)
{
	const struct stats_args *a = args;
	CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
	CLEANUP(nics_done) struct netd_list list = { 0 };
	CLEANUP(table_done) struct table table = TABLE_INIT(columns);
	size_t n_bridged = 0;

	if (!network_nics(tart, a->vm, &keeper, &list, err))
		return false;
	vec_each(&list.nics, nic) {
		if (nic->mode == NETD_BRIDGED)
			n_bridged++;
		else if (!add_rows(&table, &keeper, nic, err))
			return false;
	}
	if (n_bridged == list.nics.n)
		return err_set(
			err, ERR_GENERAL,
			"VM \"%s\" is bridged: nothing of its traffic is filtered or counted",
			a->vm);
	table_print(&table, a->format);
	return true;
}

const struct command cmd_network_stats = {
	.name = "stats",
	.group = &cmd_network,
	.summary = "Show what of a VM's traffic was refused or dropped",
	.operands = stats_operands,
	.opts = stats_opts,
	.args_size = sizeof(struct stats_args),
	.needs = NEEDS_HOME,
	.run = stats_run,
};
