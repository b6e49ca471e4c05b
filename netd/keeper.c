/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's requests, and what its parts tell it. */
#include "netd/keeper.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "base/version.h"
#include "netd/keeper_private.h"

int64_t keeper_now_s(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

struct held_nic *keeper_find(const struct keeper *keeper, const char *tap)
{
	vec_each(&keeper->nics, held)
		if (strcmp((*held)->nic.tap, tap) == 0)
			return *held;
	return NULL;
}

void keeper_insert(struct keeper *keeper, struct held_nic *held)
{
	size_t i;

	(void)vec_push(&keeper->nics);
	for (i = keeper->nics.n - 1; i > 0; i--) {
		if (strcmp(keeper->nics.v[i - 1]->nic.tap, held->nic.tap) < 0)
			break;
		keeper->nics.v[i] = keeper->nics.v[i - 1];
	}
	keeper->nics.v[i] = held;
}

void keeper_take_out(struct keeper *keeper, struct held_nic *held)
{
	for (size_t i = 0; i < keeper->nics.n; i++) {
		if (keeper->nics.v[i] != held)
			continue;
		memmove(&keeper->nics.v[i], &keeper->nics.v[i + 1],
			(keeper->nics.n - i - 1) * sizeof(struct held_nic *));
		keeper->nics.n--;
		return;
	}
}

void keeper_changed(struct keeper *keeper)
{
	if (keeper->parts.changed)
		keeper->parts.changed(keeper->parts.ctx);
}

size_t keeper_n_nics(const struct keeper *keeper)
{
	return keeper->nics.n;
}

struct accounts *keeper_accounts(struct keeper *keeper)
{
	return &keeper->accounts;
}

void keeper_save(struct keeper *keeper, const struct held_nic *held)
{
	struct err err = { 0 };

	if (!state_save_nic(keeper->parts.state, &held->nic, &err))
		log_line(keeper->parts.log, "%s: %s", held->nic.tap, err.text);
}

/* Other firewalls are looked at again after a while: it takes a listing of all rules. */
void keeper_add_warnings(struct keeper *keeper, struct str *out)
{
	uint64_t now_ms = loop_now_ms(keeper->parts.loop);
	struct err err = { 0 };

	if (keeper->is_up &&
	    (keeper->firewalls_ms == 0 || now_ms - keeper->firewalls_ms > FIREWALLS_MS)) {
		str_clear(&keeper->firewalls);
		keeper->firewalls_ms = now_ms;
		if (!rules_foreign(keeper->rules, &keeper->firewalls, &err))
			log_line(keeper->parts.log, "cannot look at other firewalls: %s", err.text);
	}
	str_add_span(out, str_span(&keeper->notices));
	if (keeper->is_up)
		str_add_span(out, str_span(&keeper->firewalls));
	if (keeper->dns == DNS_FAILED)
		str_addf(out, "DNS at the gateway does not work: %s\n", keeper->dns_why);
}

static void store_addresses(void *ctx)
{
	struct keeper *keeper = ctx;
	struct err err = { 0 };

	if (keeper->addresses &&
	    !addresses_store(keeper->addresses, keeper->parts.state->addresses_fd, &err))
		log_line(keeper->parts.log, "%s", err.text);
}

/* What the DHCP child says. It names taps that it was given; ours may be gone since. */

static void dhcp_on_bound(void *ctx, const char *tap, int64_t now_s, uint32_t lease_s)
{
	struct keeper *keeper = ctx;
	struct held_nic *held = keeper_find(keeper, tap);

	if (!held)
		return;
	held->nic.bound_at_s = now_s;
	held->nic.expires_s = now_s + lease_s;
	keeper_save(keeper, held);
}

static void dhcp_on_released(void *ctx, const char *tap)
{
	struct keeper *keeper = ctx;
	struct held_nic *held = keeper_find(keeper, tap);

	if (!held)
		return;
	held->nic.bound_at_s = 0;
	held->nic.expires_s = 0;
	keeper_save(keeper, held);
}

static void dhcp_on_declined(void *ctx, const char *tap)
{
	struct keeper *keeper = ctx;

	log_line(keeper->parts.log, "%s: the guest says that somebody else has its address", tap);
}

static void dhcp_on_seen(void *ctx, const char *tap, const struct dhcp_sighting *sighting)
{
	struct keeper *keeper = ctx;
	struct held_nic *held = keeper_find(keeper, tap);
	struct nic before;

	if (!held || held->nic.mode != NETD_BRIDGED)
		return;
	before = held->nic;
	held->nic.address = sighting->address;
	if (sighting->by_dhcp) {
		held->nic.bound_at_s = keeper_now_s();
		held->nic.expires_s = held->nic.bound_at_s + sighting->lease_s;
	} else {
		held->nic.seen_arp_s = keeper_now_s();
	}
	/* A guest sends ARP as often as it likes. */
	if (before.address != held->nic.address || before.bound_at_s != held->nic.bound_at_s ||
	    held->nic.seen_arp_s - before.seen_arp_s > 60)
		keeper_save(keeper, held);
}

static void dhcp_on_ended(void *ctx)
{
	struct keeper *keeper = ctx;
	struct err err = { 0 };

	log_line(keeper->parts.log, "the DHCP process has ended");
	if (!starter_want_dhcp(keeper->parts.starter, &err))
		log_line(keeper->parts.log, "%s", err.text);
}

static void starter_on_dhcp(void *ctx, int fd)
{
	struct keeper *keeper = ctx;
	struct err err = { 0 };

	if (!dhcp_link_connect(keeper->dhcp, fd, &err))
		log_line(keeper->parts.log, "cannot use the DHCP process: %s", err.text);
}

static void starter_on_failed(void *ctx, const char *why)
{
	struct keeper *keeper = ctx;

	log_line(keeper->parts.log, "the starter has ended: %s", why);
}

static void opener_on_end(void *ctx, const char *why)
{
	struct keeper *keeper = ctx;

	log_line(keeper->parts.log,
		 "the opener %s: devices that only root may open cannot be had before a restart",
		 why);
}

static void links_on_gone(void *ctx, const char *tap)
{
	struct keeper *keeper = ctx;
	struct held_nic *held = keeper_find(keeper, tap);

	/* One with an owner ends with its connection: QEMU has closed the descriptor, tart follows. */
	if (held && !held->owner)
		nic_down(keeper, held);
}

static bool start_parts(struct keeper *keeper, struct err *err)
{
	static const struct dhcp_link_events dhcp_events = {
		.bound = dhcp_on_bound,
		.released = dhcp_on_released,
		.declined = dhcp_on_declined,
		.seen = dhcp_on_seen,
		.ended = dhcp_on_ended,
	};
	static const struct starter_events starter_events = {
		.dhcp_started = starter_on_dhcp,
		.dns_started = dns_on_started,
		.dns_ended = dns_on_ended,
		.failed = starter_on_failed,
	};
	struct loop *loop = keeper->parts.loop;

	return opener_watch(keeper->parts.opener, loop, opener_on_end, keeper, err) &&
	       links_open(keeper->parts.opener, &keeper->links, err) &&
	       links_watch(keeper->links, loop, links_on_gone, keeper, err) &&
	       dhcp_link_new(loop, &dhcp_events, keeper, &keeper->dhcp, err) &&
	       starter_watch(keeper->parts.starter, loop, &starter_events, keeper, err);
}

bool keeper_new(const struct keeper_parts *parts, struct keeper **ret, struct err *err)
{
	struct keeper *keeper = xcalloc(1, sizeof(*keeper));

	keeper->parts = *parts;
	keeper->notices.cap = NETD_TEXT_SIZE;
	keeper->firewalls.cap = NETD_WARNINGS_SIZE;
	keeper->store_deadline = loop_add_deadline(parts->loop, store_addresses, keeper);
	keeper->orphans_deadline = loop_add_deadline(parts->loop, orphans_on_deadline, keeper);
	keeper->restore_deadline = loop_add_deadline(parts->loop, restore_on_deadline, keeper);
	if (!start_parts(keeper, err)) {
		keeper_free(keeper);
		return false;
	}
	*ret = keeper;
	return true;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	keeper->parts.changed = NULL;
	if (keeper->nics.n > 0)
		host_keep(keeper);
	else
		host_down(keeper);
	vec_each(&keeper->nics, held)
		nic_free(*held);
	vec_done(&keeper->nics);
	dhcp_link_free(keeper->dhcp);
	links_close(keeper->links);
	loop_remove(&keeper->store_deadline);
	loop_remove(&keeper->orphans_deadline);
	loop_remove(&keeper->restore_deadline);
	accounts_done(&keeper->accounts);
	str_done(&keeper->notices);
	str_done(&keeper->firewalls);
	free(keeper);
}

static const struct held_nic *find_mac(const struct keeper *keeper, const struct mac *mac,
				       const void *other_than)
{
	vec_each(&keeper->nics, held)
		if (mac_equal(&(*held)->nic.mac, mac) &&
		    (!other_than || (*held)->owner != other_than))
			return *held;
	return NULL;
}

static size_t count_owned(const struct keeper *keeper, const void *owner)
{
	size_t n = 0;

	vec_each(&keeper->nics, held)
		n += (*held)->owner == owner;
	return n;
}

/* Random, so that no name comes again: what a stale element or an old packet names is nobody. */
static void name_tap(const struct keeper *keeper, char ret[NETD_IF_SIZE])
{
	do {
		uint32_t number;

		random_bytes(&number, sizeof(number));
		(void)snprintf(ret, NETD_IF_SIZE, NETD_TAP_PREFIX "%08x", number);
	} while (keeper_find(keeper, ret));
}

static bool fill_nic(const struct keeper *keeper, const struct caller *caller,
		     const struct netd_attach *wish, struct nic *ret, struct netd_failure *failure)
{
	struct nic nic = {
		.uid = caller->uid,
		.mac = wish->mac,
		.mode = wish->mode,
		.policy = wish->policy,
		.expose = wish->expose,
	};
	struct err err = { 0 };

	memcpy(nic.vm, wish->vm, sizeof(nic.vm));
	memcpy(nic.interface, wish->interface, sizeof(nic.interface));
	name_tap(keeper, nic.tap);
	if (!nic_check(&nic, &err))
		return refuse_err(failure, NETD_E_INVALID, &err);
	nic_copy(&nic, ret);
	return true;
}

static bool check_attach(struct keeper *keeper, const void *owner, const struct nic *nic,
			 struct netd_failure *failure)
{
	char mac[MAC_TEXT_SIZE];

	/* Several of one VM have one MAC address: cli.md 2.3. */
	if (find_mac(keeper, &nic->mac, owner)) {
		mac_print(&nic->mac, mac);
		return refuse(failure, NETD_E_MAC_IN_USE,
			      "another running VM has the MAC address %s", mac);
	}
	if (count_owned(keeper, owner) >= NETD_NICS_MAX)
		return refuse(failure, NETD_E_LIMIT, "a VM can have %d network interfaces",
			      NETD_NICS_MAX);
	return expose_check(keeper, NULL, &nic->expose, failure);
}

static bool may_bridge(const struct keeper *keeper, const struct caller *caller,
		       const char *interface)
{
	if (caller->uid == 0)
		return true;
	vec_each(&keeper->parts.settings->conf.allow_bridged, name)
		if (strcmp(name->text, interface) == 0)
			return true;
	return false;
}

static bool is_bridged_to(const struct keeper *keeper, const void *owner, const char *interface)
{
	for (size_t i = 0; i < keeper->nics.n; i++) {
		const struct held_nic *held = keeper->nics.v[i];

		if (held->owner == owner && strcmp(held->nic.interface, interface) == 0)
			return true;
	}
	return false;
}

static bool prepare_bridged(const struct keeper *keeper, const struct caller *caller,
			    const void *owner, struct nic *nic, struct netd_failure *failure)
{
	struct err err = { 0 };

	if (keeper->parts.is_rootless)
		return refuse(
			failure, NETD_E_DENIED,
			"bridged networking needs the host's keeper: there is only your own, without privileges");
	if (!may_bridge(keeper, caller, nic->interface))
		return refuse(failure, NETD_E_DENIED, "'%s' is not in 'allow-bridged' of %s",
			      nic->interface, keeper->parts.settings->path);
	if (is_bridged_to(keeper, owner, nic->interface))
		return refuse(failure, NETD_E_INVALID, "'%s' is named twice", nic->interface);
	if (!links_classify(keeper->links, nic->interface, &nic->macvtap, &err))
		return refuse_err(failure, NETD_E_MISSING, &err);
	return true;
}

static bool prepare_routed(struct keeper *keeper, struct nic *nic, struct netd_failure *failure)
{
	if (!host_up(keeper, failure) ||
	    (nic->mode != NETD_HOST && !host_forwards(keeper, failure)))
		return false;
	nic->peer = nic->mode == NETD_SOFTNET ? policy_makes_peer(&nic->policy) :
						nic->mode == NETD_NAT && !keeper->facts.isolate_vms;
	return true;
}

/* A file that cannot be read stops new VMs: they would get a network that its writer did not mean. */
static bool reload_for_attach(struct keeper *keeper, struct str *warning,
			      struct netd_failure *failure)
{
	struct settings fresh;
	struct err err = { 0 };

	if (!settings_have_changed(keeper->parts.settings))
		return true;
	if (!settings_read(keeper->parts.settings, &fresh, &err))
		return refuse_err(failure, NETD_E_CONFIG, &err);
	settings_done(&fresh);
	if (!keeper_reload(keeper, failure))
		str_addf(warning, "%s\n", failure->text);
	return true;
}

static void fill_attached(struct keeper *keeper, const struct held_nic *held, struct str *warning,
			  struct netd_attached *ret)
{
	const struct nic *nic = &held->nic;

	*ret = (struct netd_attached){ .mode = nic->mode,
				       .macvtap = nic->macvtap,
				       .mtu = keeper->parts.settings->conf.mtu };
	memcpy(ret->tap, nic->tap, sizeof(ret->tap));
	if (nic->mode != NETD_BRIDGED) {
		ret->address = nic->address;
		ret->gateway = keeper->facts.subnet.gateway;
		ret->prefix = keeper->facts.subnet.cidr.prefix;
		keeper_add_warnings(keeper, warning);
	}
	if (nic->macvtap)
		str_addf(
			warning,
			"'%s' is not a bridge: through it, this host and the VM cannot reach each other\n",
			nic->interface);
	/* Whole lines only. */
	while (warning->len >= sizeof(ret->warning)) {
		size_t last = span_rfind(span_first(str_span(warning), warning->len - 1), '\n');

		str_truncate(warning, last < warning->len - 1 ? last + 1 : 0);
	}
	if (warning->len > 0)
		memcpy(ret->warning, warning->ptr, warning->len);
}

static bool attach_checked(struct keeper *keeper, const void *owner, const struct caller *caller,
			   struct held_nic *held, int *ret_fd, struct netd_failure *failure)
{
	struct nic *nic = &held->nic;
	struct err err = { 0 };
	bool ready;

	if (!check_attach(keeper, owner, nic, failure))
		return false;
	ready = nic->mode == NETD_BRIDGED ? prepare_bridged(keeper, caller, owner, nic, failure) :
					    prepare_routed(keeper, nic, failure);
	if (!ready)
		return false;
	if (!host_want_dhcp(keeper, &err))
		return refuse_err(failure, NETD_E_KERNEL, &err);
	if (!accounts_add_nic(&keeper->accounts, nic->uid))
		return refuse(failure, NETD_E_LIMIT, "too many VMs are running");
	if (nic_up(keeper, held, ret_fd, failure))
		return true;
	accounts_remove_nic(&keeper->accounts, nic->uid);
	return false;
}

bool keeper_attach(struct keeper *keeper, const void *owner, const struct caller *caller,
		   const struct netd_attach *wish, struct netd_attached *ret,
		   int ret_fds[NETD_FDS_MAX], struct netd_failure *failure)
{
	CLEANUP_STR struct str warning = { 0 };
	struct held_nic *held = xcalloc(1, sizeof(*held));

	if (!reload_for_attach(keeper, &warning, failure) ||
	    !fill_nic(keeper, caller, wish, &held->nic, failure) ||
	    !attach_checked(keeper, owner, caller, held, &ret_fds[0], failure)) {
		nic_free(held);
		return false;
	}
	held->owner = owner;
	held->since_ms = loop_now_ms(keeper->parts.loop);
	keeper_insert(keeper, held);
	fill_attached(keeper, held, &warning, ret);
	ret_fds[1] = links_open_vhost(keeper->links);
	ret->vhost = ret_fds[1] >= 0;
	log_line(keeper->parts.log, "%s: VM '%s' of user %u", held->nic.tap, held->nic.vm,
		 held->nic.uid);
	keeper_changed(keeper);
	return true;
}

/* What the caller may see; what he may not is not there. */
struct held_nic *keeper_find_for(const struct keeper *keeper, const struct caller *caller,
				 const char *tap, struct netd_failure *failure)
{
	struct held_nic *held = keeper_find(keeper, tap);

	if (held && (caller->is_admin || held->nic.uid == caller->uid))
		return held;
	(void)refuse(failure, NETD_E_MISSING, "no VM of yours has the interface '%s'", tap);
	return NULL;
}

bool keeper_reattach(struct keeper *keeper, const void *owner, const struct caller *caller,
		     const char *tap, struct netd_attached *ret, struct netd_failure *failure)
{
	CLEANUP_STR struct str warning = { 0 };
	struct held_nic *held = keeper_find_for(keeper, caller, tap, failure);

	if (!held)
		return false;
	if (held->owner)
		return refuse(failure, NETD_E_DENIED, "'%s' belongs to another connection", tap);
	if (count_owned(keeper, owner) >= NETD_NICS_MAX)
		return refuse(failure, NETD_E_LIMIT, "a VM can have %d network interfaces",
			      NETD_NICS_MAX);
	held->owner = owner;
	fill_attached(keeper, held, &warning, ret);
	log_line(keeper->parts.log, "%s: VM '%s' is back", tap, held->nic.vm);
	return true;
}

void keeper_let_go(struct keeper *keeper, const void *owner)
{
	vec_each(&keeper->nics, held)
		if ((*held)->owner == owner)
			(*held)->owner = NULL;
	orphans_watch(keeper);
}

void keeper_detach(struct keeper *keeper, const void *owner)
{
	for (size_t i = keeper->nics.n; i-- > 0;)
		if (keeper->nics.v[i]->owner == owner)
			nic_down(keeper, keeper->nics.v[i]);
}

static void fill_listed(const struct held_nic *held, struct netd_nic *ret)
{
	const struct nic *nic = &held->nic;

	memcpy(ret->vm, nic->vm, sizeof(ret->vm));
	memcpy(ret->tap, nic->tap, sizeof(ret->tap));
	ret->uid = nic->uid;
	ret->mac = nic->mac;
	ret->address = nic->address;
	ret->forward = held->alias;
	ret->mode = nic->mode;
	ret->bound_at_s = nic->bound_at_s;
	ret->expires_s = nic->expires_s;
	ret->seen_arp_s = nic->seen_arp_s;
}

void keeper_list(const struct keeper *keeper, const struct caller *caller,
		 const struct netd_list_request *wish, struct netd_list *ret)
{
	vec_each(&keeper->nics, held) {
		const struct nic *nic = &(*held)->nic;

		if (ret->nics.n == NETD_LIST_MAX)
			return;
		if (strcmp(nic->tap, wish->after) <= 0 ||
		    (!caller->is_admin && nic->uid != caller->uid) ||
		    (wish->has_mac && !mac_equal(&nic->mac, &wish->mac)))
			continue;
		fill_listed(*held, vec_push(&ret->nics));
	}
}

/* Before the first VM: what it would be for one that starts now. */
static void fill_subnet(const struct keeper *keeper, struct netd_status *ret)
{
	const struct network_conf *conf = &keeper->parts.settings->conf;
	struct subnet subnet = { .cidr = conf->subnet, .gateway = conf->gateway };
	struct err ignored = { 0 };
	bool chosen = false;

	if (keeper->is_up)
		subnet = keeper->facts.subnet;
	else if (conf->subnet_auto &&
		 !(state_load_subnet(keeper->parts.state, &subnet, &chosen) && chosen) &&
		 !links_choose_subnet(keeper->links, conf->auto_prefix, &subnet, &ignored))
		subnet = (struct subnet){ .gateway = 0 };
	ret->subnet = subnet.cidr;
	ret->gateway = subnet.gateway;
	if (subnet.gateway != 0)
		ret->addresses = ((uint32_t)1 << (32 - subnet.cidr.prefix)) - 3;
}

void keeper_status(struct keeper *keeper, struct netd_status *ret)
{
	const struct network_conf *conf = &keeper->parts.settings->conf;
	CLEANUP_STR struct str warnings = { 0 };
	size_t n;

	*ret = (struct netd_status){
		.pid = (uint32_t)getpid(),
		.version = TART_VERSION,
		.rootless = keeper->parts.is_rootless,
		.nics = (uint32_t)keeper->nics.n,
		.lease_s = conf->lease_time_s,
		.mtu = conf->mtu,
		.isolate_vms = conf->isolate_vms,
		.persistent_tables = keeper->is_up && rules_are_persistent(keeper->rules),
		.dns_running = keeper->dns == DNS_RUNNING || keeper->dns == DNS_FOREIGN,
	};
	fill_subnet(keeper, ret);
	if (keeper->is_up)
		memcpy(ret->dns, keeper->facts.dns, sizeof(ret->dns));
	keeper_add_warnings(keeper, &warnings);
	n = warnings.len < sizeof(ret->warnings) ? warnings.len : sizeof(ret->warnings) - 1;
	memcpy(ret->warnings, str_text(&warnings), n);
}

bool keeper_stats(struct keeper *keeper, const struct caller *caller, const char *tap,
		  struct netd_stats *ret, struct netd_failure *failure)
{
	const struct held_nic *held = keeper_find_for(keeper, caller, tap, failure);
	struct err err = { 0 };

	if (!held)
		return false;
	*ret = (struct netd_stats){ .tap = "" };
	memcpy(ret->tap, held->nic.tap, sizeof(ret->tap));
	if (held->nic.mode == NETD_BRIDGED)
		return refuse(failure, NETD_E_INVALID, "nothing is filtered in bridged mode");
	if (!rules_count(keeper->rules, &held->nic, ret->counts, &err))
		return refuse_err(failure, NETD_E_KERNEL, &err);
	return true;
}

bool keeper_address(const struct keeper *keeper, const struct caller *caller, const char *tap,
		    ipv4 *ret, struct netd_failure *failure)
{
	const struct held_nic *held = keeper_find_for(keeper, caller, tap, failure);

	if (!held)
		return false;
	if (held->nic.address == 0)
		return refuse(failure, NETD_E_MISSING, "the VM has no address yet");
	*ret = held->nic.address;
	return true;
}

void keeper_forget_aliases(struct keeper *keeper)
{
	vec_each(&keeper->nics, held)
		(*held)->alias = 0;
}

bool keeper_set_alias(struct keeper *keeper, const struct netd_alias *alias,
		      struct netd_failure *failure)
{
	struct held_nic *held = keeper_find(keeper, alias->tap);

	if (!held)
		return refuse(failure, NETD_E_MISSING, "no VM has the interface '%s'", alias->tap);
	held->alias = alias->alias;
	return true;
}

static void add_forward(const struct held_nic *held, struct netd_forward *ret)
{
	memcpy(ret->tap, held->nic.tap, sizeof(ret->tap));
	ret->address = held->nic.address;
	ret->alias = held->alias;
	vec_each(&held->nic.expose, expose)
		*vec_push(&ret->ports) = *expose;
}

void keeper_forwards(const struct keeper *keeper, size_t first, struct netd_forwards *ret)
{
	size_t i = first;

	for (; i < keeper->nics.n && ret->vms.n < NETD_FORWARDS_MAX; i++)
		add_forward(keeper->nics.v[i], vec_push(&ret->vms));
	ret->more = i < keeper->nics.n;
}
