/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink sockets, requests and the walk through answers, over libmnl. */
#include "netd/links_netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"

#define ANSWER_MAX   ((size_t)64 << 10) /* the kernel makes dumps of at most 32 KiB a piece */
#define DUMPS_MAX    32                 /* tries to see a table at rest */
#define ANSWER_AFTER 10                 /* seconds: the kernel answers within the call, so never */

struct netlink {
	struct mnl_socket *socket;
	unsigned int sequence;
	_Alignas(8) char answer[ANSWER_MAX];
};

static void set_option(const struct netlink *netlink, int option)
{
	int on = 1;

	/* Kernels before 4.12 do not know them; only the reasons of refusals are missing then. */
	(void)mnl_socket_setsockopt(netlink->socket, option, &on, sizeof(on));
}

bool netlink_open(int bus, struct netlink **ret, struct err *err)
{
	const struct timeval patience = { .tv_sec = ANSWER_AFTER };
	struct netlink *netlink = xcalloc(1, sizeof(*netlink));

	netlink->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!netlink->socket || mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int why = errno;

		netlink_close(netlink);
		return err_sys(err, why, "cannot open a netlink socket");
	}
	set_option(netlink, NETLINK_EXT_ACK);
	set_option(netlink, NETLINK_CAP_ACK);
	(void)setsockopt(netlink_fd(netlink), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*ret = netlink;
	return true;
}

void netlink_close(struct netlink *netlink)
{
	if (!netlink)
		return;
	if (netlink->socket)
		(void)mnl_socket_close(netlink->socket);
	free(netlink);
}

int netlink_fd(const struct netlink *netlink)
{
	return mnl_socket_get_fd(netlink->socket);
}

static struct nlmsghdr *header_of(struct netlink_request *request)
{
	return (struct nlmsghdr *)(void *)request->bytes;
}

void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags, struct span head)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(request->bytes);

	header->nlmsg_type = type;
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	/* One of its two bits is NLM_F_EXCL elsewhere. */
	if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
		header->nlmsg_flags |= NLM_F_ACK;
	memcpy(mnl_nlmsg_put_extra_header(header, head.len), head.ptr, head.len);
}

void netlink_put(struct netlink_request *request, uint16_t type, struct span value)
{
	if (!mnl_attr_put_check(header_of(request), sizeof(request->bytes), type, value.len,
				value.ptr))
		assert(!"a request is too long");
}

void netlink_put_u8(struct netlink_request *request, uint16_t type, uint8_t value)
{
	netlink_put(request, type, NETLINK_HEAD(value));
}

void netlink_put_u32(struct netlink_request *request, uint16_t type, uint32_t value)
{
	netlink_put(request, type, NETLINK_HEAD(value));
}

void netlink_put_be32(struct netlink_request *request, uint16_t type, uint32_t value)
{
	netlink_put_u32(request, type, htonl(value));
}

void netlink_put_text(struct netlink_request *request, uint16_t type, const char *text)
{
	netlink_put(request, type, span_make(text, strlen(text) + 1));
}

size_t netlink_nest(struct netlink_request *request, uint16_t type)
{
	struct nlattr *nest = mnl_attr_nest_start_check(header_of(request), sizeof(request->bytes),
							(uint16_t)(type & NLA_TYPE_MASK));

	if (!nest) {
		assert(!"a request is too long");
		return 0;
	}
	return (size_t)((char *)nest - request->bytes);
}

void netlink_end(struct netlink_request *request, size_t nest)
{
	assert(nest > 0 && nest < sizeof(request->bytes));
	mnl_attr_nest_end(header_of(request), (void *)(request->bytes + nest));
}

