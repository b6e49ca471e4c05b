/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of netd/keeper.h, on fakes. */
#include "netd/keeper.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "host.h"
#include "netd/saved_nic.h"
#include "unit.h"

static const int one, two, three; /* connections */

static size_t n_files(const struct host *host)
{
	CLEANUP(nic_list_done) nic_list found = { 0 };
	CLEANUP_STR struct str log = { 0 };
	struct err err = { 0 };

	assert_true(state_load_nics(&host->state, &found, &log, &err));
	assert_string_equal(str_text(&log), "");
	return found.n;
}

static void attach(struct host *host, const void *owner, const struct caller *caller,
		   const struct netd_attach *wish, struct netd_attached *ret)
{
	struct netd_failure failure;

	check(host_attach(host, owner, caller, wish, ret, &failure) == 0, "%s", failure.text);
}

/* host_attach() that is refused, with the code; the text, where it is given, to the letter. */
static void refused(struct host *host, const void *owner, const struct caller *caller,
		    const struct netd_attach *wish, enum netd_error code, const char *text)
{
	struct netd_attached attached;
	struct netd_failure failure;
	size_t before = keeper_n_nics(host->keeper);
	size_t files = n_files(host);

	check(host_attach(host, owner, caller, wish, &attached, &failure) == code, "%d: %s",
	      failure.code, failure.text);
	if (text)
		assert_string_equal(failure.text, text);
	assert_int_equal(keeper_n_nics(host->keeper), before);
	assert_int_equal(n_files(host), files);
}

static uint32_t n_listed(const struct host *host, const struct caller *caller)
{
	struct netd_list_request wish = { .after = "" };
	struct netd_list list = { .nics = { 0 } };
	size_t n;

	keeper_list(host->keeper, caller, &wish, &list);
	n = list.nics.n;
	vec_done(&list.nics);
	return (uint32_t)n;
}

static void the_order_is_that_of_the_specification(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;

	attach(host, &one, &host_alice, &wish, &attached);
	assert_string_equal(fakes_calls(),
			    "choose_subnet\nlinks_up 192.168.64.0/24\nrules_open\n"
			    "want_dns\nwant_dhcp\nrules_add a\nadd_tap a\nindex\nserve\n");
	assert_int_equal(attached.address, 0xc0a84002);
	assert_int_equal(attached.gateway, 0xc0a84001);
	assert_int_equal(attached.prefix, 24);
	assert_int_equal(attached.mtu, 1500);
	assert_true(netd_is_tap_name(attached.tap));
	assert_string_equal(attached.warning, "");
	assert_int_equal(fakes.offer.address, attached.address);
	assert_int_equal(fakes.offer.dns[0], attached.gateway);
	assert_int_equal(n_files(host), 1);

	wish = host_wish("b", 2, NETD_SOFTNET);
	attach(host, &two, &host_alice, &wish, &attached);
	assert_string_equal(fakes_calls(), "rules_add b\nadd_tap b\nindex\nserve\n");
	assert_int_equal(attached.address, 0xc0a84003);

	keeper_detach(host->keeper, &one);
	assert_string_equal(fakes_calls(), "forget\nremove a\nrules_remove a\n");
	assert_int_equal(n_files(host), 1);
	keeper_detach(host->keeper, &one);
	keeper_detach(host->keeper, &two);
	assert_string_equal(fakes_calls(), "forget\nremove b\nrules_remove b\n");
	assert_int_equal(n_files(host), 0);
	assert_int_equal(host->n_changes, 4);

	keeper_free(host->keeper);
	host->keeper = NULL;
	assert_string_equal(fakes_calls(), "stop_dns\nrules_delete\nlinks_down\n");
	assert_false(state_is_marked_up(&host->state));
}

static void what_fails_leaves_nothing(void **state)
{
	static const struct {
		const char *name; /* of the call */
		const char *undone;
	} rows[] = {
		{ "rules_add", "rules_add a\n" },
		{ "add_tap", "rules_add a\nadd_tap a\nrules_remove a\n" },
		{ "index", "rules_add a\nadd_tap a\nindex\nremove a\nrules_remove a\n" },
		{ "serve", "rules_add a\nadd_tap a\nindex\nserve\nremove a\nrules_remove a\n" },
	};
	struct host *host = *state;
	struct netd_attach wish = host_wish("x", 9, NETD_NAT);
	struct netd_attached attached;

	attach(host, &three, &host_alice, &wish, &attached);
	(void)fakes_calls();
	wish = host_wish("a", 1, NETD_NAT);
	each_row(rows, row) {
		const char *calls;

		fakes.fail = row->name;
		refused(host, &one, &host_alice, &wish, NETD_E_KERNEL, NULL);
		calls = fakes_calls();
		check(strcmp(calls, row->undone) == 0, "%s: %s", row->name, calls);
	}
	fakes.fail = NULL;
	attach(host, &one, &host_alice, &wish, &attached);
	assert_int_equal(attached.address, 0xc0a84003);
}

