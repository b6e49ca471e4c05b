/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the kernel by netlink: requests of bounded size, answers and dumps as checked spans. The only file that knows libmnl
 * is links_netlink.c; what messages mean is their users' business.
 */
#ifndef TART_NETD_LINKS_NETLINK_H
#define TART_NETD_LINKS_NETLINK_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct netlink;

/* `bus`: NETLINK_ROUTE, NETLINK_NETFILTER, NETLINK_SOCK_DIAG. */
bool netlink_open(int bus, struct netlink **ret, struct err *err);
void netlink_close(struct netlink *netlink); /* accepts NULL */
int netlink_fd(const struct netlink *netlink);

/*
 * A request as it grows. What is put into it has sizes that we choose: too much for it is a programming error. `head` is
 * the family's own header (struct ifinfomsg and the like).
 */
#define NETLINK_REQUEST_MAX 1024
struct netlink_request {
	_Alignas(8) char bytes[NETLINK_REQUEST_MAX];
};
void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
		   struct span head);
void netlink_put(struct netlink_request *request, uint16_t type, struct span value);
void netlink_put_u8(struct netlink_request *request, uint16_t type, uint8_t value);
void netlink_put_u32(struct netlink_request *request, uint16_t type, uint32_t value);
void netlink_put_be32(struct netlink_request *request, uint16_t type, uint32_t value);
void netlink_put_text(struct netlink_request *request, uint16_t type, const char *text);
size_t netlink_nest(struct netlink_request *request, uint16_t type); /* for netlink_end() */
void netlink_end(struct netlink_request *request, size_t nest);

struct netlink_message {
	uint16_t type;
	struct span payload; /* the family's header and its attributes; 4-byte aligned */
};

/* Called for each answer. NULL comes first, and again when a dump has to start over because things changed meanwhile: what
 * was told so far does not count. */
typedef void netlink_fn(void *ctx, const struct netlink_message *message);

/*
 * Sends a request and reads to the end of its answer; fn may be NULL when only success counts. On refusal err->sys is the
 * kernel's errno, and the text its reason.
 */
bool netlink_ask(struct netlink *netlink, struct netlink_request *request, netlink_fn *fn,
		 void *ctx, struct err *err);

/* Events of a multicast group (RTNLGRP_LINK). netlink_events() reads what has arrived, without waiting for more;
 * *ret_lost: the kernel dropped some. */
bool netlink_join(struct netlink *netlink, int group, struct err *err);
bool netlink_events(struct netlink *netlink, netlink_fn *fn, void *ctx, bool *ret_lost,
		    struct err *err);

/* Attributes by type. A span's ptr is NULL when there is none; of repeated ones the last counts; types from NETLINK_ATTRS on
 * are left out. Stops silently at what is malformed. Pure. */
#define NETLINK_ATTRS 80
struct netlink_attrs {
	struct span of[NETLINK_ATTRS];
};
void netlink_parse(struct span bytes, struct netlink_attrs *ret);

/* False, and *ret untouched, unless the value is there and has just that size. */
bool netlink_u8(const struct netlink_attrs *attrs, uint16_t type, uint8_t *ret);
bool netlink_u32(const struct netlink_attrs *attrs, uint16_t type, uint32_t *ret);
bool netlink_be32(const struct netlink_attrs *attrs, uint16_t type, uint32_t *ret);
/* Text that fits `size` with its NUL; unless it does, *ret is "". */
void netlink_text(const struct netlink_attrs *attrs, uint16_t type, char *ret, size_t size);

/* The bytes of a plain struct. */
#define NETLINK_HEAD(object) span_make((const char *)&(object), sizeof(object))

#endif
