/* SPDX-License-Identifier: Apache-2.0 */
/* The netlink socket that owns our tables. */
#include "netd/rules_socket.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_MAX     65536
#define SEND_BUFFER    (4 << 20) /* the longest lists: 4096 ranges of 100 bytes, with room */
#define RECEIVE_BUFFER (1 << 20)
#define ANSWER_S       10
#define INTERRUPTIONS  20

static bool open_netlink(int flags, struct sockaddr_nl *address, int *ret_fd, struct err *err)
{
	CLEANUP_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags,
				      NETLINK_NETFILTER);

	if (fd < 0)
		return err_sys(err, errno,
			       "this kernel has no netfilter netlink (NETFILTER_NETLINK)");
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		return err_sys(err, errno, "packet filter: %s",
			       errno == EPERM ? "CAP_NET_ADMIN is missing" : "netlink");
	*ret_fd = TAKE_FD(fd);
	return true;
}

/* Best effort: without it only lists of thousands of ranges do not fit. */
static void widen(int fd)
{
	const int send_bytes = SEND_BUFFER;
	const int receive_bytes = RECEIVE_BUFFER;
	const int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_bytes, sizeof(send_bytes)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof(receive_bytes)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
	/* Do not send back with each error all that was asked. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
}

bool rules_socket_open(struct rules_socket *ret, struct err *err)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(address);
	CLEANUP_CLOSE int fd = -1;

	if (!open_netlink(0, &address, &fd, err))
		return false;
	widen(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return err_sys(err, errno, "netlink socket");
	ret->port = address.nl_pid;
	ret->fd = TAKE_FD(fd);
	return true;
}

void rules_socket_close(struct rules_socket *socket)
{
	if (socket->fd >= 0)
		(void)close(socket->fd);
	socket->fd = -1;
}

bool rules_socket_watch(int *ret_fd, struct err *err)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
				       .nl_groups = 1u << (NFNLGRP_NFTABLES - 1) };

	return open_netlink(SOCK_NONBLOCK, &address, ret_fd, err);
}

/* The next message of what was received. */
static bool next_message(struct span *rest, struct nlmsghdr *ret_head, struct span *ret_body)
{
	size_t whole;

	if (rest->len < sizeof(*ret_head))
		return false;
	memcpy(ret_head, rest->ptr, sizeof(*ret_head));
	if (ret_head->nlmsg_len < sizeof(*ret_head) || ret_head->nlmsg_len > rest->len)
		return false;
	*ret_body = span_make(rest->ptr + sizeof(*ret_head),
			      ret_head->nlmsg_len - sizeof(*ret_head));
	whole = ((size_t)ret_head->nlmsg_len + NLMSG_ALIGNTO - 1) & ~((size_t)NLMSG_ALIGNTO - 1);
	*rest = whole < rest->len ? span_from(*rest, whole) : span_make(NULL, 0);
	return true;
}

static struct span attrs_of(struct span body)
{
	size_t head = sizeof(struct nfgenmsg);

	return body.len > head ? span_from(body, head) : span_make(NULL, 0);
}

/* The first byte of struct nfgenmsg. */
static uint8_t family_in(struct span body)
{
	return body.len > 0 ? (uint8_t)body.ptr[0] : 0;
}

/* An error's number, 0 for an acknowledgement. */
static int error_in(struct span body)
{
	int error = -EPROTO;

	if (body.len >= sizeof(error))
		memcpy(&error, body.ptr, sizeof(error));
	return -error;
}

/* Bytes received, 0 when there is nothing (more), -1 with errno. */
static ssize_t receive(int fd, char buffer[ANSWER_MAX], int flags)
{
	ssize_t n;

	do {
		n = recv(fd, buffer, ANSWER_MAX, flags | MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	if (n > ANSWER_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (n < 0 && errno == EAGAIN && (flags & MSG_DONTWAIT))
		return 0;
	return n;
}

static bool send_all(int fd, const struct str *bytes)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	do {
		n = sendto(fd, bytes->ptr, bytes->len, 0, (const struct sockaddr *)&kernel,
			   sizeof(kernel));
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)bytes->len;
}

/* What has come back of a transaction. */
struct verdict {
	bool done;
	int errnum; /* the first error */
	uint32_t seq;
};

static void judge(struct span rest, struct verdict *verdict)
{
	struct nlmsghdr head;
	struct span body;

	while (next_message(&rest, &head, &body)) {
		int errnum = head.nlmsg_type == NLMSG_ERROR ? error_in(body) : EPROTO;

		if (errnum == 0) {
			verdict->done = true;
		} else if (verdict->errnum == 0) {
			verdict->errnum = errnum;
			verdict->seq = head.nlmsg_seq;
		}
	}
}

/* The kernel has worked on it when sendto() returns: all that it has to say is there. */
bool rules_socket_commit(const struct rules_socket *socket, struct rules_batch *batch,
			 struct rules_refusal *ret)
{
	CLEANUP_FREE char *buffer = xcalloc(1, ANSWER_MAX);
	struct verdict verdict = { 0 };
	ssize_t n;

	rules_batch_end(batch);
	if (!send_all(socket->fd, &batch->bytes)) {
		*ret = (struct rules_refusal){ .errnum = errno };
		return false;
	}
	while ((n = receive(socket->fd, buffer, MSG_DONTWAIT)) > 0)
		judge(span_make(buffer, (size_t)n), &verdict);
	if (verdict.errnum == 0 && (n < 0 || !verdict.done))
		verdict.errnum = n < 0 ? errno : EPROTO;
	if (verdict.errnum == 0)
		return true;
	*ret = (struct rules_refusal){ .errnum = verdict.errnum };
	if (verdict.seq > 0 && verdict.seq <= batch->steps.n)
		ret->step = batch->steps.v[verdict.seq - 1];
	return false;
}

/* Answers as they come. */
struct asking {
	size_t open;      /* questions */
	bool interrupted; /* tables changed while they were read */
	int errnum;
	struct str answers; /* whole messages */
};

static void take_answer(struct asking *asking, const struct nlmsghdr *head, struct span body)
{
	if (head->nlmsg_flags & NLM_F_DUMP_INTR)
		asking->interrupted = true;
	if (head->nlmsg_type == NLMSG_ERROR) {
		int errnum = error_in(body);

		if (errnum != 0 && errnum != ENOENT && asking->errnum == 0)
			asking->errnum = errnum;
	} else if (head->nlmsg_type != NLMSG_DONE && (head->nlmsg_flags & NLM_F_MULTI)) {
		return;
	}
	if (asking->open > 0)
		asking->open--;
}

static bool ask_once(const struct rules_socket *socket, const struct str *questions,
		     struct asking *asking)
{
	CLEANUP_FREE char *buffer = xcalloc(1, ANSWER_MAX);

	if (!send_all(socket->fd, questions)) {
		asking->errnum = errno;
		return false;
	}
	while (asking->open > 0) {
		ssize_t n = receive(socket->fd, buffer, 0);
		struct span rest = span_make(buffer, n > 0 ? (size_t)n : 0);
		struct nlmsghdr head;
		struct span body;

		if (n <= 0) {
			asking->errnum = n < 0 ? errno : EPROTO;
			return false;
		}
		str_add_span(&asking->answers, rest);
		while (next_message(&rest, &head, &body))
			take_answer(asking, &head, body);
	}
	return asking->errnum == 0;
}

static void tell(const struct asking *asking, rules_answer_fn *fn, void *ctx)
{
	struct span rest = str_span(&asking->answers);
	struct nlmsghdr head;
	struct span body;

	while (next_message(&rest, &head, &body))
		if (head.nlmsg_type != NLMSG_ERROR && head.nlmsg_type != NLMSG_DONE)
			fn(ctx, &(struct rules_answer){ .seq = head.nlmsg_seq,
							.family = family_in(body),
							.attrs = attrs_of(body) });
}

/* What was interrupted is asked again, and not told before it is whole. */
bool rules_socket_ask(const struct rules_socket *socket, const struct str *questions, size_t n,
		      rules_answer_fn *fn, void *ctx, struct err *err)
{
	for (int i = 0; i < INTERRUPTIONS; i++) {
		struct asking asking = { .open = n };
		bool ok = ask_once(socket, questions, &asking);

		if (ok && !asking.interrupted)
			tell(&asking, fn, ctx);
		str_done(&asking.answers);
		if (!ok)
			return err_sys(err, asking.errnum, "cannot read the packet filter");
		if (!asking.interrupted)
			return true;
	}
	return err_set(err, ERR_GENERAL, "the packet filter changes all the time");
}

static bool deletes_ours(const struct nlmsghdr *head, struct span body, uint32_t own_port)
{
	uint16_t message = head->nlmsg_type & 0xff;

	if (head->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || head->nlmsg_pid == own_port)
		return false;
	if (message != NFT_MSG_DELTABLE && message != NFT_MSG_DELCHAIN &&
	    message != NFT_MSG_DELRULE && message != NFT_MSG_DELSET &&
	    message != NFT_MSG_DELSETELEM)
		return false;
	/* The table's name is the first attribute of each. */
	return span_equal(rules_attr(attrs_of(body), NFTA_TABLE_NAME),
			  span_make(RULES_TABLE, sizeof(RULES_TABLE)));
}

bool rules_socket_has_lost(int watch_fd, uint32_t own_port)
{
	CLEANUP_FREE char *buffer = xcalloc(1, ANSWER_MAX);
	bool lost = false;
	ssize_t n;

	while ((n = receive(watch_fd, buffer, MSG_DONTWAIT)) != 0) {
		struct span rest = span_make(buffer, n > 0 ? (size_t)n : 0);
		struct nlmsghdr head;
		struct span body;

		if (n < 0 && errno != ENOBUFS && errno != EMSGSIZE)
			break;
		lost = lost || n < 0;
		while (next_message(&rest, &head, &body))
			lost = lost || deletes_ours(&head, body, own_port);
	}
	return lost;
}
