/* SPDX-License-Identifier: Apache-2.0 */
/* The table of requests and their handlers. */
#include "netd/request.h"

#include <string.h>
#include <unistd.h>

#include "netd/failure.h"

void answer_done(struct answer *answer)
{
	str_done(&answer->bytes);
	for (size_t i = 0; i < NETD_FDS_MAX; i++)
		cleanup_close(&answer->fds[i]);
	*answer = (struct answer)ANSWER_INIT;
}

void answer_refuse(struct answer *answer, const struct netd_failure *failure)
{
	str_clear(&answer->bytes);
	netd_put_error(failure, &answer->bytes);
}

static bool do_attach(const struct request *request, struct answer *answer,
		      struct netd_failure *failure)
{
	struct netd_attached attached;

	if (!keeper_attach(request->keeper, request->owner, &request->caller,
			   &request->message->attach, &attached, answer->fds, failure))
		return false;
	netd_put_attached(&attached, &answer->bytes);
	answer->state = REQUEST_ATTACHED;
	return true;
}

static bool do_reattach(const struct request *request, struct answer *answer,
			struct netd_failure *failure)
{
	struct netd_attached attached;

	if (!keeper_reattach(request->keeper, request->owner, &request->caller,
			     request->message->tap, &attached, failure))
		return false;
	netd_put_attached(&attached, &answer->bytes);
	answer->state = REQUEST_ATTACHED;
	return true;
}

static bool do_list(const struct request *request, struct answer *answer,
		    struct netd_failure *failure)
{
	struct netd_list list = { .nics = { 0 } };

	(void)failure;
	keeper_list(request->keeper, &request->caller, &request->message->list_request, &list);
	netd_put_list(&list, &answer->bytes);
	vec_done(&list.nics);
	return true;
}

static bool do_status(const struct request *request, struct answer *answer,
		      struct netd_failure *failure)
{
	struct netd_status status;

	(void)failure;
	keeper_status(request->keeper, &status);
	netd_put_status(&status, &answer->bytes);
	return true;
}

static bool do_policy(const struct request *request, struct answer *answer,
		      struct netd_failure *failure)
{
	struct netd_policy policy;

	if (!keeper_policy(request->keeper, &request->caller, &request->message->policy, &policy,
			   failure))
		return false;
	netd_put_policy(NETD_R_POLICY, &policy, &answer->bytes);
	policy_done(&policy.policy);
	vec_done(&policy.expose);
	return true;
}

static bool do_stats(const struct request *request, struct answer *answer,
		     struct netd_failure *failure)
{
	struct netd_stats stats;

	if (!keeper_stats(request->keeper, &request->caller, request->message->tap, &stats,
			  failure))
		return false;
	netd_put_stats(&stats, &answer->bytes);
	return true;
}

static bool do_connect(const struct request *request, struct answer *answer,
		       struct netd_failure *failure)
{
	const struct netd_connect *wish = &request->message->connect;

	if (!keeper_address(request->keeper, &request->caller, wish->tap, &answer->address,
			    failure))
		return false;
	answer->port = wish->port;
	answer->wants_connection = true;
	return true;
}

/* The list of VMs follows at once, from whoever keeps the connection. */
static bool do_forward(const struct request *request, struct answer *answer,
		       struct netd_failure *failure)
{
	(void)failure;
	keeper_forget_aliases(request->keeper);
	answer->state = REQUEST_FORWARDER;
	return true;
}

static bool do_alias(const struct request *request, struct answer *answer,
		     struct netd_failure *failure)
{
	if (!keeper_set_alias(request->keeper, &request->message->alias, failure))
		return false;
	netd_put_empty(NETD_R_DONE, &answer->bytes);
	return true;
}

static bool do_reload(const struct request *request, struct answer *answer,
		      struct netd_failure *failure)
{
	if (!keeper_reload(request->keeper, failure))
		return false;
	netd_put_empty(NETD_R_DONE, &answer->bytes);
	return true;
}

#define VM_STATES (REQUEST_FRESH | REQUEST_ATTACHED)
#define ANY_STATE (VM_STATES | REQUEST_FORWARDER)

enum who { WHO_ANYBODY, WHO_ADMIN };

/* Which VMs of whom a request may be about is up to the keeper: others' are not there. */
static const struct row {
	enum netd_type type;
	enum who who;
	unsigned states;
	unsigned cost; /* of ACCOUNTS_BURST */
	bool (*handle)(const struct request *request, struct answer *answer,
		       struct netd_failure *failure);
} table[] = {
	{ NETD_ATTACH, WHO_ANYBODY, VM_STATES, 20, do_attach },
	{ NETD_REATTACH, WHO_ANYBODY, VM_STATES, 2, do_reattach },
	{ NETD_LIST, WHO_ANYBODY, VM_STATES, 2, do_list },
	{ NETD_STATUS, WHO_ANYBODY, VM_STATES, 2, do_status },
	{ NETD_POLICY, WHO_ANYBODY, VM_STATES, 20, do_policy },
	{ NETD_STATS, WHO_ANYBODY, VM_STATES, 5, do_stats },
	{ NETD_CONNECT, WHO_ANYBODY, ANY_STATE, 2, do_connect },
	{ NETD_FORWARD, WHO_ADMIN, REQUEST_FRESH, 1, do_forward },
	{ NETD_RELOAD, WHO_ADMIN, VM_STATES, 20, do_reload },
	{ NETD_ALIAS, WHO_ADMIN, REQUEST_FORWARDER, 1, do_alias },
};

static const struct row *find_row(enum netd_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].type == type)
			return &table[i];
	return NULL;
}

unsigned request_cost(enum netd_type type)
{
	const struct row *row = find_row(type);

	return row ? row->cost : 0;
}

static bool handle(const struct request *request, struct answer *answer,
		   struct netd_failure *failure)
{
	const struct row *row = find_row(request->message->type);
	const char *name = netd_type_name(request->message->type);

	if (!row)
		return refuse(failure, NETD_E_INVALID, "%s is no request", name);
	if (row->who == WHO_ADMIN && !request->caller.is_admin)
		return refuse(failure, NETD_E_DENIED, "%s: you may not ask for this", name);
	if (!(row->states & request->state))
		return refuse(failure, NETD_E_INVALID, "%s: not on this connection", name);
	return row->handle(request, answer, failure);
}

void request_handle(const struct request *request, struct answer *ret)
{
	struct netd_failure failure;

	ret->state = request->state;
	if (!handle(request, ret, &failure))
		answer_refuse(ret, &failure);
}

void request_connected(int fd, int errnum, struct answer *ret)
{
	struct netd_failure failure;

	if (fd >= 0) {
		ret->fds[0] = fd;
		netd_put_empty(NETD_R_CONNECTED, &ret->bytes);
		return;
	}
	(void)refuse(&failure, NETD_E_KERNEL, "cannot connect to the VM: %s", strerror(errnum));
	answer_refuse(ret, &failure);
}
