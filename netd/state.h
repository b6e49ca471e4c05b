/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's folders and files, and the lock that says who the keeper is. network.md 4.
 *
 *	system				--dir DIR		mode
 *	/run/tart/			DIR/			netd.sock is here
 *	/run/tart/net/			DIR/net/		0700
 *	  keeper.lock						flock: held while a keeper lives
 *	  keeper.log
 *	  subnet						the subnet in use, until reboot
 *	  up							there, while tart0 and the rules are
 *	  vms/<tap>.json					0600, a running VM's NIC each
 *	/var/lib/tart/			DIR/			addresses is here
 *	/etc/tart/network.conf		DIR/network.conf
 *
 * What is read back is checked like a request: a file that is not right is removed and reported.
 */
#ifndef TART_NETD_STATE_H
#define TART_NETD_STATE_H

#include "base/lock.h"
#include "netd/nic.h"

struct state {
	int runtime_fd; /* where the socket is */
	int net_fd;
	int vms_fd;
	int addresses_fd;
	int lock_fd;
	char *runtime_path; /* absolute */
	char *conf_path;
	char boot_id[40]; /* of the kernel: what belongs to this boot */
};
#define STATE_INIT                                                                              \
	{                                                                                       \
		.runtime_fd = -1, .net_fd = -1, .vms_fd = -1, .addresses_fd = -1, .lock_fd = -1 \
	}

/* Makes the folders. `dir` NULL: the system's. */
bool state_open(const char *dir, struct state *ret, struct err *err);
void state_close(struct state *state); /* fits CLEANUP() */

/* LOCK_BUSY: there is a keeper already. Held until state_close() or the end of the process. */
enum lock_result state_lock(struct state *state, struct err *err);

/* The folders, what is below net/, and the addresses file, belong to this user from now on: what the keeper will be. */
bool state_give(const struct state *state, uid_t uid, gid_t gid, struct err *err);

bool state_save_nic(const struct state *state, const struct nic *nic, struct err *err);
void state_forget_nic(const struct state *state, const char *tap);

typedef VEC(struct nic) nic_list;
void nic_list_done(nic_list *list);

/* All that were saved. What is no NIC is removed; a line for each goes to `log`. */
bool state_load_nics(const struct state *state, nic_list *ret, struct str *log, struct err *err);

/* The subnet in use, since this host has booted; *ret_chosen: `auto` has chosen it. False when there is none. */
bool state_load_subnet(const struct state *state, struct subnet *ret, bool *ret_chosen);
bool state_save_subnet(const struct state *state, const struct subnet *subnet, bool chosen,
		       struct err *err);
bool saved_subnet_parse(struct span text, const char *boot_id, struct subnet *ret,
			bool *ret_chosen);

/* A mark that the host's network is up: one that a keeper has left without taking it down is the next one's to clear. */
void state_mark_up(const struct state *state, bool is_up);
bool state_is_marked_up(const struct state *state);

#endif
