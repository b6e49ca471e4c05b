/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another policy for a VM that runs. Connections that are there already pass whatever the rules say now (they are stateful,
 * network.md 2.1 d), so those that the guest has made, or that came in by a port, end; the host's own stay.
 */
#include <string.h>

#include "netd/keeper_private.h"

#define take_list(to, from)                      \
	do {                                     \
		vec_done(to);                    \
		vec_each((from), taken_)         \
			*vec_push(to) = *taken_; \
	} while (0)

static void tell(const struct held_nic *held, struct netd_policy *ret)
{
	struct nic copy;

	nic_copy(&held->nic, &copy);
	*ret = (struct netd_policy){ .set_allow = true,
				     .set_block = true,
				     .set_expose = true,
				     .policy = copy.policy,
				     .expose = copy.expose };
	memcpy(ret->tap, copy.tap, sizeof(ret->tap));
}

static bool make_new(const struct held_nic *held, const struct netd_policy *wish, struct nic *ret,
		     struct netd_failure *failure)
{
	struct err err = { 0 };

	nic_copy(&held->nic, ret);
	if (wish->set_allow)
		take_list(&ret->policy.allow, &wish->policy.allow);
	if (wish->set_block)
		take_list(&ret->policy.block, &wish->policy.block);
	if (wish->set_expose)
		take_list(&ret->expose, &wish->expose);
	ret->peer = policy_makes_peer(&ret->policy);
	return nic_check(ret, &err) || refuse_err(failure, NETD_E_INVALID, &err);
}

/* From here on the rules are the new ones: what fails now is told, but does not bring the old ones back. */
static void settle(struct keeper *keeper, struct held_nic *held, const struct netd_policy *wish,
		   bool was_peer)
{
	struct err err = { 0 };

	if (was_peer != held->nic.peer &&
	    !links_set_peer(keeper->links, held->nic.tap, held->nic.peer, &err))
		log_line(keeper->parts.log, "%s: %s", held->nic.tap, err.text);
	if (!links_end_flows(keeper->links, &held->nic, wish->set_allow || wish->set_block,
			     wish->set_expose, &err))
		log_line(keeper->parts.log, "%s: %s", held->nic.tap, err.text);
	keeper_save(keeper, held);
	keeper_changed(keeper);
}

static bool change(struct keeper *keeper, struct held_nic *held, const struct netd_policy *wish,
		   struct netd_failure *failure)
{
	CLEANUP(nic_done) struct nic now = { .uid = 0 };
	struct nic was;
	struct err err = { 0 };

	if (held->nic.mode != NETD_SOFTNET)
		return refuse(failure, NETD_E_INVALID, "the VM does not run with --net-softnet");
	if (!make_new(held, wish, &now, failure) ||
	    !expose_check(keeper, held, &now.expose, failure))
		return false;
	if (!rules_change(keeper->rules, &held->nic, &now, &err))
		return refuse_err(failure, NETD_E_KERNEL, &err);
	was = held->nic;
	held->nic = now;
	now = was;
	settle(keeper, held, wish, was.peer);
	return true;
}

bool keeper_policy(struct keeper *keeper, const struct caller *caller,
		   const struct netd_policy *wish, struct netd_policy *ret,
		   struct netd_failure *failure)
{
	struct held_nic *held = keeper_find_for(keeper, caller, wish->tap, failure);

	if (!held)
		return false;
	if ((wish->set_allow || wish->set_block || wish->set_expose) &&
	    !change(keeper, held, wish, failure))
		return false;
	tell(held, ret);
	return true;
}