/* No rules, no network: never unfiltered. */
static void without_rules_there_is_no_vm(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);

	fakes.fail = "rules_open";
	refused(host, &one, &host_alice, &wish, NETD_E_KERNEL, "rules_open fails");
	assert_string_equal(fakes_calls(),
			    "choose_subnet\nlinks_up 192.168.64.0/24\nrules_open\nlinks_down\n");
}

static void a_mac_address_is_one_vm(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;

	attach(host, &one, &host_alice, &wish, &attached);
	refused(host, &two, &host_bob, &wish, NETD_E_MAC_IN_USE,
		"another running VM has the MAC address 02:00:00:00:00:01");
	keeper_detach(host->keeper, &one);
	attach(host, &two, &host_bob, &wish, &attached);
}

static void several_bridged_nics_of_one_vm(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_BRIDGED);
	struct netd_attached attached;

	(void)snprintf(wish.interface, sizeof(wish.interface), "br0");
	refused(host, &one, &host_alice, &wish, NETD_E_DENIED, NULL);
	host_write_conf(host, "allow-bridged = br0, eth1\n");
	attach(host, &one, &host_alice, &wish, &attached);
	assert_string_equal(fakes_calls(),
			    "classify br0\nwant_dhcp\nadd_bridged a\nindex\nsnoop\n");
	assert_int_equal(attached.address, 0);
	assert_string_equal(attached.warning, "");
	refused(host, &one, &host_alice, &wish, NETD_E_INVALID, "'br0' is named twice");
	(void)snprintf(wish.interface, sizeof(wish.interface), "eth1");
	attach(host, &one, &host_alice, &wish, &attached);
	assert_true(attached.macvtap);
	assert_non_null(strstr(attached.warning, "'eth1' is not a bridge"));
	(void)snprintf(wish.interface, sizeof(wish.interface), "br9");
	refused(host, &one, &host_alice, &wish, NETD_E_DENIED, NULL);
	attach(host, &two, &host_root,
	       &(struct netd_attach){ .mode = NETD_BRIDGED,
				      .mac = { { 2, 0, 0, 0, 0, 9 } },
				      .vm = "b",
				      .interface = "br9" },
	       &attached);
	keeper_detach(host->keeper, &one);
	assert_int_equal(keeper_n_nics(host->keeper), 1);
}

/* A guest chooses what it sends; what is seen of it is told. */
static void a_bridged_guest_is_seen(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_BRIDGED);
	struct netd_list_request all = { .after = "" };
	struct netd_list list = { .nics = { 0 } };
	struct netd_attached attached;

	(void)snprintf(wish.interface, sizeof(wish.interface), "br0");
	attach(host, &one, &host_root, &wish, &attached);
	fakes.dhcp_events->seen(
		fakes.dhcp_ctx, attached.tap,
		&(struct dhcp_sighting){ .address = 0x0a000005, .by_dhcp = true, .lease_s = 600 });
	fakes.dhcp_events->seen(fakes.dhcp_ctx, "tart-00000000",
				&(struct dhcp_sighting){ .address = 0x0a000006 });
	keeper_list(host->keeper, &host_root, &all, &list);
	assert_int_equal(list.nics.n, 1);
	assert_int_equal(list.nics.v[0].address, 0x0a000005);
	assert_true(list.nics.v[0].bound_at_s > 0);
	assert_int_equal(list.nics.v[0].expires_s - list.nics.v[0].bound_at_s, 600);
	vec_done(&list.nics);
}

static void the_pool_ends_before_boot(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 100, NETD_NAT);
	struct netd_attached attached;
	int owners[6];

	host_write_conf(host, "subnet = 192.168.77.1/29\n");
	for (unsigned i = 0; i < 5; i++) {
		struct netd_attach each = host_wish("a", i, NETD_NAT);

		attach(host, &owners[i], &host_alice, &each, &attached);
	}
	refused(host, &owners[5], &host_alice, &wish, NETD_E_EXHAUSTED,
		"all 5 addresses of 192.168.77.0/29 are used by running VMs");
	keeper_detach(host->keeper, &owners[2]);
	attach(host, &owners[5], &host_alice, &wish, &attached);
	assert_int_equal(attached.address, 0xc0a84d04);
}

static struct netd_attach exposing(const char *vm, unsigned mac, uint16_t external)
{
	struct netd_attach wish = host_wish(vm, mac, NETD_SOFTNET);

	*vec_push(&wish.expose) = (struct expose){ external, 22 };
	return wish;
}

