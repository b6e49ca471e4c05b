/* SPDX-License-Identifier: Apache-2.0 */
/* tart stop: ending a running VM, or discarding the state of a suspended one. */
#include "machine/stop.h"
#include "cmd/command.h"
#include "storage/local.h"

struct stop_args {
	const char *name;
	uint64_t timeout_s;
};

static const struct operand stop_operands[] = {
	OPERAND(struct stop_args, name, "name", "VM name", .completes = COMPLETES_RUNNING),
	OPERAND_END,
};

static const struct opt stop_opts[] = {
	OPT_U64(struct stop_args, timeout_s, 't', "timeout", NULL, 30,
		"Seconds to wait for the guest to shut down before the VM is killed"),
	OPT_END,
};

static bool stop_run(struct tart *tart, void *args, struct err *err)
{
	const struct stop_args *a = args;
	CLEANUP_CLOSE int fd = -1;

	return local_peek(tart->home, a->name, &fd, err) && stop_vm(fd, a->name, a->timeout_s, err);
}

const struct command cmd_stop = {
	.name = "stop",
	.summary = "Stop a VM",
	.operands = stop_operands,
	.opts = stop_opts,
	.args_size = sizeof(struct stop_args),
	.needs = NEEDS_HOME,
	.run = stop_run,
};
