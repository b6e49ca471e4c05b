/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the options of the network. */
#include "cmd/net_args.h"

#include <string.h>

#include "cmd/print.h"
#include "vmnet/interfaces.h"

static bool wants_softnet(const struct net_args *args)
{
	return args->softnet || args->allow || args->block || args->expose;
}

bool net_args_check_mode(const struct net_args *args, struct err *err)
{
	if ((args->bridged.n > 0) + wants_softnet(args) + args->host <= 1)
		return true;
	return err_set(err, ERR_USAGE,
		       "--net-bridged, --net-softnet and --net-host are mutually exclusive");
}

bool net_args_ask_for_list(const struct net_args *args)
{
	vec_each(&args->bridged, name)
		if (strcmp(*name, "list") == 0)
			return true;
	return false;
}

static bool read_bridged(const struct text_list *names, struct network_wish *ret, struct err *err)
{
	if (names->n > NETD_NICS_MAX)
		return err_set(err, ERR_USAGE,
			       "a VM can have %d network interfaces, --net-bridged names %zu",
			       NETD_NICS_MAX, names->n);
	vec_each(names, name) {
		vec_each(&ret->bridged, other)
			if (strcmp(*name, *other) == 0)
				return err_set(err, ERR_USAGE,
					       "--net-bridged names \"%s\" more than once", *name);
		*vec_push(&ret->bridged) = xstrdup(*name);
	}
	return true;
}

static bool read_policy(const char *text, const char *option, policy_list *list, struct err *err)
{
	return !text || policy_list_parse(span_of(text), option, list, err);
}

bool net_args_read(const struct net_args *args, struct network_wish *ret, struct err *err)
{
	ret->mode = args->bridged.n > 0 ? NETD_BRIDGED :
		    wants_softnet(args) ? NETD_SOFTNET :
		    args->host          ? NETD_HOST :
					  NETD_NAT;
	return read_bridged(&args->bridged, ret, err) &&
	       read_policy(args->allow, "--net-softnet-allow", &ret->policy.allow, err) &&
	       read_policy(args->block, "--net-softnet-block", &ret->policy.block, err) &&
	       (!args->expose || expose_list_parse(span_of(args->expose), "--net-softnet-expose",
						   &ret->expose, err));
}

bool net_args_check_interfaces(const struct net_args *args, struct err *err)
{
	host_interfaces all = { 0 };
	bool ok = true;

	if (args->bridged.n == 0)
		return true;
	if (!interfaces_list(&all, err))
		return err_context(err, "--net-bridged");
	vec_each(&args->bridged, name)
		ok = ok && interfaces_check(&all, *name, err);
	vec_done(&all);
	return ok;
}

bool net_args_print_list(struct err *err)
{
	host_interfaces all = { 0 };

	if (!interfaces_list(&all, err))
		return err_context(err, "--net-bridged");
	vec_each(&all, interface)
		print_line("%s %s", interface->name, interface->kind);
	vec_done(&all);
	return true;
}
