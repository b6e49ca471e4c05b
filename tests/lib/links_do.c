/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's links.h as a program for tests: each argument is a step, one after the other in one process, so that TAPs
 * live while later steps look at them. A step that fails says "error: TEXT"; the exit code is 1 if the last one did.
 *
 *	links_do 'up 192.168.64.1/24' 'tap tart-00000001 52:54:00:aa:00:01 192.168.64.11' 'sh ip route' down
 */
#include "netd/links.h"

#include <linux/if_tun.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/number.h"

#define WORDS_MAX 8

struct doing {
	struct links *links;
	struct loop *loop;
	struct subnet subnet; /* of the last `up` */
	uint16_t mtu;
	uint64_t n_gone; /* still to come */
};

struct step {
	const char *words[WORDS_MAX + 1]; /* NULL-terminated */
	const char *rest;                 /* all behind the first word */
};

typedef bool step_fn(struct doing *doing, const struct step *step, struct err *err);

static const char *word(const struct step *step, size_t i)
{
	for (size_t j = 0; j <= i; j++) {
		if (!step->words[j]) {
			(void)fprintf(stderr, "links_do: '%s' wants more words\n", step->words[0]);
			exit(64);
		}
	}
	return step->words[i];
}

static void take_number(const char *text, uint64_t max, uint64_t *ret)
{
	if (!number_parse_u64(span_of(text), max, ret)) {
		(void)fprintf(stderr, "links_do: '%s' is no number\n", text);
		exit(64);
	}
}

static ipv4 take_address(struct span text)
{
	ipv4 address;

	if (!ipv4_parse(text, &address)) {
		(void)fprintf(stderr, "links_do: '%.*s' is no address\n", SPAN_ARG(text));
		exit(64);
	}
	return address;
}

/* "GATEWAY/PREFIX" */
static struct subnet take_subnet(const char *text)
{
	struct span all = span_of(text);
	struct subnet subnet = { .gateway = take_address(span_first(all, span_find(all, '/'))) };

	if (!cidr_parse(all, &subnet.cidr))
		exit(64);
	return subnet;
}

/* Words from the second on: TAP MAC ADDRESS [peer]. */
static struct nic take_nic(const struct step *step)
{
	struct nic nic = { 0 };

	(void)snprintf(nic.tap, sizeof(nic.tap), "%s", word(step, 1));
	if (!mac_parse(span_of(word(step, 2)), &nic.mac))
		exit(64);
	if (strcmp(word(step, 3), "-") != 0)
		nic.address = take_address(span_of(word(step, 3)));
	nic.peer = step->words[4] && strcmp(step->words[4], "peer") == 0;
	return nic;
}

static bool do_up(struct doing *doing, const struct step *step, struct err *err)
{
	struct subnet subnet = take_subnet(word(step, 1));
	struct str log = { 0 };
	bool is_denied;
	bool done = links_up(doing->links, &subnet, &is_denied, &log, err);

	if (done) {
		doing->subnet = subnet;
		printf("%s%s", str_text(&log), is_denied ? "forwarding is denied\n" : "");
	}
	str_done(&log);
	return done;
}

static bool do_down(struct doing *doing, const struct step *step, struct err *err)
{
	(void)step;
	return links_down(doing->links, err);
}

static bool do_subnet(struct doing *doing, const struct step *step, struct err *err)
{
	doing->subnet = take_subnet(word(step, 1));
	(void)err;
	return true;
}

static bool do_mtu(struct doing *doing, const struct step *step, struct err *err)
{
	uint64_t mtu;

	(void)err;
	take_number(word(step, 1), UINT16_MAX, &mtu);
	doing->mtu = (uint16_t)mtu;
	return true;
}

static bool do_tap(struct doing *doing, const struct step *step, struct err *err)
{
	struct nic nic = take_nic(step);
	int fd;

	return links_add_tap(doing->links, &nic, &doing->subnet, doing->mtu, &fd, err);
}

