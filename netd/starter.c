/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's side of the starter, and how it all hangs together.
 *
 *	keeper ──socket pair──► starter ──fork──► DHCP child ◄──socket pair──► keeper
 *	                                └─fork, exec──► dnsmasq
 *
 * Lives. The starter ends when the keeper has ended: its socket says so (and PR_SET_PDEATHSIG, where both are one user), and
 * nobody else holds the other end. It kills both helpers then. Should the starter itself be killed, the kernel takes dnsmasq
 * along; the DHCP child goes on, so that running VMs keep their leases, until its own socket to the keeper ends. A signal at a
 * parent's death needs the right to send it, which is why the starter keeps CAP_KILL: without, helpers of another user
 * outlive it.
 *
 * Starting again. The starter sees its helpers' ends and starts them anew, at first at once, then after pauses that grow to half a
 * minute, until one has lived for ten seconds. The keeper may find first that it has lost its DHCP child; each child has a
 * number (generation), and asking for another instead of one that has been replaced already does nothing.
 *
 * Nothing here waits for the starter; starter_free() does, for a short time.
 *
 * dnsmasq as nobody in particular. It is executed as the user that it is to be, with CAP_NET_BIND_SERVICE as an ambient
 * capability and nothing else: not even for a moment has it more. (Started as root it would need CAP_SETUID and CAP_SETGID to
 * become somebody else; it would drop all after that, this one too.) Not being uid 0, it does not try to change its user.
 *
 * In a user namespace with one user (rootless: pasta's) it is uid 0, and cannot be anybody else: setuid() has nobody to change
 * to, setgroups() is refused. dnsmasq that finds itself uid 0 and knows a group to change to ends when that fails ("failed to
 * change group-id to dip: Operation not permitted", exit code 5), whatever the user and group are that it is told. Empty ones
 * (`user=`, `group=`) are no users: then it stays who it is, here and as nobody alike. Being uid 0 gives it nothing
 * (securebits). Measured with dnsmasq 2.90: CapPrm = CapEff = 0x400 in both cases.
 */
#include "netd/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "base/sock.h"
#include "netd/starter_talk.h"

/* Longer than ending takes on a busy machine; a starter that somebody has stopped must not stop us. */
#define END_MS 5000

struct starter {
	int fd;
	struct child process;
	struct loop_source *source;
	struct loop_source *end;
	const struct starter_events *events;
	void *ctx;
	uint32_t generation; /* of the DHCP child that we were given last */
};

static bool fork_starter(int theirs, int ours, struct child *ret, struct err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(err, errno, "cannot start a process");
	if (pid == 0) {
		(void)close(ours);
		starter_main(theirs);
	}
	*ret = (struct child){ .pid = pid, .pidfd = (int)syscall(SYS_pidfd_open, pid, 0) };
	if (ret->pidfd >= 0)
		return true;
	(void)err_sys(err, errno, "cannot watch a process");
	child_kill(ret);
	return false;
}

bool starter_fork(struct starter **ret, struct err *err)
{
	CLEANUP_CLOSE int ours = -1;
	CLEANUP_CLOSE int theirs = -1;
	CLEANUP_FREE struct starter *starter = xcalloc(1, sizeof(*starter));
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(err, errno, "cannot create a socket pair");
	ours = fds[0];
	theirs = fds[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot use a socket pair");
	if (!fork_starter(theirs, ours, &starter->process, err))
		return false;
	starter->fd = TAKE_FD(ours);
	*ret = TAKE_PTR(starter);
	return true;
}

/* The last thing in its turn: the owner may do anything. */
static void fail(struct starter *starter, const char *why)
{
	loop_remove(&starter->source);
	if (starter->fd < 0)
		return;
	(void)close(TAKE_FD(starter->fd));
	starter->events->failed(starter->ctx, why);
}

static void take_dhcp(struct starter *starter, uint32_t generation, int *fd)
{
	if (*fd < 0)
		return;
	starter->generation = generation;
	starter->events->dhcp_started(starter->ctx, TAKE_FD(*fd));
}

static void obey(struct starter *starter, struct starter_report *report, int *fd)
{
	report->why[sizeof(report->why) - 1] = '\0';
	switch (report->kind) {
	case STARTER_DHCP_STARTED:
		take_dhcp(starter, report->generation, fd);
		break;
	case STARTER_DNS_STARTED:
		starter->events->dns_started(starter->ctx);
		break;
	case STARTER_DNS_ENDED:
		starter->events->dns_ended(starter->ctx, (enum starter_dns_end)report->end,
					   report->why);
		break;
	default:
		fail(starter, report->why);
		break;
	}
}

static void starter_on_report(void *ctx, uint32_t events)
{
	struct starter *starter = ctx;
	struct starter_report report = { 0 };
	CLEANUP_CLOSE int fd = -1;
	struct err err = { 0 };
	size_t len = 0;
	size_t n_fds = 0;

	(void)events;
	switch (sock_recv(starter->fd, &report, sizeof(report), &len, &fd, 1, &n_fds, &err)) {
	case SOCK_LATER:
		return;
	case SOCK_DONE:
		if (len != sizeof(report))
			fail(starter, "the starter talks nonsense");
		else
			obey(starter, &report, &fd);
		return;
	case SOCK_CLOSED:
		fail(starter, "the starter has ended");
		return;
	case SOCK_FAILED:
		fail(starter, err.text);
		return;
	}
}

/* Its socket says the same, perhaps earlier; but somebody has to reap it. */
static void starter_on_end(void *ctx, int status)
{
	struct starter *starter = ctx;
	CLEANUP_STR struct str why = { 0 };

	starter->end = NULL;
	str_add(&why, "the starter ");
	child_describe_status(status, &why);
	fail(starter, str_text(&why));
}

bool starter_watch(struct starter *starter, struct loop *loop, const struct starter_events *events,
		   void *ctx, struct err *err)
{
	starter->events = events;
	starter->ctx = ctx;
	return loop_add_child(loop, &starter->process, starter_on_end, starter, &starter->end,
			      err) &&
	       loop_add_fd(loop, starter->fd, EPOLLIN, starter_on_report, starter, &starter->source,
			   err);
}

static bool order(struct starter *starter, const struct starter_order *order, struct err *err)
{
	size_t sent;

	if (starter->fd < 0)
		return err_set(err, ERR_GENERAL, "the starter has ended");
	switch (sock_send(starter->fd, span_make((const char *)order, sizeof(*order)), NULL, 0,
			  &sent, err)) {
	case SOCK_DONE:
		return true;
	case SOCK_LATER:
		return err_set(err, ERR_GENERAL, "the starter does not listen");
	case SOCK_CLOSED:
		return err_set(err, ERR_GENERAL, "the starter has ended");
	case SOCK_FAILED:
		break;
	}
	return false;
}

bool starter_want_dhcp(struct starter *starter, struct err *err)
{
	return order(starter,
		     &(const struct starter_order){ .kind = STARTER_WANT_DHCP,
						    .generation = starter->generation },
		     err);
}

bool starter_want_dns(struct starter *starter, const struct starter_dns *dns, struct err *err)
{
	return order(starter,
		     &(const struct starter_order){ .kind = STARTER_WANT_DNS, .dns = *dns }, err);
}

void starter_stop_dns(struct starter *starter)
{
	struct err ignored = { 0 };

	(void)order(starter, &(const struct starter_order){ .kind = STARTER_STOP_DNS }, &ignored);
}

void starter_free(struct starter *starter)
{
	struct pollfd end;

	if (!starter)
		return;
	loop_remove(&starter->source);
	loop_remove(&starter->end);
	if (starter->fd >= 0)
		(void)close(starter->fd);
	if (starter->process.pid > 0) {
		end = (struct pollfd){ .fd = starter->process.pidfd, .events = POLLIN };
		(void)poll(&end, 1, END_MS);
		(void)waitpid(starter->process.pid, NULL, WNOHANG);
		(void)close(starter->process.pidfd);
	}
	free(starter);
}
