/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper without privileges, network.md 8: pasta makes a user and a network namespace with a way out, in which an
 * ordinary keeper runs and is root; this process stays outside as the forwarder and ends with the keeper.
 *
 *	tart-netd --rootless DIR	the forwarder, in the host's namespaces
 *	  pasta				the way out; dies with the forwarder
 *	    tart-netd --dir DIR		the keeper; ends when pasta has gone
 */
#ifndef TART_NETD_ROOTLESS_H
#define TART_NETD_ROOTLESS_H

#include "base/err.h"

struct rootless_options {
	const char *dir;    /* absolute; exists */
	const char *conf;   /* network.conf, NULL: the keeper's own choice */
	const char *linger; /* as the keeper's option, NULL: its default */
};

/* Whether this user on this host can: false with one line that says what is in the way and what helps. */
bool rootless_check(const char *path_env, struct err *err);

/* Until the keeper has ended. False: it could not be started, or ended badly. */
bool rootless_main(const struct rootless_options *options, struct err *err);

#endif
