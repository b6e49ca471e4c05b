/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of vmnet/lookup.h: what a keeper says and what lease files say, and which of them counts. */
#include "vmnet/lookup.h"

#include <sys/socket.h>
#include <time.h>

#include "base/sock.h"
#include "temp_dir.h"

#define OUR_MAC "52:54:00:44:55:66"

/* What the keeper's answer has, relative to now. */
struct nic {
	const char *address, *forward;
	enum netd_mode mode;
	int64_t bound_s, expires_s, arp_s; /* 0 = not */
};

static ipv4 address_of(const char *text)
{
	ipv4 address = 0;

	assert_true(!text || ipv4_parse(span_of(text), &address));
	return address;
}

static void fill_nic(const struct nic *nic, int64_t now_s, struct netd_nic *ret)
{
	*ret = (struct netd_nic){
		.vm = "vm",
		.tap = "tart-0123abcd",
		.mode = nic->mode,
		.address = address_of(nic->address),
		.forward = address_of(nic->forward),
		.bound_at_s = nic->bound_s ? now_s + nic->bound_s : 0,
		.expires_s = nic->expires_s ? now_s + nic->expires_s : 0,
		.seen_arp_s = nic->arp_s ? now_s + nic->arp_s : 0,
	};
	assert_true(mac_parse(span_of(OUR_MAC), &ret->mac));
}

/* A keeper at whose connection this answer already waits; *ret_far_fd is to be closed after the question. */
static void make_keeper(const struct nic *nic, struct keeper *ret, int *ret_far_fd)
{
	CLEANUP_STR struct str packet = { 0 };
	struct netd_list list = { 0 };
	struct err err = { 0 };
	size_t sent = 0;
	int fds[2];

	if (nic)
		fill_nic(nic, (int64_t)time(NULL), vec_push(&list.nics));
	netd_put_list(&list, &packet);
	vec_done(&list.nics);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
			 0);
	assert_int_equal(sock_send(fds[1], str_span(&packet), NULL, 0, &sent, &err), SOCK_DONE);
	ret->fd = fds[0];
	*ret_far_fd = fds[1];
}

static void write_file(const struct temp_dir *dir, const char *name, const char *text)
{
	struct err err = { 0 };

	assert_true(fs_replace_file(dir->fd, name, span_of(text), 0600, &err));
}

/* One dnsmasq line: our MAC with this address for the next hour. */
static void write_lease(const struct temp_dir *dir, const char *name, const char *address)
{
	CLEANUP_FREE char *line = xasprintf("%lld " OUR_MAC " %s * *\n",
					    (long long)time(NULL) + 3600, address);

	write_file(dir, name, line);
}

struct attempt {
	const struct home *home;
	enum lookup_resolver resolver;
	bool stopped;
	const char *leases_env;
};

static void look(const struct attempt *attempt, const struct nic *system,
		 const struct nic *rootless, struct lookup_result *ret)
{
	CLEANUP(lookup_done) struct lookup lookup = LOOKUP_INIT;
	CLEANUP_CLOSE int far_system = -1;
	CLEANUP_CLOSE int far_rootless = -1;
	struct err err = { 0 };

	lookup.home = attempt->home;
	lookup.resolver = attempt->resolver;
	lookup.running = !attempt->stopped;
	lookup.leases_env = attempt->leases_env;
	lookup.wish = system && rootless ? KEEPER_AUTO :
		      system             ? KEEPER_ONLY_SYSTEM :
		      rootless           ? KEEPER_ONLY_ROOTLESS :
					   KEEPER_NONE;
	lookup.rootless.kind = KEEPER_ROOTLESS;
	assert_true(mac_parse(span_of(OUR_MAC), &lookup.mac));
	if (system)
		make_keeper(system, &lookup.system, &far_system);
	if (rootless)
		make_keeper(rootless, &lookup.rootless, &far_rootless);
	check(lookup_once(&lookup, ret, &err), "%s", err.text);
}

static void check_address(const char *name, const struct lookup_result *result, const char *want)
{
	char got[IPV4_TEXT_SIZE];

	ipv4_print(result->address, got);
	check(result->address == address_of(want), "%s: got %s, not %s", name, got,
	      want ? want : "none");
}

