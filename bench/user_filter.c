/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bench_network.sh holds the kernel's filter against: a filter in user space between two TAPs without offloads, one
 * frame per system call: poll, read, check who sent it and where to, write. This is what such programs commonly are; with
 * IFF_VNET_HDR they are far faster.
 *
 *	user_filter NETNS NETNS MAC ADDRESS COMMAND...
 *
 * Makes a TAP "eth0" in each namespace; the guest with that MAC address and IPv4 address is behind the first. Carries frames
 * until the command has ended, then says how many seconds of CPU time that took; its exit code is the command's.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attrs.h"
#include "net/ipv4.h"
#include "net/mac.h"

struct filter {
	struct mac mac;
	ipv4 address;
};

/* Not for guests, as in network.md 2.1; all but a guest's own network, which the other end of this bench is in. */
static const struct {
	ipv4 network, mask;
} closed[] = {
	{ 0x00000000, 0xff000000 }, { 0x64400000, 0xffc00000 }, { 0x7f000000, 0xff000000 },
	{ 0xa9fe0000, 0xffff0000 }, { 0xac100000, 0xfff00000 }, { 0xc0000200, 0xffffff00 },
	{ 0xc0a80000, 0xffff0000 }, { 0xc6120000, 0xfffe0000 }, { 0xc6336400, 0xffffff00 },
	{ 0xcb007100, 0xffffff00 }, { 0xe0000000, 0xe0000000 },
};

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int open_tap(const char *netns)
{
	struct ifreq request = { .ifr_name = "eth0", .ifr_flags = IFF_TAP | IFF_NO_PI };
	int there = open(netns, O_RDONLY | O_CLOEXEC);
	int fd;

	/* It belongs to the namespace in which it was opened. */
	if (there < 0 || setns(there, CLONE_NEWNET) < 0 ||
	    (fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC)) < 0 ||
	    ioctl(fd, TUNSETIFF, &request) < 0)
		fail(netns);
	(void)close(there);
	return fd;
}

static bool is_closed(ipv4 address)
{
	for (size_t i = 0; i < ARRAY_LEN(closed); i++)
		if ((address & closed[i].mask) == closed[i].network)
			return true;
	return false;
}

static bool may_leave(const struct filter *filter, const char *frame, size_t len)
{
	struct ethhdr eth;
	struct iphdr ip;

	if (len < sizeof(eth))
		return false;
	memcpy(&eth, frame, sizeof(eth));
	if (memcmp(eth.h_source, &filter->mac, sizeof(filter->mac)) != 0)
		return false;
	if (eth.h_proto == htons(ETH_P_ARP))
		return true;
	if (eth.h_proto != htons(ETH_P_IP) || len < sizeof(eth) + sizeof(ip))
		return false;
	memcpy(&ip, frame + sizeof(eth), sizeof(ip));
	return ntohl(ip.saddr) == filter->address && !is_closed(ntohl(ip.daddr));
}

static void carry(const struct filter *filter, int from, int to, bool is_leaving)
{
	char frame[ETH_FRAME_LEN + 64];
	ssize_t n = read(from, frame, sizeof(frame));

	if (n > 0 && (!is_leaving || may_leave(filter, frame, (size_t)n)))
		(void)!write(to, frame, (size_t)n); /* a link that is down loses frames */
}

static void carry_all(const struct filter *filter, int guest, int world, int command)
{
	struct pollfd polled[] = {
		{ .fd = guest, .events = POLLIN },
		{ .fd = world, .events = POLLIN },
		{ .fd = command, .events = POLLIN },
	};

	while (poll(polled, ARRAY_LEN(polled), -1) > 0 && polled[2].revents == 0) {
		if (polled[0].revents & POLLIN)
			carry(filter, guest, world, true);
		if (polled[1].revents & POLLIN)
			carry(filter, world, guest, false);
	}
}

static pid_t start(char **command, int *ret_pidfd)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execvp(command[0], command);
		fail(command[0]);
	}
	if (pid < 0 || (*ret_pidfd = pidfd_open(pid, 0)) < 0)
		fail("cannot start the command");
	return pid;
}

int main(int argc, char **argv)
{
	struct filter filter;
	struct rusage usage;
	int guest, world, pidfd, status;
	pid_t pid;

	if (argc < 6 || !mac_parse(span_of(argv[3]), &filter.mac) ||
	    !ipv4_parse(span_of(argv[4]), &filter.address)) {
		(void)fprintf(stderr, "usage: user_filter NETNS NETNS MAC ADDRESS COMMAND...\n");
		return 64;
	}
	guest = open_tap(argv[1]);
	world = open_tap(argv[2]);
	pid = start(argv + 5, &pidfd);
	carry_all(&filter, guest, world, pidfd);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 1;
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("%.3f\n", (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
				 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	return WEXITSTATUS(status);
}
