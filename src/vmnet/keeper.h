/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking to the keeper (tart-netd): finding the one that is responsible, starting one where that is ours to do, asking it.
 * Requests block, at most as long as the keeper's timeout_ms says, and end early on cancellation. Source: network.md 1, 4, 8.
 *
 *	system		/run/tart/netd.sock, by systemd, or started by a `tart run` of root
 *	rootless	$TART_HOME/net/netd.sock, under pasta in namespaces of this user, started by his first VM
 */
#ifndef TART_VMNET_KEEPER_H
#define TART_VMNET_KEEPER_H

#include "base/child.h"
#include "base/err.h"
#include "base/sock.h"
#include "proto/netd.h"
#include "storage/home.h"

#define KEEPER_TIMEOUT_MS   30000
#define KEEPER_ROOTLESS_DIR "net" /* below the home: the rootless keeper's everything */

enum keeper_kind { KEEPER_SYSTEM, KEEPER_ROOTLESS };

/* TART_NETWORK_BACKEND: which ways to the network to try. */
enum keeper_wish { KEEPER_AUTO, KEEPER_ONLY_SYSTEM, KEEPER_ONLY_ROOTLESS, KEEPER_NONE };
bool keeper_wish_from_env(const char *value, enum keeper_wish *ret, struct err *err);

struct keeper {
	int fd; /* -1 = none */
	enum keeper_kind kind;
	int timeout_ms; /* of one request */
};
#define KEEPER_INIT                                        \
	{                                                  \
		.fd = -1, .timeout_ms = KEEPER_TIMEOUT_MS, \
	}
void keeper_close(struct keeper *keeper); /* makes it KEEPER_INIT again; fits CLEANUP() */

/* Connects to one that runs (or that systemd starts): system first, then rootless. *ret_found false: none is there, and
 * *err says what was tried, for those who need one. */
bool keeper_connect(const struct home *home, enum keeper_wish wish, struct keeper *ret,
		    bool *ret_found, struct err *err);

/*
 * The same, starting one if none is there, and making sure that it answers: as root the system's; else rootless. What
 * cannot work here is an error that says why in one line and names the remedy. ERR_GENERAL, ERR_CANCELLED.
 */
bool keeper_start(const struct home *home, enum keeper_wish wish, struct keeper *ret,
		  struct err *err);

/*
 * For event loops: starts to start one, where that is ours to do. *ret is a program that ends with exit code 0 as soon as a
 * keeper of this kind can be connected to. The keeper itself is detached from it and from us.
 */
bool keeper_may_start(enum keeper_kind kind);
bool keeper_spawn(const struct home *home, enum keeper_kind kind, struct child *ret,
		  struct err *err);

/*
 * One request, one answer. NETD_R_ERROR is an error here: *ret_code (may be NULL) has its code, 0 when it is not the
 * keeper's word. Descriptors go to ret_fds (owned), unused ones are -1; NULL when none are expected. ERR_TRANSPORT: the
 * connection has ended, or nothing came in time (sys is ETIMEDOUT then).
 */
bool keeper_ask(const struct keeper *keeper, const struct str *request, enum netd_type expected,
		struct netd_message *ret, int ret_fds[NETD_FDS_MAX], enum netd_error *ret_code,
		struct err *err);

/* The two halves of it, for event loops, neither of which waits: SOCK_LATER when there is no answer yet. */
enum sock_result keeper_send(const struct keeper *keeper, const struct str *request,
			     struct err *err);
enum sock_result keeper_receive(const struct keeper *keeper, struct netd_message *ret,
				int ret_fds[NETD_FDS_MAX], struct err *err);

/* All the caller's NICs with this MAC address, page by page (NULL: all). */
bool keeper_list(const struct keeper *keeper, const struct mac *mac, struct netd_list *ret,
		 struct err *err);

#endif