static void believes_a_lease_of_this_run(void **state)
{
	const struct temp_dir *dir = *state;
	const struct home home = { .root_fd = dir->fd };
	static const struct {
		const char *name;
		struct nic nic;
		bool stopped;
		const char *want;
	} rows[] = {
		{ "bound", { "192.168.64.11", NULL, NETD_NAT, -5, 60, 0 }, false, "192.168.64.11" },
		{ "reserved", { "192.168.64.11", NULL, NETD_NAT, 0, 0, 0 }, false, NULL },
		{ "run out", { "192.168.64.11", NULL, NETD_NAT, -90, -1, 0 }, false, NULL },
		{ "VM has ended", { "192.168.64.11", NULL, NETD_NAT, -5, 60, 0 }, true, NULL },
		{ "bridged, unseen", { NULL, NULL, NETD_BRIDGED, 0, 0, 0 }, false, NULL },
		{ "bridged", { "10.1.2.3", NULL, NETD_BRIDGED, -5, 60, 0 }, false, "10.1.2.3" },
		{ "bridged, ARP alone", { "10.1.2.3", NULL, NETD_BRIDGED, 0, 0, -5 }, false, NULL },
	};

	each_row(rows, row) {
		const struct attempt attempt = { &home, LOOKUP_DHCP, row->stopped, "" };
		struct lookup_result result = { 0 };

		look(&attempt, &row->nic, NULL, &result);
		check_address(row->name, &result, row->want);
		check(result.kept && !result.forwarded, "%s", row->name);
	}
}

static void gives_the_alias_of_a_rootless_guest(void **state)
{
	const struct temp_dir *dir = *state;
	const struct home home = { .root_fd = dir->fd };
	const struct attempt attempts[] = { { &home, LOOKUP_DHCP, false, "" },
					    { &home, LOOKUP_ARP, false, "" } };
	static const struct nic bound = { "192.168.64.11", "127.64.64.11", NETD_NAT, -5, 60, 0 };
	static const struct nic early = { "192.168.64.11", NULL, NETD_NAT, -5, 60, 0 };

	each_row(attempts, attempt) {
		struct lookup_result result = { 0 };

		look(attempt, NULL, &bound, &result);
		check_address("bound", &result, "127.64.64.11");
		assert_true(result.forwarded);
		look(attempt, NULL, &early, &result);
		check_address("no forwarder yet", &result, NULL);
		assert_false(result.forwarded);
		assert_string_equal(result.notice, "");
	}
}

/* Whose VM it is does not depend on which keeper is asked first. */
static void asks_both_keepers(void **state)
{
	const struct temp_dir *dir = *state;
	const struct home home = { .root_fd = dir->fd };
	const struct attempt attempt = { &home, LOOKUP_DHCP, false, "" };
	static const struct nic reserved = { "192.168.64.11", NULL, NETD_NAT, 0, 0, 0 };
	static const struct nic bound = { "192.168.64.12", "127.64.64.12", NETD_NAT, -5, 60, 0 };
	struct lookup_result result = { 0 };

	look(&attempt, &reserved, &bound, &result);
	check_address("the rootless one has it", &result, "127.64.64.12");
	look(&attempt, &bound, &reserved, &result);
	check_address("the system's has it", &result, "192.168.64.12");
	assert_false(result.forwarded);
}

static void arp_takes_what_the_keeper_has_heard(void **state)
{
	const struct temp_dir *dir = *state;
	const struct home home = { .root_fd = dir->fd };
	const struct attempt attempt = { &home, LOOKUP_ARP, false, "" };
	static const struct nic seen = { "10.1.2.3", NULL, NETD_BRIDGED, 0, 0, -5 };
	static const struct nic unseen = { NULL, NULL, NETD_BRIDGED, 0, 0, 0 };
	struct lookup_result result = { 0 };

	look(&attempt, &seen, NULL, &result);
	check_address("seen", &result, "10.1.2.3");
	look(&attempt, &unseen, NULL, &result);
	check_address("unseen", &result, NULL);
}

static void agent_is_not_there_yet(void **state)
{
	const struct temp_dir *dir = *state;
	const struct home home = { .root_fd = dir->fd };
	const struct attempt attempt = { &home, LOOKUP_AGENT, false, "" };
	static const struct nic bound = { "192.168.64.11", NULL, NETD_NAT, -5, 60, 0 };
	struct lookup_result result = { 0 };

	look(&attempt, &bound, NULL, &result);
	check_address("agent", &result, NULL);
}

