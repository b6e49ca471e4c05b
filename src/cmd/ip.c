/* SPDX-License-Identifier: Apache-2.0 */
/* tart ip: the address of a VM. */
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "base/cancel.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "storage/config.h"
#include "storage/local.h"
#include "vmnet/lookup.h"

#define POLL_MS 100

struct ip_args {
	const char *name;
	uint16_t wait_s;
	enum lookup_resolver resolver;
};

static const struct operand ip_operands[] = {
	OPERAND(struct ip_args, name, "name", "VM name", .completes = COMPLETES_LOCAL),
	OPERAND_END,
};

static const struct opt_value resolvers[] = {
	{ "dhcp", LOOKUP_DHCP },
	{ "arp", LOOKUP_ARP },
	{ "agent", LOOKUP_AGENT },
	{ NULL, 0 },
};

static const struct opt ip_opts[] = {
	OPT_U16(struct ip_args, wait_s, 0, "wait", "wait", 0,
		"Seconds to wait for the address; the VM may be started meanwhile"),
	OPT_ENUM(
		struct ip_args, resolver, 0, "resolver", NULL, resolvers, LOOKUP_DHCP,
		"Whom to ask for the address",
		.discussion =
			"dhcp: whoever gave the guest its lease, so there is an address as soon as "
			"the guest has one. arp: the host's table of neighbours, also for guests "
			"with an address of their own. agent: the agent inside the guest."),
	OPT_END,
};

static uint64_t now_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Read anew each time: a VM that is started may be given another MAC address. */
static bool try_once(const struct ip_args *a, int bundle_fd, struct lookup *lookup,
		     struct config *config, struct lookup_result *result, struct err *err)
{
	config_done(config);
	*config = (struct config){ 0 };
	if (!config_read(bundle_fd, config, err))
		return err_context(err, "VM \"%s\"", a->name);
	lookup->mac = config->mac;
	lookup->running = bundle_state(bundle_fd, NULL) == VM_RUNNING;
	return lookup_once(lookup, result, err);
}

static bool is_user_mode(const struct lookup *lookup, const struct lookup_result *result)
{
	return lookup->running && lookup->resolver == LOOKUP_DHCP && !result->kept;
}

static bool fail(const struct lookup *lookup, const struct config *config,
		 const struct lookup_result *result, struct err *err)
{
	const char *hint = "";

	if (is_user_mode(lookup, result))
		hint = " (its network is QEMU's user mode, where this host cannot reach the guest: "
		       "\"tart exec\" works without an address, and ports are exposed by "
		       "--net-softnet-expose where \"tart run\" has another network)";
	else if (lookup->resolver == LOOKUP_AGENT)
		hint = " (also make sure that Guest agent for Tart is running inside of a VM)";
	else if (lookup->resolver == LOOKUP_ARP && config->os == OS_LINUX)
		hint = " (not all Linux distributions are compatible with the ARP resolver)";
	return err_set(err, ERR_NO_IP, "no IP address found%s%s",
		       lookup->running ? "" : ", is your VM running?", hint);
}

static bool wait_for_address(const struct ip_args *a, int bundle_fd, struct lookup *lookup,
			     struct lookup_result *result, struct err *err)
{
	uint64_t deadline_ms = now_ms() + (uint64_t)a->wait_s * 1000;
	CLEANUP(config_done) struct config config = { 0 };

	for (;;) {
		uint64_t now;

		if (!try_once(a, bundle_fd, lookup, &config, result, err))
			return false;
		now = now_ms();
		if (result->address != 0)
			return true;
		if (now >= deadline_ms)
			return fail(lookup, &config, result, err);
		(void)poll(NULL, 0,
			   deadline_ms - now < POLL_MS ? (int)(deadline_ms - now) : POLL_MS);
		if (!cancel_check(err))
			return false;
	}
}

static bool ip_run(struct tart *tart, void *args, struct err *err)
{
	const struct ip_args *a = args;
	CLEANUP(lookup_done) struct lookup lookup = LOOKUP_INIT;
	CLEANUP_CLOSE int fd = -1;
	struct lookup_result result = { 0 };
	char text[IPV4_TEXT_SIZE];

	lookup.home = tart->home;
	lookup.resolver = a->resolver;
	lookup.leases_env = getenv("TART_DHCP_LEASES");
	if (!keeper_wish_from_env(getenv("TART_NETWORK_BACKEND"), &lookup.wish, err) ||
	    !local_open(tart->home, a->name, &fd, err) ||
	    !wait_for_address(a, fd, &lookup, &result, err))
		return false;
	ipv4_print(result.address, text);
	print_line("%s", text);
	if (result.notice[0] != '\0')
		print_warning("%s", result.notice);
	return true;
}

const struct command cmd_ip = {
	.name = "ip",
	.summary = "Print the IP address of a VM",
	.operands = ip_operands,
	.opts = ip_opts,
	.args_size = sizeof(struct ip_args),
	.needs = NEEDS_HOME,
	.run = ip_run,
};
