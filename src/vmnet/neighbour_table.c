/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the kernel for its neighbours. */
#include "vmnet/neighbour_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define PACKET_MAX ((size_t)64 * 1024) /* the kernel's are at most 32 KiB */

/* The next length-headed item of *rest, whose length is `len` with padding to four bytes behind it. */
static bool cut(struct span *rest, size_t len, size_t head, struct span *ret)
{
	size_t padded;

	if (len < head || len > rest->len)
		return false;
	padded = (len + 3) & ~(size_t)3;
	*ret = span_make(rest->ptr + head, len - head);
	*rest = span_from(*rest, padded < rest->len ? padded : rest->len);
	return true;
}

static bool next_attribute(struct span *rest, struct rtattr *ret_head, struct span *ret)
{
	if (rest->len < sizeof(*ret_head))
		return false;
	memcpy(ret_head, rest->ptr, sizeof(*ret_head));
	return cut(rest, ret_head->rta_len, RTA_LENGTH(0), ret);
}

static bool counts(const struct ndmsg *entry)
{
	const unsigned int dead = NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP;

	return entry->ndm_family == AF_INET && entry->ndm_state != NUD_NONE &&
	       !(entry->ndm_state & dead);
}

static bool is_better(const struct neighbour *a, const struct neighbour *b)
{
	if (b->address == 0)
		return true;
	if (a->certain != b->certain)
		return a->certain;
	return a->age < b->age;
}

static void read_entry(struct span body, const struct mac *mac, struct neighbour *best)
{
	struct neighbour found = { .age = UINT32_MAX };
	struct nda_cacheinfo info;
	struct ndmsg entry;
	struct rtattr head;
	struct span value;
	bool is_it = false;

	if (body.len < sizeof(entry))
		return;
	memcpy(&entry, body.ptr, sizeof(entry));
	body = span_from(body, sizeof(entry));
	while (next_attribute(&body, &head, &value)) {
		if (head.rta_type == NDA_DST && value.len == sizeof(found.address)) {
			memcpy(&found.address, value.ptr, sizeof(found.address));
			found.address = ntohl(found.address);
		} else if (head.rta_type == NDA_LLADDR && value.len == sizeof(mac->octets)) {
			is_it = memcmp(value.ptr, mac->octets, sizeof(mac->octets)) == 0;
		} else if (head.rta_type == NDA_CACHEINFO && value.len >= sizeof(info)) {
			memcpy(&info, value.ptr, sizeof(info));
			found.age = info.ndm_confirmed;
		}
	}
	found.certain = (entry.ndm_state & (NUD_REACHABLE | NUD_PERMANENT)) != 0;
	if (counts(&entry) && is_it && found.address != 0 && is_better(&found, best))
		*best = found;
}

enum neighbour_table_part neighbour_table_read(struct span packet, const struct mac *mac,
					       struct neighbour *best)
{
	struct nlmsghdr head;
	struct span body;

	while (packet.len >= sizeof(head)) {
		memcpy(&head, packet.ptr, sizeof(head));
		if (!cut(&packet, head.nlmsg_len, NLMSG_HDRLEN, &body) ||
		    head.nlmsg_type == NLMSG_ERROR)
			return NEIGHBOUR_TABLE_BROKEN;
		if (head.nlmsg_type == NLMSG_DONE)
			return NEIGHBOUR_TABLE_END;
		if (head.nlmsg_type == RTM_NEWNEIGH)
			read_entry(body, mac, best);
	}
	return NEIGHBOUR_TABLE_MORE;
}

static bool request(int fd, struct err *err)
{
	const struct {
		struct nlmsghdr head;
		struct ndmsg body;
	} message = {
		.head = { .nlmsg_len = sizeof(message),
			  .nlmsg_type = RTM_GETNEIGH,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .ndm_family = AF_INET },
	};

	return send(fd, &message, sizeof(message), 0) == (ssize_t)sizeof(message) ||
	       err_sys(err, errno, "cannot ask the kernel for its neighbours");
}

bool neighbour_table_find(const struct mac *mac, ipv4 *ret_address, struct err *err)
{
	CLEANUP_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	CLEANUP_FREE char *packet = xcalloc(1, PACKET_MAX);
	enum neighbour_table_part part = NEIGHBOUR_TABLE_MORE;
	struct neighbour best = { 0 };

	if (fd < 0)
		return err_sys(err, errno, "cannot ask the kernel for its neighbours");
	if (!request(fd, err))
		return false;
	while (part == NEIGHBOUR_TABLE_MORE) {
		ssize_t n = recv(fd, packet, PACKET_MAX, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EPIPE,
				       "cannot read the kernel's neighbours");
		part = neighbour_table_read(span_make(packet, (size_t)n), mac, &best);
	}
	if (part == NEIGHBOUR_TABLE_BROKEN)
		return err_set(err, ERR_GENERAL, "cannot read the kernel's neighbours");
	*ret_address = best.address;
	return true;
}