static bool do_remove(struct doing *doing, const struct step *step, struct err *err)
{
	struct nic nic = take_nic(step);

	return links_remove(doing->links, &nic, err);
}

/* end-outgoing, end-exposed */
static bool do_end(struct doing *doing, const struct step *step, struct err *err)
{
	struct nic nic = take_nic(step);
	bool is_outgoing = strcmp(step->words[0], "end-outgoing") == 0;

	return links_end_flows(doing->links, &nic, is_outgoing, !is_outgoing, err);
}

static bool do_set_up(struct doing *doing, const struct step *step, struct err *err)
{
	struct nic nic = take_nic(step);

	return links_set_up(doing->links, &nic, &doing->subnet,
			    strcmp(step->words[0], "set-up") == 0, err);
}

static bool do_peer(struct doing *doing, const struct step *step, struct err *err)
{
	return links_set_peer(doing->links, word(step, 1), strcmp(word(step, 2), "on") == 0, err);
}

static bool do_list(struct doing *doing, const struct step *step, struct err *err)
{
	found_links found = { 0 };

	(void)step;
	if (!links_list(doing->links, &found, err))
		return false;
	vec_each(&found, link)
		printf("%s %s%s%s\n", link->tap, link->macvtap ? "macvtap" : "tap",
		       link->is_up ? " up" : "", link->has_carrier ? " carrier" : "");
	vec_done(&found);
	return true;
}

static bool do_delete(struct doing *doing, const struct step *step, struct err *err)
{
	return links_delete(doing->links, word(step, 1), err);
}

/* Its output comes between that of the steps; what it returns is printed when it is not 0. */
static bool do_sh(struct doing *doing, const struct step *step, struct err *err)
{
	int status = 0;
	pid_t pid;

	(void)doing;
	(void)err;
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", step->rest, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		exit(70);
	if (status != 0)
		printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return true;
}

static bool do_check(struct doing *doing, const struct step *step, struct err *err)
{
	struct subnet subnet = take_subnet(word(step, 1));
	struct str warnings = { 0 };
	bool done = links_check_subnet(doing->links, &subnet, &warnings, err);

	printf("%s", str_text(&warnings));
	str_done(&warnings);
	return done;
}

static bool do_choose(struct doing *doing, const struct step *step, struct err *err)
{
	char net[CIDR_TEXT_SIZE], gateway[IPV4_TEXT_SIZE];
	struct subnet subnet;
	uint64_t prefix;

	take_number(word(step, 1), 32, &prefix);
	if (!links_choose_subnet(doing->links, (uint8_t)prefix, &subnet, err))
		return false;
	cidr_print(&subnet.cidr, net);
	ipv4_print(subnet.gateway, gateway);
	printf("%s %s\n", net, gateway);
	return true;
}

static bool do_classify(struct doing *doing, const struct step *step, struct err *err)
{
	bool is_macvtap;

	if (!links_classify(doing->links, word(step, 1), &is_macvtap, err))
		return false;
	printf("%s\n", is_macvtap ? "device" : "bridge");
	return true;
}

static bool do_candidates(struct doing *doing, const struct step *step, struct err *err)
{
	bridged_candidates candidates = { 0 };

	(void)step;
	if (!links_candidates(doing->links, &candidates, err))
		return false;
	vec_each(&candidates, candidate)
		printf("%s %s\n", candidate->name, candidate->is_bridge ? "bridge" : "device");
	vec_done(&candidates);
	return true;
}

/* bridged TAP MAC INTERFACE [macvtap] */
static bool do_bridged(struct doing *doing, const struct step *step, struct err *err)
{
	struct nic nic = { .mode = NETD_BRIDGED };
	int fd;

	(void)snprintf(nic.tap, sizeof(nic.tap), "%s", word(step, 1));
	(void)snprintf(nic.interface, sizeof(nic.interface), "%s", word(step, 3));
	nic.macvtap = step->words[4] && strcmp(step->words[4], "macvtap") == 0;
	if (!mac_parse(span_of(word(step, 2)), &nic.mac))
		exit(64);
	return links_add_bridged(doing->links, &nic, &fd, err);
}