/* One packet from the kernel; others of this namespace may send to us, too. */
static bool receive(struct netlink *netlink, int flags, size_t *ret_len, struct err *err)
{
	struct sockaddr_nl from = { 0 };
	struct iovec part = { .iov_base = netlink->answer, .iov_len = sizeof(netlink->answer) };
	struct msghdr packet = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	ssize_t n;

	do {
		n = recvmsg(netlink_fd(netlink), &packet, flags);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n < 0)
		return err_sys(err, errno, "cannot read from the kernel");
	if (packet.msg_flags & MSG_TRUNC)
		return err_set(err, ERR_GENERAL, "the kernel's answer is too long");
	*ret_len = (size_t)n;
	return true;
}

/* Where the attributes of an error start: behind the number and as much of our request as the kernel sent back. */
static size_t reason_offset(const struct nlmsghdr *message)
{
	const struct nlmsgerr *refusal = mnl_nlmsg_get_payload(message);
	size_t echoed = sizeof(refusal->msg);

	if (message->nlmsg_type == NLMSG_DONE)
		return sizeof(int);
	if (!(message->nlmsg_flags & NLM_F_CAPPED) && refusal->msg.nlmsg_len > echoed)
		echoed = refusal->msg.nlmsg_len;
	return NLMSG_ALIGN(sizeof(refusal->error) + echoed);
}

static void take_reason(const struct nlmsghdr *message, char *ret, size_t size)
{
	size_t len = mnl_nlmsg_get_payload_len(message);
	struct netlink_attrs attrs;
	size_t offset;

	ret[0] = '\0';
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    (message->nlmsg_type == NLMSG_ERROR && len < sizeof(struct nlmsgerr)))
		return;
	offset = reason_offset(message);
	if (offset >= len)
		return;
	netlink_parse(span_make((char *)mnl_nlmsg_get_payload(message) + offset, len - offset),
		      &attrs);
	netlink_text(&attrs, NLMSGERR_ATTR_MSG, ret, size);
}

/* The end of an answer: an acknowledgement, a refusal, or the end of a dump. */
static bool conclude(const struct nlmsghdr *message, struct err *err)
{
	char reason[256];
	int code = message->nlmsg_type == NLMSG_ERROR ? -EBADMSG : 0;

	if (mnl_nlmsg_get_payload_len(message) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
	if (code >= 0)
		return true;
	take_reason(message, reason, sizeof(reason));
	err_set_(err, ERR_GENERAL, "%s", reason[0] ? reason : strerror(-code));
	err->sys = -code;
	return false;
}

struct answer {
	netlink_fn *fn;
	void *ctx;
	bool ended;
	bool disturbed; /* the table changed while it was dumped */
};

static bool take_message(struct answer *answer, const struct nlmsghdr *message, struct err *err)
{
	const struct netlink_message told = {
		.type = message->nlmsg_type,
		.payload = span_make(mnl_nlmsg_get_payload(message),
				     mnl_nlmsg_get_payload_len(message)),
	};

	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->disturbed = true;
	if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
		answer->ended = true;
		return conclude(message, err);
	}
	if (message->nlmsg_type >= NLMSG_MIN_TYPE && answer->fn)
		answer->fn(answer->ctx, &told);
	return true;
}

static bool read_answer(struct netlink *netlink, struct answer *answer, struct err *err)
{
	while (!answer->ended) {
		const struct nlmsghdr *message = (const void *)netlink->answer;
		size_t len;
		int rest;

		if (!receive(netlink, 0, &len, err))
			return false;
		for (rest = (int)len; mnl_nlmsg_ok(message, rest) && !answer->ended;
		     message = mnl_nlmsg_next(message, &rest)) {
			/* What an earlier request that failed half-way has left. */
			if (message->nlmsg_seq != netlink->sequence)
				continue;
			if (!take_message(answer, message, err))
				return false;
		}
	}
	return true;
}

static bool send_request(struct netlink *netlink, struct netlink_request *request, struct err *err)
{
	struct nlmsghdr *header = header_of(request);

	header->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->socket, header, header->nlmsg_len) < 0)
		return err_sys(err, errno, "cannot ask the kernel");
	return true;
}

