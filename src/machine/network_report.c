/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the report about this host that concerns the network, with the command that helps beside what is missing. */
#include <errno.h>
#include <string.h>

#include "machine/host_check.h"
#include "machine/network_facts.h"

static bool is_wished(const struct network_facts *facts, enum keeper_wish wish)
{
	return facts->wish == KEEPER_AUTO || facts->wish == wish;
}

/* What every keeper needs. */
static bool can_keep(const struct network_facts *facts)
{
	return facts->netd && facts->probe.tun == 0 && facts->probe.nft == 0 &&
	       facts->conf_err.kind == ERR_NONE;
}

enum network_backend network_facts_backend(const struct network_facts *facts)
{
	if (is_wished(facts, KEEPER_ONLY_SYSTEM) &&
	    (facts->answers[KEEPER_SYSTEM] || (facts->is_root && can_keep(facts))))
		return NETWORK_OF_HOST;
	if (is_wished(facts, KEEPER_ONLY_ROOTLESS) &&
	    (facts->answers[KEEPER_ROOTLESS] ||
	     (!facts->is_root && facts->pasta && facts->probe.netns == 0 && can_keep(facts))))
		return NETWORK_OF_USER;
	return NETWORK_OF_QEMU;
}

const char *network_backend_text(enum network_backend backend)
{
	static const char *const texts[] = {
		[NETWORK_OF_HOST] = "system",
		[NETWORK_OF_USER] = "rootless",
		[NETWORK_OF_QEMU] = "user",
	};

	return texts[backend];
}

static void add_backend(struct host_report *report, const struct network_facts *facts)
{
	static const char *const details[] = {
		[NETWORK_OF_HOST] = "that of this host: addresses, isolation in the kernel",
		[NETWORK_OF_USER] = "this user's own, by pasta: addresses by way of the loopback, "
				    "isolation in the kernel",
		[NETWORK_OF_QEMU] =
			"QEMU's user mode network only: the host cannot reach guests by IP "
			"address, no --net-softnet, --net-host, --net-bridged",
	};
	enum network_backend backend = network_facts_backend(facts);
	struct host_check *check = host_check_add(
		report, "network", "network of VMs",
		backend == NETWORK_OF_QEMU ? CHECK_MISSING : CHECK_OK, "%s", details[backend]);

	host_check_note(check, "Backend", json_string(network_backend_text(backend)));
}

static void add_program(struct host_report *report, const char *name, const char *path,
			const char *without, const char *remedy)
{
	struct host_check *check = host_check_add(report, name, name,
						  path ? CHECK_OK : CHECK_MISSING, "%s%s",
						  path ? path : "not found: ", path ? "" : without);

	if (path)
		host_check_note(check, "Path", json_string(path));
	else
		host_check_remedy(check, remedy);
}

static void add_keeper(struct host_report *report, const struct network_facts *facts,
		       enum keeper_kind kind)
{
	const char *name = kind == KEEPER_SYSTEM ? "keeper-system" : "keeper-rootless";
	const char *label = kind == KEEPER_SYSTEM ? "host's keeper" : "own keeper";
	const struct netd_status *status = &facts->status[kind];
	const struct err *why = &facts->why_not[kind];
	char subnet[CIDR_TEXT_SIZE];
	struct host_check *check;
	bool mine = kind == KEEPER_SYSTEM ? facts->is_root : !facts->is_root;

	if (facts->answers[kind]) {
		cidr_print(&status->subnet, subnet);
		check = host_check_add(report, name, label, CHECK_OK, "runs: %s, %u in use", subnet,
				       status->nics);
		host_check_note(check, "Subnet", json_string(subnet));
		return;
	}
	if (mine) {
		(void)host_check_add(report, name, label, CHECK_OK,
				     "does not run; the first VM starts it");
		return;
	}
	if (kind == KEEPER_ROOTLESS)
		return;
	check = host_check_add(report, name, label, CHECK_MISSING, "%s", why->text);
	host_check_remedy(
		check, strstr(why->text, "group") ?
			       "sudo usermod --append --groups tart \"$USER\", then log in anew" :
			       "sudo systemctl enable --now tart-netd.socket");
}

static void add_tun(struct host_report *report, const struct network_facts *facts)
{
	int sys = facts->probe.tun;
	struct host_check *check = host_check_add(report, "tun", "/dev/net/tun",
						  sys == 0 ? CHECK_OK : CHECK_MISSING, "%s",
						  sys == 0 ? "can be opened" : strerror(sys));

	if (sys == EACCES)
		host_check_remedy(check, "sudo chmod 0666 /dev/net/tun");
	else if (sys != 0)
		host_check_remedy(check, "sudo modprobe tun");
}