static void exposed_ports_are_nobody_elses(void **state)
{
	struct host *host = *state;
	struct netd_attach low = exposing("a", 1, 80);
	struct netd_attach taken = exposing("a", 1, 8080);
	struct netd_attach good = exposing("a", 1, 2222);
	struct netd_attach same = exposing("b", 2, 2222);
	struct netd_attached attached;

	fakes.listening = 8080;
	refused(host, &one, &host_alice, &low, NETD_E_DENIED, NULL);
	refused(host, &one, &host_alice, &taken, NETD_E_PORT_IN_USE,
		"port 8080 cannot be exposed: a program of the host listens on it");
	attach(host, &one, &host_alice, &good, &attached);
	refused(host, &two, &host_bob, &same, NETD_E_PORT_IN_USE,
		"port 2222 cannot be exposed: another VM has it");
	host_write_conf(host, "expose-ports = 80\n");
	keeper_detach(host->keeper, &one);
	refused(host, &two, &host_bob, &same, NETD_E_DENIED, NULL);
	attach(host, &one, &host_alice, &low, &attached);
	vec_done(&low.expose);
	vec_done(&taken.expose);
	vec_done(&good.expose);
	vec_done(&same.expose);
}

static void lists_belong_to_softnet(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = exposing("a", 1, 2222);

	wish.mode = NETD_NAT;
	refused(host, &one, &host_root, &wish, NETD_E_INVALID, NULL);
	vec_done(&wish.expose);
	wish = host_wish("a", 1, NETD_SOFTNET);
	wish.mac.octets[0] = 1;
	refused(host, &one, &host_root, &wish, NETD_E_INVALID, NULL);
	wish = host_wish("", 1, NETD_SOFTNET);
	refused(host, &one, &host_root, &wish, NETD_E_INVALID, NULL);
}

static void others_vms_are_not_there(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_SOFTNET);
	struct netd_attached attached;
	struct netd_failure failure;
	struct netd_policy policy = { .set_allow = true };
	struct netd_policy told;
	struct netd_stats stats;
	ipv4 address;

	attach(host, &one, &host_alice, &wish, &attached);
	assert_int_equal(n_listed(host, &host_alice), 1);
	assert_int_equal(n_listed(host, &host_root), 1);
	assert_int_equal(n_listed(host, &host_bob), 0);
	memcpy(policy.tap, attached.tap, sizeof(policy.tap));
	assert_false(keeper_policy(host->keeper, &host_bob, &policy, &told, &failure));
	assert_int_equal(failure.code, NETD_E_MISSING);
	assert_false(keeper_stats(host->keeper, &host_bob, attached.tap, &stats, &failure));
	assert_int_equal(failure.code, NETD_E_MISSING);
	assert_false(keeper_address(host->keeper, &host_bob, attached.tap, &address, &failure));
	assert_int_equal(failure.code, NETD_E_MISSING);
	assert_false(
		keeper_reattach(host->keeper, &two, &host_bob, attached.tap, &attached, &failure));
	assert_int_equal(failure.code, NETD_E_MISSING);
	assert_true(keeper_address(host->keeper, &host_alice, attached.tap, &address, &failure));
	assert_int_equal(address, attached.address);
	assert_true(keeper_stats(host->keeper, &host_root, attached.tap, &stats, &failure));
	assert_int_equal(stats.counts[NETD_C_REFUSED].packets, 3);
}

static void lists_come_in_pages(void **state)
{
	struct host *host = *state;
	static int owners[300];
	struct netd_list_request wish = { .after = "" };
	struct netd_list found = { .nics = { 0 } };
	char last[NETD_IF_SIZE] = "";
	size_t n = 0;

	host_write_conf(host, "netmask = 255.255.252.0\n");
	for (unsigned i = 0; i < 300; i++) {
		struct netd_attach each = host_wish("a", i, NETD_NAT);
		struct netd_attached attached;

		attach(host, &owners[i], i % 3 == 0 ? &host_bob : &host_alice, &each, &attached);
	}
	for (;;) {
		struct netd_list list = { .nics = { 0 } };

		keeper_list(host->keeper, &host_alice, &wish, &list);
		vec_each(&list.nics, nic) {
			assert_int_equal(nic->uid, 1000);
			assert_true(strcmp(nic->tap, last) > 0);
			memcpy(last, nic->tap, sizeof(last));
		}
		n += list.nics.n;
		memcpy(wish.after, last, sizeof(last));
		vec_done(&list.nics);
		if (list.nics.n == 0 && n >= 200)
			break;
	}
	assert_int_equal(n, 200);
	wish = (struct netd_list_request){ .has_mac = true, .mac = { { 2, 0, 0, 0, 0, 7 } } };
	keeper_list(host->keeper, &host_root, &wish, &found);
	assert_int_equal(found.nics.n, 1);
	vec_done(&found.nics);
}

