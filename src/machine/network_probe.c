/* SPDX-License-Identifier: Apache-2.0 */
/* Trying what a keeper does, in a child. */
#include "machine/network_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attrs.h"

#define ANSWER_S 2
#define LIMIT_MS 10000

static int errno_unless(bool ok)
{
	return ok ? 0 : errno;
}

/* Without a network namespace of its own, a TAP would appear in the host's: then it is only opened. */
static int try_tun(bool own_network)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	CLEANUP_CLOSE int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno;
	return own_network ? errno_unless(ioctl(fd, TUNSETIFF, &request) == 0) : 0;
}

/* The kernel answers the question for the generation of its rules with one, or with an error. */
static int read_answer(int fd)
{
	union {
		struct nlmsghdr head;
		char bytes[4096];
	} answer;
	ssize_t n = recv(fd, &answer, sizeof(answer), 0);
	const struct nlmsgerr *error = NLMSG_DATA(&answer.head);

	if (n < 0)
		return errno;
	if ((size_t)n < sizeof(answer.head))
		return EPROTO;
	if (answer.head.nlmsg_type != NLMSG_ERROR)
		return 0;
	return (size_t)n < NLMSG_LENGTH(sizeof(*error)) ? EPROTO : -error->error;
}

static int try_nft(void)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct timeval limit = { .tv_sec = ANSWER_S };
	struct {
		struct nlmsghdr head;
		struct nfgenmsg body;
	} question = {
		.head = { .nlmsg_len = sizeof(question),
			  .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN,
			  .nlmsg_flags = NLM_F_REQUEST },
		.body = { .version = NFNETLINK_V0 },
	};
	CLEANUP_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    sendto(fd, &question, sizeof(question), 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return errno;
	return read_answer(fd);
}

static void try_all(struct network_probe *probe)
{
	bool root = geteuid() == 0;

	probe->userns = root ? 0 : errno_unless(unshare(CLONE_NEWUSER) == 0);
	probe->netns = probe->userns ? probe->userns : errno_unless(unshare(CLONE_NEWNET) == 0);
	if (!root && probe->netns) {
		probe->tun = try_tun(false);
		probe->nft = probe->netns;
		return;
	}
	probe->tun = try_tun(probe->netns == 0);
	probe->nft = try_nft();
}

static void be_child(int fd)
{
	struct network_probe probe = { 0 };

	(void)signal(SIGPIPE, SIG_IGN);
	try_all(&probe);
	_exit(write(fd, &probe, sizeof(probe)) == (ssize_t)sizeof(probe) ? 0 : 1);
}

static bool read_report(int fd, struct network_probe *ret)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct network_probe probe;
	int n;

	do
		n = poll(&ready, 1, LIMIT_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0 || read(fd, &probe, sizeof(probe)) != (ssize_t)sizeof(probe))
		return false;
	*ret = probe;
	return true;
}

void network_probe_run(struct network_probe *ret)
{
	int fds[2] = { -1, -1 };
	pid_t pid;

	*ret = (struct network_probe){ .userns = EIO, .netns = EIO, .tun = EIO, .nft = EIO };
	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0)
		be_child(fds[1]);
	(void)close(fds[1]);
	if (pid > 0) {
		(void)read_report(fds[0], ret);
		(void)kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	(void)close(fds[0]);
}
