/* SPDX-License-Identifier: Apache-2.0 */
/* tart nc: a TCP connection to a guest on standard input and output. */
#include <stdlib.h>

#include "base/number.h"
#include "base/relay.h"
#include "cmd/command.h"
#include "cmd/network.h"
#include "vmnet/nics.h"

struct nc_args {
	const char *vm;
	const char *port_text;
	uint16_t port; /* what validate() has made of it */
};

static const struct operand nc_operands[] = {
	OPERAND(struct nc_args, vm, "name", "VM name", .completes = COMPLETES_RUNNING),
	OPERAND(struct nc_args, port_text, "port", "TCP port of the guest"),
	OPERAND_END,
};

static bool nc_validate(struct tart *tart, void *args, struct err *err)
{
	struct nc_args *a = args;
	uint64_t port = 0;

	(void)tart;
	if (!number_parse_u64(span_of(a->port_text), UINT16_MAX, &port) || port == 0)
		return err_set(err, ERR_USAGE, "'%s' is no port: 1 to 65535", a->port_text);
	a->port = (uint16_t)port;
	return true;
}

static const struct netd_nic *find_reachable(const struct netd_list *list)
{
	vec_each(&list->nics, nic) {
		if (nic->mode != NETD_BRIDGED)
			return nic;
	}
	return NULL;
}

static bool open_connection(const struct tart *tart, const struct nc_args *a, int *ret_fd,
			    struct err *err)
{
	CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
	CLEANUP(nics_done) struct netd_list list = { 0 };
	CLEANUP(netd_message_done) struct netd_message answer = { 0 };
	CLEANUP_STR struct str request = { 0 };
	struct netd_connect wanted = { .port = a->port };
	const struct netd_nic *nic;
	int fds[NETD_FDS_MAX] = { -1, -1 };

	if (!network_nics(tart, a->vm, &keeper, &list, err))
		return false;
	nic = find_reachable(&list);
	if (!nic)
		return err_set(
			err, ERR_GENERAL,
			"VM \"%s\" is bridged: it is reached at its address in that network, "
			"which 'tart ip' shows",
			a->vm);
	memcpy(wanted.tap, nic->tap, sizeof(wanted.tap));
	netd_put_connect(&wanted, &request);
	if (!keeper_ask(&keeper, &request, NETD_R_CONNECTED, &answer, fds, NULL, err))
		return false;
	cleanup_close(&fds[1]);
	*ret_fd = fds[0];
	return fds[0] >= 0 ||
	       err_set(err, ERR_GENERAL, "the keeper of the network has sent no connection");
}

static void relay_cleanup(struct relay **slot)
{
	relay_free(*slot);
}

static bool nc_run(struct tart *tart, void *args, struct err *err)
{
	const struct nc_args *a = args;
	CLEANUP_CLOSE int fd = -1;
	CLEANUP(relay_cleanup) struct relay *relay = NULL;

	if (!open_connection(tart, a, &fd, err))
		return err_context(err, "port %u of VM \"%s\"", a->port, a->vm);
	relay = relay_new(STDIN_FILENO, STDOUT_FILENO, fd);
	return relay_run(relay, err);
}

const struct command cmd_nc = {
	.name = "nc",
	.summary = "Connect stdin and stdout to a TCP port of a VM",
	.operands = nc_operands,
	.args_size = sizeof(struct nc_args),
	.needs = NEEDS_HOME,
	.validate = nc_validate,
	.run = nc_run,
};