static void a_policy_changes_while_the_vm_runs(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = exposing("a", 1, 2222);
	struct netd_attached attached;
	struct netd_policy change = { .set_allow = true };
	struct netd_policy told;
	struct netd_failure failure;

	attach(host, &one, &host_alice, &wish, &attached);
	(void)fakes_calls();
	memcpy(change.tap, attached.tap, sizeof(change.tap));
	*vec_push(&change.policy.allow) = (struct policy_entry){ .net = { 0, 0 } };
	check(keeper_policy(host->keeper, &host_alice, &change, &told, &failure), "%s",
	      failure.text);
	assert_string_equal(fakes_calls(), "rules_change a\npeer\nend_outgoing\n");
	assert_int_equal(told.policy.allow.n, 1);
	assert_int_equal(told.expose.n, 1);
	policy_done(&told.policy);
	vec_done(&told.expose);

	/* Its own port stays its own; another one is looked at. */
	change.set_allow = false;
	change.set_expose = true;
	*vec_push(&change.expose) = (struct expose){ 2222, 23 };
	*vec_push(&change.expose) = (struct expose){ 8080, 80 };
	fakes.listening = 8080;
	assert_false(keeper_policy(host->keeper, &host_alice, &change, &told, &failure));
	assert_int_equal(failure.code, NETD_E_PORT_IN_USE);
	fakes.listening = 0;
	(void)fakes_calls();
	assert_true(keeper_policy(host->keeper, &host_alice, &change, &told, &failure));
	assert_string_equal(fakes_calls(), "port\nrules_change a\nend_exposed\n");
	assert_int_equal(told.policy.allow.n, 1);
	assert_int_equal(told.expose.n, 2);
	policy_done(&told.policy);
	vec_done(&told.expose);

	/* Only telling changes nothing; failing changes nothing. */
	change.set_expose = false;
	assert_true(keeper_policy(host->keeper, &host_alice, &change, &told, &failure));
	assert_string_equal(fakes_calls(), "");
	policy_done(&told.policy);
	vec_done(&told.expose);
	change.set_block = true;
	fakes.fail = "rules_change";
	assert_false(keeper_policy(host->keeper, &host_alice, &change, &told, &failure));
	policy_done(&change.policy);
	vec_done(&change.expose);
	vec_done(&wish.expose);
}

static void only_softnet_has_a_policy(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_policy change = { .set_block = true };
	struct netd_attached attached;
	struct netd_policy told;
	struct netd_failure failure;

	attach(host, &one, &host_alice, &wish, &attached);
	memcpy(change.tap, attached.tap, sizeof(change.tap));
	assert_false(keeper_policy(host->keeper, &host_alice, &change, &told, &failure));
	assert_int_equal(failure.code, NETD_E_INVALID);
}

static void the_subnet_stays_while_vms_run(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("debian", 1, NETD_NAT);
	struct netd_attach other = host_wish("b", 2, NETD_NAT);
	struct netd_attached attached;
	struct netd_failure failure;

	attach(host, &one, &host_alice, &wish, &attached);
	host_write_conf(host, "subnet = 192.168.77.1/24\n");
	assert_false(keeper_reload(host->keeper, &failure));
	assert_int_equal(failure.code, NETD_E_CONFIG);
	assert_non_null(strstr(failure.text, "cannot be changed while VMs run: debian"));
	attach(host, &two, &host_alice, &other, &attached);
	assert_int_equal(attached.address, 0xc0a84003);
	assert_non_null(strstr(attached.warning, "cannot be changed"));
	keeper_detach(host->keeper, &one);
	keeper_detach(host->keeper, &two);
	(void)fakes_calls();
	assert_true(keeper_reload(host->keeper, &failure));
	assert_string_equal(fakes_calls(), "stop_dns\nrules_delete\nlinks_down\n");
	attach(host, &one, &host_alice, &wish, &attached);
	assert_int_equal(attached.address, 0xc0a84d02);
	assert_string_equal(attached.warning, "");
}

static void a_file_that_is_wrong_stops_new_vms(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;

	host_write_conf(host, "subnet = 8.8.8.0/24\n");
	refused(host, &one, &host_alice, &wish, NETD_E_CONFIG, NULL);
	host_write_conf(host, "");
	attach(host, &one, &host_alice, &wish, &attached);
	host_write_conf(host, "users = nobody-of-that-name\n");
	wish = host_wish("b", 2, NETD_NAT);
	refused(host, &two, &host_alice, &wish, NETD_E_CONFIG, NULL);
}

static void a_subnet_that_collides_is_told(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;

	fakes.busy = 0xc0a84d00;
	host_write_conf(host, "subnet = 192.168.77.1/24\n");
	refused(host, &one, &host_alice, &wish, NETD_E_CONFIG, NULL);
	fakes.busy = 0xc0a84000;
	host_write_conf(host, "");
	attach(host, &one, &host_alice, &wish, &attached);
	assert_int_equal(attached.address, 0xc0a84102);
	assert_string_equal(attached.warning,
			    "192.168.64.1 is in use on this host: VMs are in 192.168.65.0/24\n");
}

