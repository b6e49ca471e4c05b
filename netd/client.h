/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to the keeper. Every caller is taken for hostile: he is told by the kernel (SO_PEERCRED), has a share
 * (accounts.h), asks one thing at a time, and is cut off, without a word or with one line, when he sends what is no request,
 * passes descriptors, or does not take his answers. Who asks too fast waits.
 *
 * The end of a connection is the end of its NICs.
 */
#ifndef TART_NETD_CLIENT_H
#define TART_NETD_CLIENT_H

#include "netd/keeper.h"

#define CLIENT_IDLE_MS 300000 /* without a NIC and without a word */
#define CLIENT_TAKE_MS 30000  /* to take what was sent to it */
#define CLIENT_PAUSE_MS \
	200 /* until connections are taken again, when there was no descriptor left */
/*
 * After the forwarder has ended, for another one to come. Then the process that would have started one has ended, too, and
 * with it the way out of these namespaces may have: VMs are let go, so that their tart comes back and starts it (its NIC
 * waits for it, as after the death of a keeper); without VMs the loop is stopped.
 */
#define CLIENT_ALONE_MS 2000

struct clients;

struct clients_options {
	struct loop *loop;
	struct keeper *keeper;
	const struct settings *settings;
	struct log *log;
	int listen_fd;        /* borrowed */
	uint64_t linger_ms;   /* without connection and NIC: then the loop is stopped; 0 = never */
	bool needs_forwarder; /* who has had one is nobody without: see CLIENT_ALONE_MS */
};

bool clients_new(const struct clients_options *options, struct clients **ret, struct err *err);

/* Ends all connections, but not their NICs. Accepts NULL. Before keeper_free(). */
void clients_free(struct clients *clients);

/* For keeper_parts.changed. Accepts NULL. */
void clients_on_change(struct clients *clients);

#endif
