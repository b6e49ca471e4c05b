/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper without privileges, network.md 8: pasta makes a user and a network namespace with a way out, in which an
 * ordinary keeper runs and is root; this process stays outside, and ends with the keeper.
 *
 *	tart-netd --rootless DIR	starts the others, again where they end before the keeper
 *	  pasta				the way out
 *	    tart-netd --dir DIR		the keeper; lives on without pasta, and without us for as long as it has VMs
 *	  tart-netd --forwarder DIR	joins who connects to a loopback alias with the guest; dies with us
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
