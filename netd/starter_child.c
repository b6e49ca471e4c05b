/* SPDX-License-Identifier: Apache-2.0 */
/* The starter's process: two helpers, started and started again. starter.c has the theory of operation. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "base/sock.h"
#include "netd/dhcp_link.h"
#include "netd/dns.h"
#include "netd/forked.h"
#include "netd/isolate.h"
#include "netd/starter_talk.h"

#define PAUSE_FIRST_MS 100
#define READY_STEP_MS  10
#define READY_MAX_MS   2000  /* a firewall may keep us from seeing that it listens */
#define LIVED_LONG_MS  10000 /* who has lived so long is started again at once */

struct helper {
	struct starter_process *starter;
	struct child child;
	struct loop_source *end;
	struct loop_source *again; /* armed while it pauses */
	uint64_t started_ms, pause_ms;
};

struct starter_process {
	struct loop *loop;
	int keeper_fd;
	struct helper dhcp;
	uint32_t generation; /* of the DHCP child that was started last */
	struct helper dns;
	bool dns_wanted;
	struct starter_dns dns_settings;
	struct loop_source *dns_ready; /* armed until it listens */
	uint64_t dns_ready_left_ms;
	bool dns_replaced; /* it is being ended by us, to be started with other settings */
	char *dnsmasq;     /* NULL = there is none */
	char resolver_dir[PATH_MAX];
};

/* Waits for the keeper, who always reads. If it has gone, the loop is about to learn that. */
static void report(const struct starter_process *starter, const struct starter_report *report,
		   int fd)
{
	struct err ignored = { 0 };
	size_t sent;

	(void)sock_send(starter->keeper_fd, span_make((const char *)report, sizeof(*report)), &fd,
			fd >= 0 ? 1 : 0, &sent, &ignored);
}

static void report_dns_end(const struct starter_process *starter, enum starter_dns_end end,
			   const char *why)
{
	struct starter_report say = { .kind = STARTER_DNS_ENDED, .end = end };

	(void)snprintf(say.why, sizeof(say.why), "%s", why);
	report(starter, &say, -1);
}

/* All of a helper's processes: dnsmasq has one for each TCP client. */
static void end_helper(struct helper *helper)
{
	if (helper->child.pid > 0 && kill(-helper->child.pid, SIGKILL) < 0)
		(void)kill(helper->child.pid, SIGKILL);
}

/* After the pause that is due; the next one is twice as long. */
static void pause_first(struct helper *helper)
{
	uint64_t next = helper->pause_ms == 0 ? PAUSE_FIRST_MS : 2 * helper->pause_ms;

	loop_arm(helper->again, helper->pause_ms);
	helper->pause_ms = next < STARTER_PAUSE_MAX_MS ? next : STARTER_PAUSE_MAX_MS;
}

/* It could not even be started. */
static void try_later(struct helper *helper)
{
	if (helper->pause_ms == 0)
		helper->pause_ms = PAUSE_FIRST_MS;
	pause_first(helper);
}

static void start_again(struct helper *helper)
{
	if (loop_now_ms(helper->starter->loop) - helper->started_ms >= LIVED_LONG_MS)
		helper->pause_ms = 0;
	pause_first(helper);
}

/* A group of its own: no Ctrl-C of the terminal, and it can be ended as a whole. */
static pid_t fork_helper(struct helper *helper, loop_child_fn *fn, struct err *err)
{
	pid_t pid = fork();

	if (pid < 0) {
		(void)err_sys(err, errno, "cannot start a process");
		return -1;
	}
	if (pid == 0) {
		(void)setpgid(0, 0);
		forked_default_signals();
		return 0;
	}
	(void)setpgid(pid, pid);
	helper->started_ms = loop_now_ms(helper->starter->loop);
	helper->child.pid = pid;
	helper->child.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (helper->child.pidfd >= 0 && loop_add_child(helper->starter->loop, &helper->child, fn,
						       helper->starter, &helper->end, err))
		return pid;
	child_kill(&helper->child);
	return -1;
}

_Noreturn static void run_dhcp(int fd)
{
	forked_keep_only(fd);
	(void)signal(SIGTERM, SIG_IGN); /* its end is that of the socket */
	(void)signal(SIGPIPE, SIG_IGN);
	dhcp_child_main(fd);
}

static void dhcp_on_end(void *ctx, int status)
{
	struct starter_process *starter = ctx;

	(void)status;
	starter->dhcp.end = NULL;
	start_again(&starter->dhcp);
}

static bool start_dhcp(struct starter_process *starter, struct err *err)
{
	struct starter_report say = { .kind = STARTER_DHCP_STARTED };
	CLEANUP_CLOSE int ours = -1;
	CLEANUP_CLOSE int theirs = -1;
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, errno, "cannot create a socket pair");
	ours = fds[0];
	theirs = fds[1];
	pid = fork_helper(&starter->dhcp, dhcp_on_end, err);
	if (pid < 0)
		return false;
	if (pid == 0)
		run_dhcp(theirs);
	say.generation = ++starter->generation;
	report(starter, &say, ours);
	return true;
}

