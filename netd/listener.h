/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket on which callers come in: one that systemd has made (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS), or our own.
 * Ours: 0660 root:tart where the group exists, 0666 where `users` of network.conf names others (each is judged by who he is,
 * settings.h), else 0600.
 */
#ifndef TART_NETD_LISTENER_H
#define TART_NETD_LISTENER_H

#include "netd/settings.h"
#include "netd/state.h"

#define LISTENER_FIRST_FD 3 /* SD_LISTEN_FDS_START */

struct listener {
	int fd;
	bool is_ours; /* its name is ours to remove */
};

/* How many descriptors were passed to this process; before the environment is touched. */
int listener_n_passed(void);

bool listener_open(const struct state *state, const struct settings *settings, bool is_system,
		   struct listener *ret, struct err *err);
void listener_close(struct listener *listener, const struct state *state); /* and its name */

#endif
