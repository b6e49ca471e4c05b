/* SPDX-License-Identifier: Apache-2.0 */
/* resolv.conf, and asking a DNS server whether it is one. */
#include "netd/resolvers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/random.h"

#define RESOLV_CONF_MAX 65536
#define AGAIN_MS        50

static struct span next_word(struct span *rest)
{
	struct span word;
	size_t len = 0;

	while (rest->len > 0 && (*rest->ptr == ' ' || *rest->ptr == '\t'))
		*rest = span_from(*rest, 1);
	while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != '\t')
		len++;
	word = span_first(*rest, len);
	*rest = span_from(*rest, len);
	return word;
}

static bool is_of_use(ipv4 address)
{
	return address >> 24 != 127 && address >> 24 != 0 && address >> 28 < 14;
}

size_t resolvers_parse(struct span text, ipv4 ret[NETWORK_DNS_MAX])
{
	struct span line;
	size_t n = 0;

	memset(ret, 0, NETWORK_DNS_MAX * sizeof(*ret));
	while (n < NETWORK_DNS_MAX && span_next(&text, '\n', &line)) {
		ipv4 address;

		if (span_is(next_word(&line), "nameserver") &&
		    ipv4_parse(next_word(&line), &address) && is_of_use(address))
			ret[n++] = address;
	}
	return n;
}

void resolvers_of_host(ipv4 ret[NETWORK_DNS_MAX])
{
	static const char *const paths[] = { "/run/systemd/resolve/resolv.conf",
					     "/etc/resolv.conf" };

	memset(ret, 0, NETWORK_DNS_MAX * sizeof(*ret));
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CLEANUP_STR struct str text = { 0 };
		struct err ignored = { 0 };

		if (fs_read_file(AT_FDCWD, paths[i], RESOLV_CONF_MAX, &text, &ignored) &&
		    resolvers_parse(str_span(&text), ret) > 0)
			return;
	}
}

struct resolvers_probe {
	struct loop_source *source, *deadline, *again;
	int fd;
	uint16_t id;
	resolvers_probed_fn *fn;
	void *ctx;
};

void resolvers_probe_end(struct resolvers_probe *probe)
{
	if (!probe)
		return;
	loop_remove(&probe->source);
	loop_remove(&probe->deadline);
	loop_remove(&probe->again);
	cleanup_close(&probe->fd);
	free(probe);
}

static void finish(struct resolvers_probe *probe, bool answers)
{
	resolvers_probed_fn *fn = probe->fn;
	void *ctx = probe->ctx;

	resolvers_probe_end(probe);
	fn(ctx, answers);
}

/* Any answer to our question will do, a refusal too. */
static void probe_on_answer(void *ctx, uint32_t events)
{
	struct resolvers_probe *probe = ctx;
	uint8_t answer[512];
	ssize_t n = recv(probe->fd, answer, sizeof(answer), MSG_DONTWAIT);

	(void)events;
	/* Nobody listens there yet: a server that was just started takes a moment. */
	if (n < 12)
		loop_arm(probe->again, AGAIN_MS);
	else
		finish(probe, (answer[0] << 8 | answer[1]) == probe->id && answer[2] & 0x80);
}

static void probe_on_deadline(void *ctx)
{
	finish(ctx, false);
}

static bool ask(const struct resolvers_probe *probe)
{
	/* RFC 1035 4.1: one question, version.bind, TXT, CHAOS (RFC 4892): answered without asking anybody else. */
	uint8_t question[] = { 0,   0,   0,   0,   0,   1, 0,   0,   0,   0,   0, 0, 7,  'v', 'e',
			       'r', 's', 'i', 'o', 'n', 4, 'b', 'i', 'n', 'd', 0, 0, 16, 0,   3 };

	question[0] = (uint8_t)(probe->id >> 8);
	question[1] = (uint8_t)probe->id;
	return send(probe->fd, question, sizeof(question), 0) == (ssize_t)sizeof(question);
}

static void probe_on_again(void *ctx)
{
	struct resolvers_probe *probe = ctx;

	/* What the last question met may be told by this one. */
	if (!ask(probe))
		loop_arm(probe->again, AGAIN_MS);
}

static bool open_to(struct resolvers_probe *probe, ipv4 server)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(53),
					.sin_addr.s_addr = htonl(server) };

	random_bytes(&probe->id, sizeof(probe->id));
	probe->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return probe->fd >= 0 &&
	       connect(probe->fd, (const struct sockaddr *)&to, sizeof(to)) == 0 && ask(probe);
}

struct resolvers_probe *resolvers_probe(struct loop *loop, ipv4 server, resolvers_probed_fn *fn,
					void *ctx)
{
	struct resolvers_probe *probe = xcalloc(1, sizeof(*probe));
	struct err ignored = { 0 };

	probe->fd = -1;
	probe->fn = fn;
	probe->ctx = ctx;
	if (!open_to(probe, server) || !loop_add_fd(loop, probe->fd, EPOLLIN, probe_on_answer,
						    probe, &probe->source, &ignored)) {
		resolvers_probe_end(probe);
		return NULL;
	}
	probe->deadline = loop_add_deadline(loop, probe_on_deadline, probe);
	probe->again = loop_add_deadline(loop, probe_on_again, probe);
	loop_arm(probe->deadline, RESOLVERS_PROBE_MS);
	return probe;
}