static void dhcp_on_again(void *ctx)
{
	struct starter_process *starter = ctx;
	struct err ignored = { 0 };

	if (!start_dhcp(starter, &ignored))
		try_later(&starter->dhcp);
}

static void want_dhcp(struct starter_process *starter, uint32_t lost)
{
	struct helper *dhcp = &starter->dhcp;

	if (lost != starter->generation || loop_is_armed(dhcp->again))
		return;
	if (dhcp->child.pid > 0)
		end_helper(dhcp);
	else
		loop_arm(dhcp->again, 0);
}

/*
 * What dnsmasq may read: itself and its libraries, names of users and services, the host's nameservers, in the places where
 * /etc/resolv.conf leads in practice.
 */
static bool confine(enum isolate_role role, const struct starter_process *starter, struct err *err)
{
	const struct isolate_path keep[] = {
		{ "/usr", false },
		{ "/lib", false },
		{ "/lib32", false },
		{ "/lib64", false },
		{ "/etc", false },
		{ "/run/systemd/resolve", false },
		{ "/run/resolvconf", false },
		{ "/run/NetworkManager", false },
		{ "/dev/null", true },
		{ "/dev/urandom", false },
		{ starter->resolver_dir, false },
		{ NULL, false },
	};

	return isolate_calls(role, keep, err);
}

static int config_fd(const struct starter_dns *settings)
{
	CLEANUP_CLOSE int fd = memfd_create("dnsmasq.conf", MFD_CLOEXEC);
	CLEANUP_STR struct str text = { 0 };

	dns_print_config(settings, &text);
	if (fd < 0 || write(fd, text.ptr, text.len) != (ssize_t)text.len ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return TAKE_FD(fd);
}

static bool die_with(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

/* Why it does not come to that is on stderr, as are dnsmasq's own reasons. */
_Noreturn static void run_dns(const struct starter_process *starter, pid_t parent)
{
	char *const argv[] = { starter->dnsmasq, (char[]){ "--keep-in-foreground" },
			       (char[]){ "--conf-file=-" }, NULL };
	char *const envp[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" },
			       (char[]){ "LC_ALL=C" }, NULL };
	struct err err = { 0 };
	int config = config_fd(&starter->dns_settings);

	if (config < 0 || dup2(config, STDIN_FILENO) < 0 ||
	    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		(void)err_sys(&err, errno, "cannot configure dnsmasq");
	else if (isolate_identity(ISOLATE_DNS, &err) && die_with(parent) &&
		 confine(ISOLATE_DNS, starter, &err)) {
		(void)execve(argv[0], argv, envp);
		(void)err_sys(&err, errno, "cannot start '%s'", argv[0]);
	}
	fprintf(stderr, "tart-netd: %s\n", err.text);
	_exit(127);
}

static void dns_on_end(void *ctx, int status)
{
	struct starter_process *starter = ctx;
	CLEANUP_STR struct str why = { 0 };

	starter->dns.end = NULL;
	loop_disarm(starter->dns_ready);
	if (!starter->dns_wanted)
		return;
	if (starter->dns_replaced) {
		starter->dns_replaced = false;
		loop_arm(starter->dns.again, 0);
		return;
	}
	dns_describe_end(status, &why);
	start_again(&starter->dns);
	report_dns_end(starter, STARTER_DNS_DIED, str_text(&why));
}

/* dnsmasq would end because of it as well, but not say so in a way that a program can tell. */
static bool port_is_taken(ipv4 address, int type)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(53),
					.sin_addr.s_addr = htonl(address) };
	CLEANUP_CLOSE int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int on = 1;

	/* Connections that are just ending are no reason. */
	return fd >= 0 &&
	       (type != SOCK_STREAM ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0) &&
	       bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 && errno == EADDRINUSE;
}

static bool start_dns(struct starter_process *starter, enum starter_dns_end *ret_why,
		      struct err *err)
{
	pid_t parent = getpid();
	pid_t pid;

	*ret_why = STARTER_DNS_MISSING;
	if (!starter->dnsmasq)
		starter->dnsmasq = dns_find();
	if (!starter->dnsmasq)
		return err_set(err, ERR_GENERAL, "dnsmasq is not installed");
	*ret_why = STARTER_DNS_PORT_TAKEN;
	if (port_is_taken(starter->dns_settings.listen, SOCK_DGRAM) ||
	    port_is_taken(starter->dns_settings.listen, SOCK_STREAM))
		return err_set(err, ERR_GENERAL, "another program listens at port 53");
	*ret_why = STARTER_DNS_DIED;
	pid = fork_helper(&starter->dns, dns_on_end, err);
	if (pid < 0)
		return false;
	if (pid == 0)
		run_dns(starter, parent);
	starter->dns_ready_left_ms = READY_MAX_MS;
	loop_arm(starter->dns_ready, READY_STEP_MS);
	return true;
}

/* By a connection, which it drops when we do. A try of ours to bind could be what keeps it from binding. */
static bool listens(ipv4 address)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(53),
					.sin_addr.s_addr = htonl(address) };
	CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	if (fd < 0)
		return false;
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return true;
	/* Between addresses of one host it has succeeded or failed by now. */
	return errno == EINPROGRESS && poll(&ready, 1, 0) == 1 &&
	       !(ready.revents & (POLLERR | POLLHUP));
}

