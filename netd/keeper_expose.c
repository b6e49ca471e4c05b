/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ports of the host a VM may have. network.md 2.2: a DNAT rule would silently steal from whoever has the port now, so
 * it must be nobody's: neither another VM's nor that of a program that listens.
 */
#include "netd/keeper_private.h"

/* All VMs together: each is told to the forwarder, and is an element of a map. */
#define EXPOSED_MAX 16384

static const struct held_nic *find_exposed(const struct keeper *keeper, uint16_t external)
{
	vec_each(&keeper->nics, held)
		vec_each(&(*held)->nic.expose, expose)
			if (expose->external == external)
				return *held;
	return NULL;
}

static size_t count_exposed(const struct keeper *keeper)
{
	size_t n = 0;

	vec_each(&keeper->nics, held)
		n += (*held)->nic.expose.n;
	return n;
}

/* `held`: who asks; what is its own already stays so. */
static bool check_one(const struct keeper *keeper, const struct held_nic *held, uint16_t external,
		      struct netd_failure *failure)
{
	const struct network_conf *conf = &keeper->parts.settings->conf;
	const struct held_nic *owner = find_exposed(keeper, external);
	struct err err = { 0 };
	bool is_listening = false;

	if (owner && owner == held)
		return true;
	if (!port_ranges_have(conf->expose_ports.v, conf->expose_ports.n, external))
		return refuse(failure, NETD_E_DENIED,
			      "port %u cannot be exposed: it is not in 'expose-ports' of %s",
			      external, keeper->parts.settings->path);
	/* Whose it is would be news to other users. */
	if (owner)
		return refuse(failure, NETD_E_PORT_IN_USE,
			      "port %u cannot be exposed: another VM has it", external);
	if (!links_port_is_listening(external, &is_listening, &err))
		return refuse_err(failure, NETD_E_KERNEL, &err);
	if (is_listening)
		return refuse(failure, NETD_E_PORT_IN_USE,
			      "port %u cannot be exposed: a program of the host listens on it",
			      external);
	return true;
}

bool expose_check(const struct keeper *keeper, const struct held_nic *held, const expose_list *wish,
		  struct netd_failure *failure)
{
	if (count_exposed(keeper) + wish->n > EXPOSED_MAX)
		return refuse(failure, NETD_E_LIMIT, "too many ports are exposed on this host");
	vec_each(wish, expose)
		if (!check_one(keeper, held, expose->external, failure))
			return false;
	return true;
}
