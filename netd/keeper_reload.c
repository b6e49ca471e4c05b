/* SPDX-License-Identifier: Apache-2.0 */
/* network.conf while the keeper runs. network.md 3: another subnet is refused while VMs have addresses of this one. */
#include "netd/keeper_private.h"

#define NAMED_MAX 8

static size_t name_routed(const struct keeper *keeper, struct str *out)
{
	size_t n = 0;

	vec_each(&keeper->nics, held) {
		if ((*held)->nic.mode == NETD_BRIDGED)
			continue;
		if (n < NAMED_MAX)
			str_addf(out, "%s%s", n > 0 ? ", " : "", (*held)->nic.vm);
		else if (n == NAMED_MAX)
			str_add(out, ", …");
		n++;
	}
	return n;
}

static bool apply(struct keeper *keeper, struct settings *fresh, struct netd_failure *failure)
{
	CLEANUP_STR struct str names = { 0 };

	if (keeper->is_up && host_differs(keeper, &fresh->conf)) {
		if (name_routed(keeper, &names) > 0)
			return refuse(failure, NETD_E_CONFIG,
				      "%s: subnet: cannot be changed while VMs run: %.512s",
				      keeper->parts.settings->path, str_text(&names));
		host_down(keeper);
	}
	settings_replace(keeper->parts.settings, fresh);
	host_refresh(keeper);
	log_line(keeper->parts.log, "%s was read anew", keeper->parts.settings->path);
	return true;
}

bool keeper_reload(struct keeper *keeper, struct netd_failure *failure)
{
	struct settings fresh;
	struct err err = { 0 };
	bool ok;

	if (!settings_have_changed(keeper->parts.settings))
		return true;
	if (!settings_read(keeper->parts.settings, &fresh, &err))
		return refuse_err(failure, NETD_E_CONFIG, &err);
	ok = apply(keeper, &fresh, failure);
	settings_done(&fresh);
	return ok;
}