static void dns_on_ready(void *ctx)
{
	const struct starter_report say = { .kind = STARTER_DNS_STARTED };
	struct starter_process *starter = ctx;

	if (starter->dns.child.pid == 0)
		return;
	if (starter->dns_ready_left_ms > 0 && !listens(starter->dns_settings.listen)) {
		starter->dns_ready_left_ms -= READY_STEP_MS;
		loop_arm(starter->dns_ready, READY_STEP_MS);
		return;
	}
	report(starter, &say, -1);
}

static void dns_on_again(void *ctx)
{
	struct starter_process *starter = ctx;
	enum starter_dns_end why;
	struct err err = { 0 };

	if (start_dns(starter, &why, &err))
		return;
	try_later(&starter->dns);
	report_dns_end(starter, why, err.text);
}

static bool same_settings(const struct starter_dns *a, const struct starter_dns *b)
{
	return a->listen == b->listen && memcmp(a->upstream, b->upstream, sizeof(a->upstream)) == 0;
}

static void want_dns(struct starter_process *starter, const struct starter_dns *settings)
{
	struct helper *dns = &starter->dns;

	if (starter->dns_wanted && same_settings(settings, &starter->dns_settings))
		return;
	starter->dns_wanted = true;
	dns->pause_ms = 0;
	starter->dns_settings = *settings;
	starter->dns_replaced = dns->child.pid > 0;
	if (starter->dns_replaced)
		end_helper(dns);
	else
		loop_arm(dns->again, 0);
}

static void stop_dns(struct starter_process *starter)
{
	starter->dns_wanted = false;
	loop_disarm(starter->dns.again);
	end_helper(&starter->dns);
}

static void starter_on_order(void *ctx, uint32_t events)
{
	struct starter_process *starter = ctx;
	struct starter_order order = { 0 };
	struct err ignored = { 0 };
	size_t len = 0;
	enum sock_result result = sock_recv(starter->keeper_fd, &order, sizeof(order), &len, NULL,
					    0, NULL, &ignored);

	(void)events;
	if (result == SOCK_LATER)
		return;
	if (result != SOCK_DONE || len != sizeof(order))
		loop_stop(starter->loop);
	else if (order.kind == STARTER_WANT_DHCP)
		want_dhcp(starter, order.generation);
	else if (order.kind == STARTER_WANT_DNS)
		want_dns(starter, &order.dns);
	else
		stop_dns(starter);
}

static void starter_on_signal(void *ctx, int signum)
{
	struct starter_process *starter = ctx;

	(void)signum;
	loop_stop(starter->loop);
}

static void find_resolver_dir(struct starter_process *starter)
{
	char path[PATH_MAX];
	char *slash;

	if (realpath("/etc/resolv.conf", path)) {
		slash = strrchr(path, '/');
		if (slash && slash != path) {
			*slash = '\0';
			memcpy(starter->resolver_dir, path, strlen(path) + 1);
			return;
		}
	}
	memcpy(starter->resolver_dir, "/etc", sizeof("/etc"));
}

static bool prepare(struct starter_process *starter, struct err *err)
{
	static const int signums[] = { SIGTERM };
	struct loop_source *source;

	forked_default_signals();
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	forked_keep_only(starter->keeper_fd);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_NAME, "tart-netd-start");
	find_resolver_dir(starter);
	if (!forked_forget_terminal(err) || !isolate_identity(ISOLATE_STARTER, err) ||
	    !confine(ISOLATE_STARTER, starter, err))
		return false;
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!loop_new(&starter->loop, err) ||
	    !loop_add_signals(starter->loop, signums, 1, starter_on_signal, starter, &source,
			      err) ||
	    !loop_add_fd(starter->loop, starter->keeper_fd, EPOLLIN, starter_on_order, starter,
			 &source, err))
		return false;
	starter->dhcp.again = loop_add_deadline(starter->loop, dhcp_on_again, starter);
	starter->dns.again = loop_add_deadline(starter->loop, dns_on_again, starter);
	starter->dns_ready = loop_add_deadline(starter->loop, dns_on_ready, starter);
	return true;
}

_Noreturn void starter_main(int fd)
{
	struct starter_process starter = {
		.keeper_fd = fd,
		.dhcp = { .starter = &starter, .child = CHILD_INIT },
		.dns = { .starter = &starter, .child = CHILD_INIT },
	};
	struct err err = { 0 };
	bool ok = prepare(&starter, &err) && loop_run(starter.loop, &err);

	if (!ok) {
		struct starter_report say = { .kind = STARTER_FAILED };

		(void)snprintf(say.why, sizeof(say.why), "%s", err.text);
		report(&starter, &say, -1);
	}
	end_helper(&starter.dns);
	child_kill(&starter.dns.child);
	child_kill(&starter.dhcp.child);
	_exit(ok ? 0 : 1);
}
