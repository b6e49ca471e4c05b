/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's end of tests/lib/netd_remote.py: what comes on standard input is sent on an interface, what comes on the interface
 * is written to standard output, each frame behind its length (16 bits, network order). An empty one comes first: from then
 * on all is heard. Linked statically: guests have no libraries.
 *
 *	nc -ll -p 7000 -e frames eth0 7000
 *
 * TCP to that port is the connection itself: telling of it would never end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_MAX 65535

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int open_interface(const char *name)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = (int)if_nametoindex(name) };
	/* Also what is for others. */
	const struct packet_mreq all = { .mr_ifindex = address.sll_ifindex,
					 .mr_type = PACKET_MR_PROMISC };
	const int one = 1;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fail(name);
	return fd;
}

/* False at the end of the input, which is the end of the program. */
static bool read_all(void *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(STDIN_FILENO, (char *)to + done, len - done);

		if (n < 0 && errno != EINTR)
			fail("read");
		if (n == 0)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static void write_all(const void *from, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(STDOUT_FILENO, (const char *)from + done, len - done);

		if (n < 0 && errno != EINTR)
			fail("write");
		done += n > 0 ? (size_t)n : 0;
	}
}

/* A frame that the interface does not take, e.g. one that is too long, is lost. */
static bool send_one(int fd)
{
	static char frame[FRAME_MAX];
	uint16_t len;

	if (!read_all(&len, sizeof(len)) || !read_all(frame, ntohs(len)))
		return false;
	(void)!write(fd, frame, ntohs(len));
	return true;
}

static bool is_connection(const char *frame, size_t len, uint16_t port)
{
	const size_t at = sizeof(struct ethhdr);
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;

	if (len < at + sizeof(ip))
		return false;
	memcpy(&eth, frame, sizeof(eth));
	memcpy(&ip, frame + at, sizeof(ip));
	if (eth.h_proto != htons(ETH_P_IP) || ip.protocol != IPPROTO_TCP ||
	    len < at + ip.ihl * 4U + sizeof(tcp))
		return false;
	memcpy(&tcp, frame + at + ip.ihl * 4U, sizeof(tcp));
	return tcp.dest == htons(port);
}

static void tell_one(int fd, uint16_t port)
{
	static char packet[2 + FRAME_MAX];
	ssize_t len = read(fd, packet + 2, FRAME_MAX);
	uint16_t prefix;

	if (len < 0 || is_connection(packet + 2, (size_t)len, port))
		return;
	prefix = htons((uint16_t)len);
	memcpy(packet, &prefix, sizeof(prefix));
	write_all(packet, 2 + (size_t)len);
}

int main(int argc, char **argv)
{
	const uint16_t ready = 0;
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };
	uint16_t port;

	if (argc != 3)
		return EXIT_FAILURE;
	port = (uint16_t)strtoul(argv[2], NULL, 10);
	fds[1].fd = open_interface(argv[1]);
	write_all(&ready, sizeof(ready));
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			fail("poll");
		if (fds[1].revents)
			tell_one(fds[1].fd, port);
		if (fds[0].revents && !send_one(fds[1].fd))
			return EXIT_SUCCESS;
	}
}