/* "kept until reboot", though the first one is free again. */
static void a_chosen_subnet_is_kept(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;

	fakes.busy = 0xc0a84000;
	attach(host, &one, &host_alice, &wish, &attached);
	keeper_detach(host->keeper, &one);
	fakes.busy = 0;
	host_restart(host);
	attach(host, &one, &host_alice, &wish, &attached);
	assert_int_equal(attached.address, 0xc0a84102);
	keeper_detach(host->keeper, &one);
	fakes.busy = 0xc0a84100;
	host_restart(host);
	attach(host, &one, &host_alice, &wish, &attached);
	assert_int_equal(attached.address, 0xc0a84002);
}

static void settings_reach_vms_that_run(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;
	struct netd_failure failure;

	attach(host, &one, &host_alice, &wish, &attached);
	(void)fakes_calls();
	host_write_conf(host, "isolate-vms = no\nlease-time = 600\n");
	assert_true(keeper_reload(host->keeper, &failure));
	assert_string_equal(fakes_calls(), "peer\nserve\nrules_keep\nrules_open\nrules_add a\n");
	assert_int_equal(fakes.offer.lease_s, 600);
	host_write_conf(host, "isolate-vms = no\ndns = 9.9.9.9\n");
	assert_true(keeper_reload(host->keeper, &failure));
	assert_string_equal(fakes_calls(),
			    "stop_dns\nserve\nrules_keep\nrules_open\nrules_add a\n");
	assert_int_equal(fakes.options.dns[0], 0x09090909);
	assert_int_equal(fakes.offer.dns[0], 0x09090909);
	host_write_conf(host, "isolate-vms = no\ndns = 9.9.9.9\nmtu = 1400\n");
	assert_true(keeper_reload(host->keeper, &failure));
	assert_string_equal(fakes_calls(), "mtu_1400\nserve\n");
	assert_int_equal(fakes.offer.mtu, 1400);
	assert_true(keeper_reload(host->keeper, &failure));
	assert_string_equal(fakes_calls(), "");
}

/* A host-only guest cannot reach them. */
static void host_only_guests_hear_of_no_foreign_server(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_HOST);
	struct netd_attached attached;

	attach(host, &one, &host_alice, &wish, &attached);
	assert_true(fakes.offer.no_router);
	assert_int_equal(fakes.offer.dns[0], attached.gateway);
	keeper_detach(host->keeper, &one);
	host_write_conf(host, "dns = 9.9.9.9\n");
	attach(host, &one, &host_alice, &wish, &attached);
	assert_int_equal(fakes.offer.dns[0], 0);
}

static void leases_are_told_and_saved(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_list_request all = { .after = "" };
	struct netd_list list = { .nics = { 0 } };
	struct netd_attached attached;

	attach(host, &one, &host_alice, &wish, &attached);
	fakes.dhcp_events->bound(fakes.dhcp_ctx, attached.tap, 1000, 600);
	fakes.dhcp_events->bound(fakes.dhcp_ctx, "tart-00000000", 1000, 600);
	keeper_list(host->keeper, &host_alice, &all, &list);
	assert_int_equal(list.nics.v[0].bound_at_s, 1000);
	assert_int_equal(list.nics.v[0].expires_s, 1600);
	vec_done(&list.nics);
	host_restart(host);
	keeper_list(host->keeper, &host_alice, &all, &list);
	assert_int_equal(list.nics.n, 1);
	assert_int_equal(list.nics.v[0].expires_s, 1600);
	vec_done(&list.nics);
	fakes.dhcp_events->released(fakes.dhcp_ctx, attached.tap);
	keeper_list(host->keeper, &host_alice, &all, &list);
	assert_int_equal(list.nics.v[0].bound_at_s, 0);
	vec_done(&list.nics);
}

