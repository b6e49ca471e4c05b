/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering what concerns the network. */
#include "machine/network_facts.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/child_talk.h"
#include "base/fs.h"
#include "base/number.h"
#include "base/program.h"
#include "vmnet/conf_file.h"

#define PROC       "/proc/sys/"
#define NET        "/sys/class/net"
#define TALK_MS    10000
#define OUTPUT_MAX 65536

/* A number of the kernel's settings, or `otherwise`. */
static int read_setting(const char *path, int otherwise)
{
	CLEANUP_STR struct str text = { 0 };
	struct err ignored = { 0 };
	struct span digits;
	uint64_t n = 0;

	if (!fs_read_file(AT_FDCWD, path, 64, &text, &ignored))
		return otherwise;
	digits = span_first(str_span(&text), span_find(str_span(&text), '\n'));
	return number_parse_u64(digits, INT32_MAX, &n) ? (int)n : otherwise;
}

/* Administrators' programs lie outside of most users' PATH. */
static char *find_program(const char *name, const char *path_env)
{
	char *path = executable_find(name, path_env);

	return path ? path : executable_find(name, "/usr/sbin:/sbin");
}

static void ask_keeper(const struct home *home, enum keeper_kind kind, struct network_facts *facts)
{
	CLEANUP(netd_message_done) struct netd_message answer = { 0 };
	CLEANUP(keeper_close) struct keeper keeper = KEEPER_INIT;
	CLEANUP_STR struct str request = { 0 };
	enum keeper_wish wish = kind == KEEPER_SYSTEM ? KEEPER_ONLY_SYSTEM : KEEPER_ONLY_ROOTLESS;
	struct err *why = &facts->why_not[kind];
	bool found = false;

	if (!keeper_connect(home, wish, &keeper, &found, why) || !found)
		return;
	keeper.timeout_ms = TALK_MS;
	netd_put_empty(NETD_STATUS, &request);
	facts->answers[kind] = keeper_ask(&keeper, &request, NETD_R_STATUS, &answer, NULL, NULL,
					  why);
	if (facts->answers[kind])
		facts->status[kind] = answer.status;
}

static bool run_netd(const struct network_facts *facts, const char *option, const char *file,
		     struct child_answer *ret)
{
	const char *const argv[] = { facts->netd, option, file, NULL };
	const struct child_talk talk = { .argv = argv,
					 .timeout_ms = TALK_MS,
					 .max_out = OUTPUT_MAX };
	struct err ignored = { 0 };

	return facts->netd && child_talk(&talk, ret, &ignored) == CHILD_TALK_DONE;
}

static void check_conf(const struct home *home, struct network_facts *facts)
{
	CLEANUP(conf_file_done) struct conf_file file = { 0 };

	conf_file_find(home, facts->wish, &file);
	facts->conf_path = TAKE_PTR(file.path);
	file.path = xstrdup(facts->conf_path);
	(void)conf_file_check(&file, &facts->conf_err);
}

static void gather_firewalls(struct network_facts *facts)
{
	CLEANUP(child_answer_done) struct child_answer answer = { 0 };

	if (facts->answers[KEEPER_SYSTEM]) {
		facts->knows_firewalls = true;
		facts->firewalls = xstrdup(facts->status[KEEPER_SYSTEM].warnings);
	} else if (facts->is_root && run_netd(facts, "--firewalls", NULL, &answer) &&
		   answer.status == 0) {
		facts->knows_firewalls = true;
		facts->firewalls = xstrdup(str_text(&answer.out));
	}
}

static void gather_settings(struct network_facts *facts)
{
	int forward = read_setting(PROC "net/ipv4/ip_forward", -1);

	facts->userns_off = read_setting(PROC "kernel/unprivileged_userns_clone", 1) == 0 ||
			    read_setting(PROC "user/max_user_namespaces", 1) == 0;
	facts->userns_confined = read_setting(PROC "kernel/apparmor_restrict_unprivileged_userns",
					      0) == 1;
	facts->ip_forward = forward < 0 ? -1 : forward != 0;
	facts->may_forward = access(PROC "net/ipv4/ip_forward", W_OK) == 0;
	facts->port_start = (unsigned)read_setting(PROC "net/ipv4/ip_unprivileged_port_start",
						   1024);
}

/* By what bridged networking refuses them for: netd/links_bridged.c. */
static bool is_wireless(const char *name)
{
	CLEANUP_FREE char *phy = xasprintf(NET "/%s/phy80211", name);
	CLEANUP_FREE char *wireless = xasprintf(NET "/%s/wireless", name);

	return access(phy, F_OK) == 0 || access(wireless, F_OK) == 0;
}

static char *find_wireless(void)
{
	CLEANUP_STR struct str names = { 0 };
	DIR *dir = opendir(NET);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && is_wireless(entry->d_name))
			str_addf(&names, "%s%s", names.len > 0 ? ", " : "", entry->d_name);
	if (dir)
		(void)closedir(dir);
	return names.len > 0 ? str_take(&names) : NULL;
}

void network_facts_gather(const struct home *home, enum keeper_wish wish, const char *path_env,
			  struct network_facts *ret)
{
	struct network_facts facts = { .is_root = geteuid() == 0, .wish = wish };

	facts.netd = program_path("tart-netd");
	facts.pasta = executable_find("pasta", path_env);
	facts.dnsmasq = find_program("dnsmasq", path_env);
	network_probe_run(&facts.probe);
	gather_settings(&facts);
	facts.wireless = find_wireless();
	if (home) {
		ask_keeper(home, KEEPER_SYSTEM, &facts);
		ask_keeper(home, KEEPER_ROOTLESS, &facts);
		check_conf(home, &facts);
	}
	gather_firewalls(&facts);
	*ret = facts;
}

void network_facts_done(struct network_facts *facts)
{
	free(facts->netd);
	free(facts->pasta);
	free(facts->dnsmasq);
	free(facts->conf_path);
	free(facts->wireless);
	free(facts->firewalls);
	*facts = (struct network_facts){ 0 };
}
