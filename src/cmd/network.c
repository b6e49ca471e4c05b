/* SPDX-License-Identifier: Apache-2.0 */
/* tart network: the group, and what its verbs share. */
#include "cmd/network.h"

#include <stdlib.h>
#include <string.h>

#include "net/network_conf.h"
#include "vmnet/nics.h"

bool network_wish(enum keeper_wish *ret, struct err *err)
{
	return keeper_wish_from_env(getenv("TART_NETWORK_BACKEND"), ret, err);
}

bool network_nics(const struct tart *tart, const char *vm, struct keeper *ret_keeper,
		  struct netd_list *ret, struct err *err)
{
	enum keeper_wish wish;

	return network_wish(&wish, err) && nics_of_vm(tart->home, wish, vm, ret_keeper, ret, err);
}

bool network_check_key(const char *key, struct err *err)
{
	CLEANUP_STR struct str names = { 0 };

	for (const struct network_key *known = network_keys; known->name; known++) {
		if (strcmp(known->name, key) == 0)
			return true;
		str_addf(&names, "%s%s", known == network_keys ? "" : ", ", known->name);
	}
	return err_set(err, ERR_USAGE, "There is no key '%s'; there are %s", key, str_text(&names));
}

const char *network_mode_text(enum netd_mode mode)
{
	static const char *const texts[] = {
		[NETD_NAT] = "nat",
		[NETD_SOFTNET] = "softnet",
		[NETD_HOST] = "host",
		[NETD_BRIDGED] = "bridged",
	};

	return texts[mode];
}

#define VERBS(X)  \
	X(show)   \
	X(set)    \
	X(reset)  \
	X(leases) \
	X(status) \
	X(doctor) \
	X(policy) \
	X(stats)

#define DECLARE(name) extern const struct command cmd_network_##name;
#define LIST(name)    &cmd_network_##name,

VERBS(DECLARE)

static const struct command *const verbs[] = { VERBS(LIST) NULL };

const struct command cmd_network = {
	.name = "network",
	.summary = "Set up and look at the network of VMs",
	.verbs = verbs,
};

bool network_change(const struct tart *tart, const struct conf_file *file, const char *key,
		    const char *value, struct err *err)
{
	CLEANUP_STR struct str notice = { 0 };

	if (!conf_file_change(tart->home, file, key, value, &notice, err))
		return false;
	(void)fputs(str_text(&notice), stderr);
	return true;
}