static void a_running_vm_is_adopted(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = exposing("a", 1, 2222);
	struct netd_attach next = host_wish("b", 2, NETD_NAT);
	struct netd_attached attached;
	struct netd_attached again;
	struct netd_failure failure;

	attach(host, &one, &host_alice, &wish, &attached);
	fakes.found = RULES_ADOPTED;
	*vec_push(&fakes.registered) = xstrdup(attached.tap);
	*vec_push(&fakes.registered) = xstrdup("tart-deadbeef");
	host_restart(host);
	assert_string_equal(
		fakes_calls(),
		"links_open\nlinks_up 192.168.64.0/24\nrules_open\n"
		"rules_forget tart-deadbeef\nwant_dns\nwant_dhcp\nrules_add a\nserve\n");
	assert_int_equal(keeper_n_nics(host->keeper), 1);
	attach(host, &two, &host_alice, &next, &again);
	assert_int_not_equal(again.address, attached.address);
	assert_false(
		keeper_reattach(host->keeper, &three, &host_bob, attached.tap, &again, &failure));
	assert_true(
		keeper_reattach(host->keeper, &three, &host_alice, attached.tap, &again, &failure));
	assert_int_equal(again.address, attached.address);
	assert_false(
		keeper_reattach(host->keeper, &one, &host_alice, attached.tap, &again, &failure));
	assert_int_equal(failure.code, NETD_E_DENIED);
	(void)fakes_calls();
	keeper_detach(host->keeper, &three);
	assert_string_equal(fakes_calls(), "forget\nremove a\nrules_remove a\n");
	vec_done(&wish.expose);
}

static void what_has_ended_meanwhile_is_cleared_away(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attach persistent = host_wish("b", 2, NETD_NAT);
	struct netd_attached attached;

	attach(host, &one, &host_alice, &wish, &attached);
	attach(host, &two, &host_alice, &persistent, &attached);
	/* The first one's link has gone, the second one's was made to stay by who held it. */
	vec_done(&fakes.links);
	fakes_add_link(attached.tap, false, false);
	fakes_add_link("tart-00c0ffee", false, true);
	host_restart(host);
	assert_int_equal(keeper_n_nics(host->keeper), 0);
	assert_int_equal(n_files(host), 0);
	assert_int_equal(fakes.links.n, 0);
	assert_non_null(strstr(fakes_calls(), "delete tart-00c0ffee"));
	/* The host's network was up, so that it is for this keeper to end it. */
	keeper_free(host->keeper);
	host->keeper = NULL;
	assert_string_equal(fakes_calls(), "stop_dns\nrules_delete\nlinks_down\n");
}

static void an_adopted_vm_ends_with_its_link(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attach next = host_wish("b", 2, NETD_NAT);
	struct netd_attached attached;
	struct netd_attached other;

	attach(host, &one, &host_alice, &wish, &attached);
	host_restart(host);
	attach(host, &two, &host_alice, &next, &other);
	(void)fakes_calls();
	fakes.gone(fakes.gone_ctx, other.tap);
	fakes.gone(fakes.gone_ctx, "tart-00000000");
	assert_string_equal(fakes_calls(), "");
	fakes.gone(fakes.gone_ctx, attached.tap);
	assert_string_equal(fakes_calls(), "forget\nremove a\nrules_remove a\n");
	assert_int_equal(keeper_n_nics(host->keeper), 1);
}

/* network.conf says something else by now: VMs that run decide. */
static void adoption_keeps_the_subnet(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;

	attach(host, &one, &host_alice, &wish, &attached);
	keeper_free(host->keeper);
	settings_done(&host->settings);
	settings_init(&host->settings, host->state.conf_path);
	host_write_conf(host, "subnet = 192.168.77.1/24\n");
	(void)fakes_calls();
	host_start(host);
	assert_non_null(strstr(fakes_calls(), "links_up 192.168.64.0/24\n"));
	assert_int_equal(keeper_n_nics(host->keeper), 1);
}

/* Two files that claim one address: the kernel has one route. */
static void one_address_is_adopted_once(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;
	struct nic other = { .tap = "tart-ffffffff",
			     .vm = "b",
			     .uid = 1001,
			     .mac = { { 2, 0, 0, 0, 0, 7 } },
			     .address = 0xc0a84002 };
	struct nic outside = other;
	struct err err = { 0 };

	attach(host, &one, &host_alice, &wish, &attached);
	outside.address = 0x08080808;
	(void)snprintf(outside.tap, sizeof(outside.tap), "tart-fffffffe");
	fakes_add_link(other.tap, false, true);
	fakes_add_link(outside.tap, false, true);
	assert_true(state_save_nic(&host->state, &other, &err));
	assert_true(state_save_nic(&host->state, &outside, &err));
	keeper_free(host->keeper);
	host_start(host);
	assert_int_equal(keeper_n_nics(host->keeper), 1);
	assert_int_equal(n_files(host), 1);
	assert_int_equal(fakes.links.n, 1);
}