bool netlink_ask(struct netlink *netlink, struct netlink_request *request, netlink_fn *fn,
		 void *ctx, struct err *err)
{
	for (int tries = 0; tries < DUMPS_MAX; tries++) {
		struct answer answer = { .fn = fn, .ctx = ctx };

		if (fn)
			fn(ctx, NULL);
		if (!send_request(netlink, request, err) || !read_answer(netlink, &answer, err))
			return false;
		if (!answer.disturbed)
			return true;
	}
	return err_set(err, ERR_GENERAL, "the kernel's tables change too fast to be read");
}

bool netlink_join(struct netlink *netlink, int group, struct err *err)
{
	if (mnl_socket_setsockopt(netlink->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
	    0)
		return err_sys(err, errno, "cannot watch the kernel's events");
	return true;
}

static void tell_events(const struct netlink *netlink, size_t len, netlink_fn *fn, void *ctx)
{
	const struct nlmsghdr *message = (const void *)netlink->answer;
	int rest = (int)len;

	for (; mnl_nlmsg_ok(message, rest); message = mnl_nlmsg_next(message, &rest)) {
		const struct netlink_message told = {
			.type = message->nlmsg_type,
			.payload = span_make(mnl_nlmsg_get_payload(message),
					     mnl_nlmsg_get_payload_len(message)),
		};

		if (message->nlmsg_type >= NLMSG_MIN_TYPE)
			fn(ctx, &told);
	}
}

bool netlink_events(struct netlink *netlink, netlink_fn *fn, void *ctx, bool *ret_lost,
		    struct err *err)
{
	struct err why = { 0 };
	size_t len;

	*ret_lost = false;
	for (;;) {
		if (receive(netlink, MSG_DONTWAIT, &len, &why))
			tell_events(netlink, len, fn, ctx);
		else if (why.sys == ENOBUFS)
			*ret_lost = true;
		else
			break;
	}
	if (why.sys == EAGAIN)
		return true;
	*err = why;
	return false;
}

void netlink_parse(struct span bytes, struct netlink_attrs *ret)
{
	*ret = (struct netlink_attrs){ 0 };
	while (bytes.len <= INT32_MAX && mnl_attr_ok((const void *)bytes.ptr, (int)bytes.len)) {
		const struct nlattr *attr = (const void *)bytes.ptr;
		size_t whole = NLMSG_ALIGN((size_t)attr->nla_len);
		uint16_t type = mnl_attr_get_type(attr);

		if (type < NETLINK_ATTRS)
			ret->of[type] = span_make(mnl_attr_get_payload(attr),
						  mnl_attr_get_payload_len(attr));
		bytes = span_from(bytes, whole < bytes.len ? whole : bytes.len);
	}
}

bool netlink_u8(const struct netlink_attrs *attrs, uint16_t type, uint8_t *ret)
{
	if (!attrs->of[type].ptr || attrs->of[type].len != sizeof(*ret))
		return false;
	memcpy(ret, attrs->of[type].ptr, sizeof(*ret));
	return true;
}

bool netlink_u32(const struct netlink_attrs *attrs, uint16_t type, uint32_t *ret)
{
	if (!attrs->of[type].ptr || attrs->of[type].len != sizeof(*ret))
		return false;
	memcpy(ret, attrs->of[type].ptr, sizeof(*ret));
	return true;
}

bool netlink_be32(const struct netlink_attrs *attrs, uint16_t type, uint32_t *ret)
{
	uint32_t value;

	if (!netlink_u32(attrs, type, &value))
		return false;
	*ret = ntohl(value);
	return true;
}

void netlink_text(const struct netlink_attrs *attrs, uint16_t type, char *ret, size_t size)
{
	struct span text = attrs->of[type];

	memset(ret, 0, size);
	if (text.ptr && text.len > 0 && text.ptr[text.len - 1] == '\0')
		text.len--;
	if (text.ptr && text.len > 0 && text.len < size && !memchr(text.ptr, '\0', text.len))
		memcpy(ret, text.ptr, text.len);
}
