/* SPDX-License-Identifier: Apache-2.0 */
/* Whether somebody listens on a TCP port: by sock_diag, else (kernels without) from /proc/net. */
#include "netd/links_port.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/fs.h"
#include "netd/links.h"
#include "netd/links_netlink.h"

/* A busy server's table of all connections. */
#define TABLE_MAX ((size_t)64 << 20)

struct question {
	uint16_t port;
	bool is_listening;
};

static void take_socket(void *ctx, const struct netlink_message *message)
{
	struct question *question = ctx;
	struct inet_diag_msg socket;

	if (!message) {
		question->is_listening = false;
		return;
	}
	if (message->type != SOCK_DIAG_BY_FAMILY || message->payload.len < sizeof(socket))
		return;
	memcpy(&socket, message->payload.ptr, sizeof(socket));
	if (ntohs(socket.id.idiag_sport) == question->port)
		question->is_listening = true;
}

static bool ask_kernel(struct netlink *netlink, uint8_t family, struct question *question,
		       struct err *err)
{
	const struct inet_diag_req_v2 head = {
		.sdiag_family = family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = 1u << TCP_LISTEN,
	};
	struct netlink_request request;

	netlink_begin(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, NETLINK_HEAD(head));
	return netlink_ask(netlink, &request, take_socket, question, err);
}

static bool find_by_diag(uint16_t port, bool *ret, struct err *err)
{
	struct question v4 = { .port = port }, v6 = { .port = port };
	struct netlink *netlink;
	bool done;

	if (!netlink_open(NETLINK_SOCK_DIAG, &netlink, err))
		return false;
	done = ask_kernel(netlink, AF_INET, &v4, err) && ask_kernel(netlink, AF_INET6, &v6, err);
	netlink_close(netlink);
	if (done)
		*ret = v4.is_listening || v6.is_listening;
	return done;
}

/* The n-th of the words of a line. */
static struct span word_of(struct span line, size_t n)
{
	struct span word;

	while (span_next(&line, ' ', &word)) {
		if (word.len > 0 && n-- == 0)
			return word;
	}
	return span_make("", 0);
}

bool port_is_in_table(struct span text, uint16_t port)
{
	char wanted[8];
	struct span line;

	(void)snprintf(wanted, sizeof(wanted), ":%04X", port);
	while (span_next(&text, '\n', &line)) {
		/* "   0: 00000000:0016 00000000:0000 0A …": 0A is TCP_LISTEN */
		if (span_ends_with(word_of(line, 1), wanted) && span_is(word_of(line, 3), "0A"))
			return true;
	}
	return false;
}

/* A family that the kernel does not have has no table. */
static bool find_in_table(const char *path, uint16_t port, bool *ret, struct err *err)
{
	struct str text = { 0 };
	bool done = !fs_exists(AT_FDCWD, path) ||
		    fs_read_file(AT_FDCWD, path, TABLE_MAX, &text, err);

	if (done && port_is_in_table(str_span(&text), port))
		*ret = true;
	str_done(&text);
	return done;
}

bool links_port_is_listening(uint16_t port, bool *ret, struct err *err)
{
	struct err ignored = { 0 };
	bool is_listening = false;

	if (!find_by_diag(port, &is_listening, &ignored) &&
	    (!find_in_table("/proc/net/tcp", port, &is_listening, err) ||
	     !find_in_table("/proc/net/tcp6", port, &is_listening, err)))
		return err_context(err, "cannot find out who listens on port %u", port);
	*ret = is_listening;
	return true;
}