static void reads_leases_of_others(void **state)
{
	const struct temp_dir *dir = *state;
	const struct home home = { .root_fd = dir->fd };
	CLEANUP_FREE char *listed = xasprintf("%s/absent::%s/a:%s/b.status:%s", dir->path,
					      dir->path, dir->path, dir->path);
	CLEANUP_FREE char *status =
		xasprintf("[{\"ip-address\": \"10.0.0.2\", \"mac-address\": \"" OUR_MAC
			  "\", \"expiry-time\": %lld}]",
			  (long long)time(NULL) + 7200);
	struct attempt attempt = { &home, LOOKUP_DHCP, true, NULL };
	struct lookup_result result = { 0 };

	write_lease(dir, "dhcp.leases", "10.0.0.9");
	look(&attempt, NULL, NULL, &result);
	check_address("of the home", &result, "10.0.0.9");
	assert_false(result.kept);
	attempt.leases_env = listed;
	look(&attempt, NULL, NULL, &result);
	check_address("none of those listed, and the home's is not", &result, NULL);
	write_lease(dir, "a", "10.0.0.1");
	look(&attempt, NULL, NULL, &result);
	check_address("dnsmasq's", &result, "10.0.0.1");
	write_file(dir, "b.status", status);
	look(&attempt, NULL, NULL, &result);
	check_address("libvirt's, which runs longer", &result, "10.0.0.2");
}

/* A lease of an earlier run is not this guest's word; on a bridge it may well be. */
static void prefers_the_keepers_word(void **state)
{
	const struct temp_dir *dir = *state;
	const struct home home = { .root_fd = dir->fd };
	const struct attempt attempt = { &home, LOOKUP_DHCP, false, NULL };
	static const struct nic reserved = { "192.168.64.11", NULL, NETD_NAT, 0, 0, 0 };
	static const struct nic bridged = { NULL, NULL, NETD_BRIDGED, 0, 0, 0 };
	struct lookup_result result = { 0 };

	write_lease(dir, "dhcp.leases", "10.0.0.9");
	look(&attempt, &reserved, NULL, &result);
	check_address("routed", &result, NULL);
	look(&attempt, &bridged, NULL, &result);
	check_address("bridged", &result, "10.0.0.9");
}

static void names_the_file_that_is_damaged(void **state)
{
	const struct temp_dir *dir = *state;
	const struct home home = { .root_fd = dir->fd };
	CLEANUP_FREE char *path = xasprintf("%s/b.status", dir->path);
	CLEANUP(lookup_done) struct lookup lookup = LOOKUP_INIT;
	struct lookup_result result = { 0 };
	struct err err = { 0 };

	write_file(dir, "b.status", "[{");
	lookup.home = &home;
	lookup.wish = KEEPER_NONE;
	lookup.leases_env = path;
	assert_false(lookup_once(&lookup, &result, &err));
	assert_memory_equal(err.text, path, strlen(path));
}

/* One that has gone is as good as none, and is looked for anew the next time. */
static void survives_a_keeper_that_has_gone(void **state)
{
	const struct temp_dir *dir = *state;
	const struct home home = { .root_fd = dir->fd };
	CLEANUP(lookup_done) struct lookup lookup = LOOKUP_INIT;
	struct lookup_result result = { 0 };
	struct err err = { 0 };
	int far_fd = -1;

	make_keeper(NULL, &lookup.rootless, &far_fd);
	(void)close(far_fd);
	lookup.home = &home;
	lookup.wish = KEEPER_ONLY_ROOTLESS;
	lookup.leases_env = "";
	assert_true(lookup_once(&lookup, &result, &err));
	assert_int_equal(result.address, 0);
	assert_true(lookup_once(&lookup, &result, &err));
	assert_int_equal(lookup.rootless.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		temp_dir_test(believes_a_lease_of_this_run),
		temp_dir_test(gives_the_alias_of_a_rootless_guest),
		temp_dir_test(asks_both_keepers),
		temp_dir_test(arp_takes_what_the_keeper_has_heard),
		temp_dir_test(agent_is_not_there_yet),
		temp_dir_test(reads_leases_of_others),
		temp_dir_test(prefers_the_keepers_word),
		temp_dir_test(names_the_file_that_is_damaged),
		temp_dir_test(survives_a_keeper_that_has_gone),
	};

	return unit_main(tests);
}