static bool do_port(struct doing *doing, const struct step *step, struct err *err)
{
	bool is_listening;
	uint64_t port;

	(void)doing;
	take_number(word(step, 1), UINT16_MAX, &port);
	if (!links_port_is_listening((uint16_t)port, &is_listening, err))
		return false;
	printf("%s\n", is_listening ? "listening" : "free");
	return true;
}

static void doing_on_gone(void *ctx, const char *tap)
{
	struct doing *doing = ctx;

	printf("gone %s\n", tap);
	if (doing->n_gone > 0 && --doing->n_gone == 0)
		loop_stop(doing->loop);
}

static bool do_watch(struct doing *doing, const struct step *step, struct err *err)
{
	(void)step;
	return links_watch(doing->links, doing->loop, doing_on_gone, doing, err);
}

static void doing_on_deadline(void *ctx)
{
	struct doing *doing = ctx;

	printf("nothing has gone\n");
	loop_stop(doing->loop);
}

/* gone N: until that many links have gone */
static bool do_gone(struct doing *doing, const struct step *step, struct err *err)
{
	struct loop_source *deadline = loop_add_deadline(doing->loop, doing_on_deadline, doing);
	bool done;

	take_number(word(step, 1), UINT16_MAX, &doing->n_gone);
	loop_arm(deadline, 30000);
	done = loop_run(doing->loop, err);
	loop_remove(&deadline);
	return done;
}

/* What a descriptor does that QEMU would have: make the link stay without it. */
static bool do_persist(struct doing *doing, const struct step *step, struct err *err)
{
	struct nic nic = take_nic(step);
	int fd;

	if (!links_add_tap(doing->links, &nic, &doing->subnet, doing->mtu, &fd, err))
		return false;
	if (ioctl(fd, TUNSETPERSIST, 1) < 0)
		exit(70);
	(void)close(fd);
	return true;
}

static const struct {
	const char *name;
	step_fn *fn;
} steps[] = {
	{ "bridged", do_bridged },
	{ "candidates", do_candidates },
	{ "check", do_check },
	{ "choose", do_choose },
	{ "classify", do_classify },
	{ "delete", do_delete },
	{ "down", do_down },
	{ "end-exposed", do_end },
	{ "end-outgoing", do_end },
	{ "gone", do_gone },
	{ "list", do_list },
	{ "mtu", do_mtu },
	{ "peer", do_peer },
	{ "persist", do_persist },
	{ "port", do_port },
	{ "remove", do_remove },
	{ "set-down", do_set_up },
	{ "set-up", do_set_up },
	{ "sh", do_sh },
	{ "subnet", do_subnet },
	{ "tap", do_tap },
	{ "up", do_up },
	{ "watch", do_watch },
};

static step_fn *find_step(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (strcmp(steps[i].name, name) == 0)
			return steps[i].fn;
	}
	(void)fprintf(stderr, "links_do: no step '%s'\n", name);
	exit(64);
}

static bool do_step(struct doing *doing, const char *text)
{
	char *copy = xstrdup(text), *rest = copy;
	struct step step = { .rest = strchr(text, ' ') };
	struct err err = { 0 };
	size_t n = 0;
	bool done;

	for (char *next; n < WORDS_MAX && (next = strsep(&rest, " "));)
		step.words[n++] = next;
	done = find_step(word(&step, 0))(doing, &step, &err);
	if (!done)
		printf("error: %s\n", err.text);
	free(copy);
	return done;
}

int main(int argc, char **argv)
{
	struct doing doing = { .mtu = 1500 };
	struct err err = { 0 };
	bool done = true;

	if (!links_open(NULL, &doing.links, &err) || !loop_new(&doing.loop, &err)) {
		(void)fprintf(stderr, "links_do: %s\n", err.text);
		return 1;
	}
	for (int i = 1; i < argc; i++)
		done = do_step(&doing, argv[i]);
	links_close(doing.links);
	loop_free(doing.loop);
	return done ? 0 : 1;
}