/* SIGKILL after each step, up and down: the next keeper finds its way. */
static void death_at_any_step_is_repaired(void **state)
{
	static const char *const steps[] = { "address",    "state",       "rules",     "link",
					     "dhcp",       "down-dhcp",   "down-link", "down-rules",
					     "down-state", "down-address" };
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;

	each_row(steps, step) {
		int status = 0;
		pid_t pid;

		host->die_at = *step;
		host_restart(host);
		pid = fork();
		if (pid == 0) {
			struct netd_failure failure;

			(void)host_attach(host, &one, &host_alice, &wish, &attached, &failure);
			keeper_detach(host->keeper, &one);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%s: status %d", *step,
		      status);
		host->die_at = NULL;
		host_restart(host);
		check(keeper_n_nics(host->keeper) == 0, "%s: NICs", *step);
		check(n_files(host) == 0, "%s: files", *step);
		attach(host, &one, &host_alice, &wish, &attached);
		check(attached.address == 0xc0a84002, "%s: address", *step);
		keeper_detach(host->keeper, &one);
	}
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

/* A turn of the loop, with what is ready in it. */
static void turn(const struct host *host)
{
	struct loop_source *deadline = loop_add_deadline(host->loop, stop, host->loop);
	struct err err = { 0 };

	loop_arm(deadline, 0);
	assert_true(loop_run(host->loop, &err));
	loop_remove(&deadline);
}

/* Links down, rules, links up: nothing passes in between. */
static void deleted_rules_come_back(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;

	fakes.watch_fd = eventfd(1, EFD_CLOEXEC);
	attach(host, &one, &host_alice, &wish, &attached);
	(void)fakes_calls();
	turn(host);
	assert_string_equal(fakes_calls(), "");
	fakes.rules_gone = true;
	turn(host);
	assert_string_equal(fakes_calls(), "set_down a\nrules_restore 1\nset_up a\n");
	fakes.rules_gone = true;
	fakes.fail = "rules_restore";
	turn(host);
	assert_string_equal(fakes_calls(), "set_down a\nrules_restore 1\n");
	keeper_free(host->keeper);
	host->keeper = NULL;
	(void)close(fakes.watch_fd);
}

static void rules_that_cannot_be_made_anew_stop_everything(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attach next = host_wish("b", 2, NETD_NAT);
	struct netd_attached attached;
	struct netd_failure failure;

	attach(host, &one, &host_alice, &wish, &attached);
	host_write_conf(host, "isolate-vms = no\n");
	(void)fakes_calls();
	fakes.fail = "rules_open";
	assert_true(keeper_reload(host->keeper, &failure));
	assert_string_equal(fakes_calls(), "peer\nserve\nrules_keep\nrules_open\nset_down a\n");
	refused(host, &two, &host_alice, &next, NETD_E_KERNEL, NULL);
	(void)fakes_calls();
	keeper_detach(host->keeper, &one);
	assert_string_equal(fakes_calls(), "forget\nremove a\n");
}

/* dnsmasq has failed, and nobody else answers at the gateway (192.168.64.1 is not even ours here). */
static void guests_hear_of_other_servers(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;
	struct netd_status status;

	attach(host, &one, &host_alice, &wish, &attached);
	assert_int_equal(fakes.dns.listen, attached.gateway);
	fakes.starter_events->dns_started(fakes.starter_ctx);
	keeper_status(host->keeper, &status);
	assert_true(status.dns_running);
	assert_int_equal(status.dns[0], attached.gateway);
	assert_int_equal(status.nics, 1);
	assert_int_equal(status.addresses, 253);
}

static void warnings_are_for_the_user(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_HOST);
	struct netd_attached attached;
	struct netd_status status;

	fakes.forward_denied = true;
	fakes.firewalls = "a firewall is in the way\n";
	attach(host, &one, &host_alice, &wish, &attached);
	assert_string_equal(
		attached.warning,
		"net.ipv4.ip_forward is off and cannot be turned on: VMs reach this host only\n"
		"a firewall is in the way\n");
	keeper_status(host->keeper, &status);
	assert_string_equal(status.warnings, attached.warning);
	assert_true(status.persistent_tables);
}

static void without_forwarding_there_is_only_the_host(void **state)
{
	struct host *host = *state;
	struct netd_attach nat = host_wish("a", 1, NETD_NAT);
	struct netd_attach softnet = host_wish("b", 2, NETD_SOFTNET);
	struct netd_attach only_host = host_wish("c", 3, NETD_HOST);
	struct netd_attached attached;

	fakes.forward_denied = true;
	refused(host, &one, &host_alice, &nat, NETD_E_KERNEL, NULL);
	refused(host, &one, &host_alice, &softnet, NETD_E_KERNEL, NULL);
	attach(host, &two, &host_alice, &only_host, &attached);
	fakes.forward_denied = false;
	attach(host, &one, &host_alice, &nat, &attached);
	/* Turned off behind our back. */
	fakes.forward_denied = true;
	refused(host, &three, &host_alice, &softnet, NETD_E_KERNEL, NULL);
}

static void the_dhcp_process_is_asked_for_again(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_NAT);
	struct netd_attached attached;

	attach(host, &one, &host_alice, &wish, &attached);
	(void)fakes_calls();
	fakes.dhcp_events->ended(fakes.dhcp_ctx);
	fakes.starter_events->dhcp_started(fakes.starter_ctx, -1);
	assert_string_equal(fakes_calls(), "want_dhcp\ndhcp_connect\n");
}