static void add_nft(struct host_report *report, const struct network_facts *facts)
{
	int sys = facts->probe.nft;
	struct host_check *check =
		host_check_add(report, "nft", "nftables", sys == 0 ? CHECK_OK : CHECK_MISSING, "%s",
			       sys == 0 ? "the kernel's packet filter can be used" : strerror(sys));

	if (sys != 0 && facts->probe.netns == 0)
		host_check_remedy(check, "sudo modprobe nf_tables");
}

static void add_namespaces(struct host_report *report, const struct network_facts *facts)
{
	int sys = facts->probe.netns;
	struct host_check *check;

	if (facts->is_root)
		return;
	check = host_check_add(report, "user-namespaces", "user namespaces",
			       sys == 0 ? CHECK_OK : CHECK_MISSING, "%s",
			       sys == 0 ? "can be made" : strerror(sys));
	if (sys != 0 && facts->userns_confined)
		host_check_remedy(check,
				  "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
	else if (sys != 0 && facts->userns_off)
		host_check_remedy(check, "sudo sysctl -w kernel.unprivileged_userns_clone=1 "
					 "user.max_user_namespaces=15000");
	else if (sys != 0)
		host_check_remedy(check, "let root start the keeper of this host");
}

static void add_conf(struct host_report *report, const struct network_facts *facts)
{
	struct host_check *check;

	if (!facts->conf_path)
		return;
	check = host_check_add(report, "network-conf", "network.conf",
			       facts->conf_err.kind == ERR_NONE ? CHECK_OK : CHECK_MISSING, "%s",
			       facts->conf_err.kind == ERR_NONE ? facts->conf_path :
								  facts->conf_err.text);
	if (facts->conf_err.kind != ERR_NONE)
		host_check_remedy(check, "tart network set or reset that key");
	host_check_note(check, "Path", json_string(facts->conf_path));
}

static void add_forwarding(struct host_report *report, const struct network_facts *facts)
{
	bool on = facts->ip_forward == 1;
	bool fine = on || facts->may_forward || !facts->is_root;
	struct host_check *check = host_check_add(
		report, "ip-forward", "IP forwarding", fine ? CHECK_OK : CHECK_MISSING, "%s",
		on   ? "on" :
		fine ? "off; the keeper turns it on with the first VM" :
		       "off, and cannot be turned on here: VMs reach the host only");

	if (!fine)
		host_check_remedy(check,
				  "sysctl -w net.ipv4.ip_forward=1, outside of this container");
}

/* Ports below it are only for root: the forwarder of a user listens elsewhere. */
static void add_ports(struct host_report *report, const struct network_facts *facts)
{
	bool fine = facts->port_start <= 22;
	struct host_check *check;

	if (network_facts_backend(facts) != NETWORK_OF_USER)
		return;
	check = host_check_add(report, "unprivileged-ports", "unprivileged ports",
			       fine ? CHECK_OK : CHECK_MISSING, "from %u on%s", facts->port_start,
			       fine ? "" : ": port 22 of a guest is at port 20022 of its address");
	host_check_note(check, "From", json_u64(facts->port_start));
	if (!fine)
		host_check_remedy(check, "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=22");
}

static void add_firewalls(struct host_report *report, const struct network_facts *facts)
{
	struct span rest = span_of(facts->firewalls ? facts->firewalls : "");
	struct span line;
	bool any = false;

	while (span_next(&rest, '\n', &line)) {
		if (line.len == 0)
			continue;
		any = true;
		(void)host_check_add(report, "firewall", "other firewalls", CHECK_MISSING, "%.*s",
				     SPAN_ARG(line));
	}
	if (!any)
		(void)host_check_add(report, "firewall", "other firewalls", CHECK_OK, "%s",
				     facts->knows_firewalls ?
					     "nothing that stops VMs" :
					     "only root can see them: sudo tart network doctor");
}

static void add_wireless(struct host_report *report, const struct network_facts *facts)
{
	struct host_check *check;

	if (!facts->wireless)
		return;
	check = host_check_add(report, "bridged", "bridged networking", CHECK_MISSING,
			       "not at %s: access points of Wi-Fi ignore guests behind a station",
			       facts->wireless);
	host_check_remedy(check, "use a wired interface, or the default network");
}

void network_report_add(struct host_report *report, const struct network_facts *facts)
{
	add_backend(report, facts);
	add_program(report, "tart-netd", facts->netd, "it comes with tart",
		    "install tart with its programs: make install");
	add_keeper(report, facts, KEEPER_SYSTEM);
	add_keeper(report, facts, KEEPER_ROOTLESS);
	add_tun(report, facts);
	add_nft(report, facts);
	add_namespaces(report, facts);
	if (!facts->is_root)
		add_program(report, "pasta", facts->pasta, "no network of a user's own",
			    "sudo apt-get install passt");
	add_program(report, "dnsmasq", facts->dnsmasq,
		    "guests are told this host's name servers instead",
		    "sudo apt-get install dnsmasq-base");
	add_conf(report, facts);
	add_forwarding(report, facts);
	add_ports(report, facts);
	add_wireless(report, facts);
	add_firewalls(report, facts);
}
