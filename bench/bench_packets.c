/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load for bench_network.sh. The sender is pinned to one core and the kernel carries a packet through all namespaces
 * in the context of who sent it, so what the sender used is what the path costs.
 *
 *	bench_packets udp ADDRESS PACKETS		a new flow with each; says nanoseconds of CPU time per packet
 *	bench_packets tcp NETNS ADDRESS MIB CORES	to a receiver in a namespace, each on its core or both on one;
 *							says MB/s and microseconds of CPU time per MB, of both
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"

#define BATCH      64
#define PAYLOAD    18 /* the smallest Ethernet frame */
#define PORTS      60000
#define PORT_FIRST 1025
#define CHUNK      (128 * 1024)
#define TCP_PORT   5201

struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec vecs[BATCH];
	struct sockaddr_in to[BATCH];
	char payload[PAYLOAD];
};

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t number(const char *text)
{
	uint64_t n;

	if (!number_parse_u64(span_of(text), 1U << 30, &n) || n == 0) {
		(void)fprintf(stderr, "bench_packets: '%s' is no number\n", text);
		exit(64);
	}
	return n;
}

static void pin(size_t core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		fail("sched_setaffinity");
}

static double cpu_s(int who)
{
	struct rusage usage;

	(void)getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct sockaddr_in endpoint(const char *address, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		exit(64);
	return in;
}

static void prepare(struct batch *batch, const char *address)
{
	for (size_t i = 0; i < BATCH; i++) {
		batch->to[i] = endpoint(address, 0);
		batch->vecs[i] = (struct iovec){ .iov_base = batch->payload, .iov_len = PAYLOAD };
		batch->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->to[i],
			.msg_namelen = sizeof(batch->to[i]),
			.msg_iov = &batch->vecs[i],
			.msg_iovlen = 1,
		};
	}
}

/* Each packet its own port of the other side, and the next address when ports are used up: a flow each. */
static void send_flows(int fd, struct batch *batch, const char *address, uint64_t n_packets)
{
	uint32_t first = ntohl(endpoint(address, 0).sin_addr.s_addr);

	for (uint64_t sent = 0; sent < n_packets; sent += BATCH) {
		for (uint64_t i = 0; i < BATCH; i++) {
			uint64_t flow = sent + i;

			batch->to[i].sin_port = htons((uint16_t)(PORT_FIRST + flow % PORTS));
			batch->to[i].sin_addr.s_addr = htonl(first + (uint32_t)(flow / PORTS));
		}
		if (sendmmsg(fd, batch->messages, BATCH, 0) != BATCH)
			fail("sendmmsg");
	}
}

static int udp(const char *address, uint64_t n_packets)
{
	static struct batch batch;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	double before;

	if (fd < 0)
		fail("socket");
	pin(0);
	prepare(&batch, address);
	n_packets -= n_packets % BATCH;
	before = cpu_s(RUSAGE_SELF);
	send_flows(fd, &batch, address, n_packets);
	printf("%.0f\n", (cpu_s(RUSAGE_SELF) - before) * 1e9 / (double)n_packets);
	(void)close(fd);
	return 0;
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		fail(netns);
	(void)close(fd);
}

static _Noreturn void receive(int listener, uint64_t bytes)
{
	static char chunk[CHUNK];
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	uint64_t got = 0;

	if (fd < 0)
		fail("accept");
	while (got < bytes) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n <= 0)
			fail("the stream has ended");
		got += (uint64_t)n;
	}
	_exit(0);
}

/* The socket belongs to the namespace in which it was made, whoever uses it. */
static pid_t start_receiver(const char *netns, const struct sockaddr_in *at, uint64_t bytes,
			    size_t core)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		fail("fork");
	if (pid == 0) {
		int one = 1;
		int fd;

		pin(core);
		enter(netns);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
		    bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 || listen(fd, 1) < 0 ||
		    write(ready[1], "", 1) != 1)
			fail("cannot listen");
		receive(fd, bytes);
	}
	(void)close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		exit(1);
	(void)close(ready[0]);
	return pid;
}

static void send_bytes(const struct sockaddr_in *to, uint64_t bytes)
{
	static char chunk[CHUNK];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		fail("connect");
	for (uint64_t sent = 0; sent < bytes; sent += sizeof(chunk))
		if (write(fd, chunk, sizeof(chunk)) != sizeof(chunk))
			fail("write");
	(void)close(fd);
}

static int tcp(const char *netns, const char *address, uint64_t mib, uint64_t cores)
{
	struct sockaddr_in at = endpoint(address, TCP_PORT);
	uint64_t bytes = mib << 20;
	pid_t pid = start_receiver(netns, &at, bytes, cores > 1);
	double begin = now_s();
	double used = cpu_s(RUSAGE_SELF);
	int status;

	pin(0);
	send_bytes(&at, bytes);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return 1;
	used = cpu_s(RUSAGE_SELF) - used + cpu_s(RUSAGE_CHILDREN);
	printf("%.0f %.1f\n", (double)bytes / 1e6 / (now_s() - begin),
	       used * 1e6 / ((double)bytes / 1e6));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "udp") == 0)
		return udp(argv[2], number(argv[3]));
	if (argc == 6 && strcmp(argv[1], "tcp") == 0)
		return tcp(argv[2], argv[3], number(argv[4]), number(argv[5]));
	(void)fprintf(stderr,
		      "usage: bench_packets udp ADDRESS PACKETS | tcp NETNS ADDRESS MIB CORES\n");
	return 64;
}