static void the_forwarder_hears_of_all(void **state)
{
	struct host *host = *state;
	static int owners[40];
	struct netd_forwards page = { .more = false };
	struct netd_attach wish = exposing("x", 1000, 2222);
	struct netd_attached attached;
	struct netd_alias alias = { .alias = 0x7f404002 };
	struct netd_failure failure;
	struct netd_list_request by_mac = { .has_mac = true, .mac = wish.mac };
	struct netd_list list = { .nics = { 0 } };
	size_t n_ports = 0;

	attach(host, &owners[39], &host_alice, &wish, &attached);
	for (unsigned i = 0; i < 39; i++) {
		struct netd_attach each = host_wish("a", i, NETD_NAT);
		struct netd_attached ignored;

		attach(host, &owners[i], &host_alice, &each, &ignored);
	}
	memcpy(alias.tap, attached.tap, sizeof(alias.tap));
	assert_true(keeper_set_alias(host->keeper, &alias, &failure));
	for (int i = 0; i < 2; i++) {
		page = (struct netd_forwards){ .more = false };
		keeper_forwards(host->keeper, i == 0 ? 0 : NETD_FORWARDS_MAX, &page);
		assert_int_equal(page.vms.n, i == 0 ? NETD_FORWARDS_MAX : 40 - NETD_FORWARDS_MAX);
		assert_int_equal(page.more, i == 0);
		vec_each(&page.vms, vm) {
			n_ports += vm->ports.n;
			assert_int_equal(vm->alias, vm->ports.n > 0 ? alias.alias : 0);
			vec_done(&vm->ports);
		}
		vec_done(&page.vms);
	}
	assert_int_equal(n_ports, 1);
	keeper_list(host->keeper, &host_alice, &by_mac, &list);
	assert_int_equal(list.nics.v[0].forward, alias.alias);
	vec_done(&list.nics);
	keeper_forget_aliases(host->keeper);
	keeper_list(host->keeper, &host_alice, &by_mac, &list);
	assert_int_equal(list.nics.v[0].forward, 0);
	vec_done(&list.nics);
	(void)snprintf(alias.tap, sizeof(alias.tap), "tart-00000000");
	assert_false(keeper_set_alias(host->keeper, &alias, &failure));
	vec_done(&wish.expose);
}

static void a_connection_has_few_nics(void **state)
{
	struct host *host = *state;
	struct netd_attach wish = host_wish("a", 1, NETD_BRIDGED);
	struct netd_attached attached;

	for (unsigned i = 0; i < NETD_NICS_MAX; i++) {
		(void)snprintf(wish.interface, sizeof(wish.interface), "br%u", i);
		attach(host, &one, &host_root, &wish, &attached);
	}
	(void)snprintf(wish.interface, sizeof(wish.interface), "br9");
	refused(host, &one, &host_root, &wish, NETD_E_LIMIT, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(the_order_is_that_of_the_specification),
		host_test(what_fails_leaves_nothing),
		host_test(without_rules_there_is_no_vm),
		host_test(a_mac_address_is_one_vm),
		host_test(several_bridged_nics_of_one_vm),
		host_test(a_bridged_guest_is_seen),
		host_test(the_pool_ends_before_boot),
		host_test(exposed_ports_are_nobody_elses),
		host_test(lists_belong_to_softnet),
		host_test(others_vms_are_not_there),
		host_test(lists_come_in_pages),
		host_test(a_policy_changes_while_the_vm_runs),
		host_test(only_softnet_has_a_policy),
		host_test(the_subnet_stays_while_vms_run),
		host_test(a_file_that_is_wrong_stops_new_vms),
		host_test(a_subnet_that_collides_is_told),
		host_test(a_chosen_subnet_is_kept),
		host_test(settings_reach_vms_that_run),
		host_test(host_only_guests_hear_of_no_foreign_server),
		host_test(leases_are_told_and_saved),
		host_test(a_running_vm_is_adopted),
		host_test(what_has_ended_meanwhile_is_cleared_away),
		host_test(an_adopted_vm_ends_with_its_link),
		host_test(adoption_keeps_the_subnet),
		host_test(one_address_is_adopted_once),
		host_test(death_at_any_step_is_repaired),
		host_test(deleted_rules_come_back),
		host_test(rules_that_cannot_be_made_anew_stop_everything),
		host_test(guests_hear_of_other_servers),
		host_test(warnings_are_for_the_user),
		host_test(without_forwarding_there_is_only_the_host),
		host_test(the_dhcp_process_is_asked_for_again),
		host_test(the_forwarder_hears_of_all),
		host_test(a_connection_has_few_nics),
	};

	return unit_main(tests);
}
