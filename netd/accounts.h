/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each user of the keeper has and how fast he asks, so that nobody takes it from others: connections, those without a
 * VM, NICs, requests. Pure. Root is counted, but limited by what all together may have only.
 */
#ifndef TART_NETD_ACCOUNTS_H
#define TART_NETD_ACCOUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "netd/bucket.h"

#define ACCOUNTS_CONNECTIONS 4096 /* of all users; each costs a descriptor */
#define ACCOUNTS_IDLE_MAX    64   /* of one user, without a VM: commands that ask */
#define ACCOUNTS_USER_MAX    1024 /* of one user, all */
#define ACCOUNTS_NICS        2048 /* of all users; a /21 */
#define ACCOUNTS_NICS_MAX    1024 /* of one user */
#define ACCOUNTS_BURST       2000 /* tokens; a request costs between 1 and 20 */
#define ACCOUNTS_PER_S       500

struct account {
	uint32_t uid;
	size_t n_connections; /* with or without a VM */
	size_t n_busy;        /* those with one */
	size_t n_nics;
	struct bucket bucket;
};

struct accounts {
	VEC(struct account) all;
	size_t n_connections, n_nics;
};

void accounts_done(struct accounts *accounts);

/* False when he has too many; else the connection is counted. */
bool accounts_connect(struct accounts *accounts, uint32_t uid, uint64_t now_ms);
void accounts_disconnect(struct accounts *accounts, uint32_t uid, bool was_busy);
void accounts_set_busy(struct accounts *accounts, uint32_t uid, bool busy);

bool accounts_add_nic(struct accounts *accounts, uint32_t uid);
void accounts_remove_nic(struct accounts *accounts, uint32_t uid);

/* 0: the request may be done now, and its cost is paid. Else how many milliseconds to wait before asking again. */
uint64_t accounts_pay(struct accounts *accounts, uint32_t uid, unsigned cost, uint64_t now_ms);

#endif
