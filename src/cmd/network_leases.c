/* SPDX-License-Identifier: Apache-2.0 */
/* tart network leases: which running VM has which address. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/network.h"
#include "cmd/print.h"
#include "vmnet/nics.h"

struct leases_args {
	enum format format;
};

static const struct opt leases_opts[] = {
	OPT_FORMAT(struct leases_args, format),
	OPT_END,
};

static const struct column columns[] = {
	COLUMN("VM", CELL_TEXT),           COLUMN("User", CELL_TEXT),
	COLUMN("MAC", CELL_TEXT),          COLUMN("Address", CELL_TEXT),
	COLUMN("Mode", CELL_TEXT),         COLUMN("Bound", CELL_TIME),
	COLUMN("Expires", CELL_TIME),      COLUMN_JSON("Interface", CELL_TEXT),
	COLUMN_JSON("Forward", CELL_TEXT),
};

static int by_vm_and_tap(const void *a, const void *b)
{
	const struct netd_nic *left = a;
	const struct netd_nic *right = b;
	int order = strcmp(left->vm, right->vm);

	return order != 0 ? order : strcmp(left->tap, right->tap);
}

static void add_user(struct table *table, uint32_t uid)
{
	const struct passwd *user = getpwuid(uid);
	CLEANUP_FREE char *number = xasprintf("%u", uid);

	table_add_text(table, user ? user->pw_name : number);
}

static void add_address(struct table *table, ipv4 address)
{
	char text[IPV4_TEXT_SIZE];

	ipv4_print(address, text);
	table_add_text(table, address != 0 ? text : NULL);
}

static void add_time(struct table *table, int64_t when_s)
{
	if (when_s > 0)
		table_add_time(table, (time_t)when_s);
	else
		table_add_no_time(table);
}

static void add_row(struct table *table, const struct netd_nic *nic)
{
	char mac[MAC_TEXT_SIZE];

	mac_print(&nic->mac, mac);
	table_add_text(table, nic->vm);
	add_user(table, nic->uid);
	table_add_text(table, mac);
	add_address(table, nic->address);
	table_add_text(table, network_mode_text(nic->mode));
	add_time(table, nic->bound_at_s);
	add_time(table, nic->expires_s);
	table_add_text(table, nic->tap);
	add_address(table, nic->forward);
}

static bool leases_run(struct tart *tart, void *args, struct err *err)
{
	const struct leases_args *a = args;
	CLEANUP(nics_done) struct netd_list list = { 0 };
	CLEANUP(table_done) struct table table = TABLE_INIT(columns);
	enum keeper_wish wish;

	if (!network_wish(&wish, err) || !nics_of_all(tart->home, wish, &list, err))
		return false;
	if (list.nics.n > 1)
		qsort(list.nics.v, list.nics.n, sizeof(*list.nics.v), by_vm_and_tap);
	vec_each(&list.nics, nic)
		add_row(&table, nic);
	table_print(&table, a->format);
	return true;
}

const struct command cmd_network_leases = {
	.name = "leases",
	.group = &cmd_network,
	.summary = "Show the addresses of running VMs",
	.opts = leases_opts,
	.args_size = sizeof(struct leases_args),
	.needs = NEEDS_HOME,
	.run = leases_run,
};
