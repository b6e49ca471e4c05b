/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the pure half of machine/network_facts.h: what facts mean, and what helps. */
#include "machine/network_facts.h"

#include <errno.h>

#include "machine/host_check.h"
#include "unit.h"

/* A user on a host where everything is there but a keeper. */
static void fill_user(struct network_facts *facts)
{
	*facts = (struct network_facts){
		.netd = xstrdup("/bin/tart-netd"),
		.pasta = xstrdup("/bin/pasta"),
		.dnsmasq = xstrdup("/bin/dnsmasq"),
		.conf_path = xstrdup("/home/me/.tart/network.conf"),
		.ip_forward = 1,
	};
	(void)err_set(&facts->why_not[KEEPER_SYSTEM], ERR_GENERAL, "does not run");
}

static void as_root(struct network_facts *facts)
{
	facts->is_root = facts->may_forward = facts->knows_firewalls = true;
	facts->port_start = 1024;
}

static void with_host_keeper(struct network_facts *facts)
{
	facts->answers[KEEPER_SYSTEM] = facts->knows_firewalls = true;
	facts->status[KEEPER_SYSTEM].subnet = (struct cidr){ 0xc0a84000, 24 };
	facts->status[KEEPER_SYSTEM].nics = 3;
}

static void not_in_group(struct network_facts *facts)
{
	(void)err_set(&facts->why_not[KEEPER_SYSTEM], ERR_GENERAL,
		      "it is there for root and the group 'tart' only");
}

static void without_pasta(struct network_facts *facts)
{
	free(TAKE_PTR(facts->pasta));
}

static void without_netd(struct network_facts *facts)
{
	free(TAKE_PTR(facts->netd));
}

static void without_dnsmasq(struct network_facts *facts)
{
	free(TAKE_PTR(facts->dnsmasq));
}

static void tun_closed(struct network_facts *facts)
{
	facts->probe.tun = EACCES;
}

static void tun_missing(struct network_facts *facts)
{
	facts->probe.tun = ENOENT;
}

static void nft_missing(struct network_facts *facts)
{
	facts->probe.nft = EINVAL;
}

static void no_namespaces(struct network_facts *facts)
{
	facts->probe = (struct network_probe){ EPERM, EPERM, 0, EPERM };
	facts->userns_off = true;
}

static void confined(struct network_facts *facts)
{
	facts->probe = (struct network_probe){ 0, EPERM, 0, EPERM };
	facts->userns_confined = true;
}

static void bad_conf(struct network_facts *facts)
{
	(void)err_set(&facts->conf_err, ERR_GENERAL, "network.conf:1: mtu: '1' is too small");
}

static void high_ports(struct network_facts *facts)
{
	facts->port_start = 1024;
}

static void no_forwarding(struct network_facts *facts)
{
	as_root(facts);
	facts->ip_forward = 0;
	facts->may_forward = false;
}

static void docker(struct network_facts *facts)
{
	as_root(facts);
	facts->firewalls = xstrdup("Docker: run this\nufw: run that\n");
}

static void at_a_cafe(struct network_facts *facts)
{
	facts->wireless = xstrdup("wlan0");
}

static void only_host(struct network_facts *facts)
{
	facts->wish = KEEPER_ONLY_SYSTEM;
}

static void only_qemu(struct network_facts *facts)
{
	facts->wish = KEEPER_NONE;
}

#define NO_HOST "keeper-system" /* users are not part of what is not there */

static const struct {
	const char *name;
	void (*change)(struct network_facts *facts);
	const char *backend;
	const char *missing; /* names of the checks with that state */
	const char *remedy;  /* of the last of them, NULL = not looked at */
} rows[] = {
	{ "user", NULL, "rootless", NO_HOST, "sudo systemctl enable --now tart-netd.socket" },
	{ "root", as_root, "system", "", NULL },
	{ "user with the host's keeper", with_host_keeper, "system", "", NULL },
	{ "user who is not in the group", not_in_group, "rootless", NO_HOST,
	  "sudo usermod --append --groups tart \"$USER\", then log in anew" },
	{ "no pasta", without_pasta, "user", "network " NO_HOST " pasta",
	  "sudo apt-get install passt" },
	{ "no tart-netd", without_netd, "user", "network tart-netd " NO_HOST, NULL },
	{ "no dnsmasq", without_dnsmasq, "rootless", NO_HOST " dnsmasq",
	  "sudo apt-get install dnsmasq-base" },
	{ "tun for root only", tun_closed, "user", "network " NO_HOST " tun",
	  "sudo chmod 0666 /dev/net/tun" },
	{ "no tun", tun_missing, "user", "network " NO_HOST " tun", "sudo modprobe tun" },
	{ "no nf_tables", nft_missing, "user", "network " NO_HOST " nft",
	  "sudo modprobe nf_tables" },
	{ "no user namespaces", no_namespaces, "user", "network " NO_HOST " nft user-namespaces",
	  "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000" },
	{ "confined by AppArmor", confined, "user", "network " NO_HOST " nft user-namespaces",
	  "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
	{ "mistake in network.conf", bad_conf, "user", "network " NO_HOST " network-conf",
	  "tart network set or reset that key" },
	{ "port 22 for root only", high_ports, "rootless", NO_HOST " unprivileged-ports",
	  "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=22" },
	{ "root that cannot forward", no_forwarding, "system", "ip-forward",
	  "sysctl -w net.ipv4.ip_forward=1, outside of this container" },
	{ "Wi-Fi", at_a_cafe, "rootless", NO_HOST " bridged",
	  "use a wired interface, or the default network" },
	{ "other firewalls", docker, "system", "firewall firewall", NULL },
	{ "the host's keeper or none", only_host, "user", "network " NO_HOST, NULL },
	{ "no keeper wished", only_qemu, "user", "network " NO_HOST, NULL },
};

static void judges(void **state)
{
	(void)state;
	each_row(rows, row) {
		CLEANUP(network_facts_done) struct network_facts facts;
		CLEANUP(host_report_done) struct host_report report = { 0 };
		CLEANUP_STR struct str missing = { 0 };
		const char *remedy = NULL;
		const char *backend;

		fill_user(&facts);
		if (row->change)
			row->change(&facts);
		network_report_add(&report, &facts);
		vec_each(&report.checks, found) {
			check(found->state != CHECK_BROKEN, "%s: %s", row->name, found->name);
			check(!found->remedy || found->state == CHECK_MISSING,
			      "%s: %s needs no remedy", row->name, found->name);
			check(strlen(found->label) <= 18, "%s is too wide", found->label);
			if (found->state != CHECK_MISSING)
				continue;
			str_addf(&missing, "%s%s", missing.len > 0 ? " " : "", found->name);
			remedy = found->remedy;
		}
		backend = network_backend_text(network_facts_backend(&facts));
		check(strcmp(backend, row->backend) == 0, "%s: %s", row->name, backend);
		check(strcmp(str_text(&missing), row->missing) == 0, "%s: %s", row->name,
		      str_text(&missing));
		check(!row->remedy || (remedy && strcmp(remedy, row->remedy) == 0), "%s: %s",
		      row->name, remedy ? remedy : "no remedy");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges),
	};

	return unit_main(tests);
}
