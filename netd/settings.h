/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network.conf as the keeper has it, read again when the file has changed, and who may talk to the keeper by it.
 *
 * Users and groups are looked up by the system's own way (NSS) only until settings_seal(); after that, when the process has
 * put itself behind a filter, in /etc/passwd and /etc/group.
 */
#ifndef TART_NETD_SETTINGS_H
#define TART_NETD_SETTINGS_H

#include <sys/stat.h>

#include "net/network_conf.h"

struct settings {
	const char *path; /* borrowed */
	bool loaded;
	struct stat as_of; /* of the file that `conf` is from; st_ino 0: there was none */
	struct network_conf conf;
	bool sealed;
	VEC(uint32_t) uids; /* of `users` */
	VEC(uint32_t) gids;
};

/* Nothing is read yet. */
void settings_init(struct settings *settings, const char *path);
void settings_done(struct settings *settings);

bool settings_have_changed(const struct settings *settings);

/* Reads and checks the file, which need not be there, into `ret`; what `settings` have stays. */
bool settings_read(const struct settings *settings, struct settings *ret, struct err *err);

/* Puts what was read in their place, and empties it. */
void settings_replace(struct settings *settings, struct settings *by);

void settings_seal(struct settings *settings);

/* Who is at the other end of a Unix socket, and whether he may talk to us: root, our own user, `users`. */
struct caller {
	uint32_t uid;
	bool is_admin; /* root or our own user: sees and may change everything */
	bool is_allowed;
};
bool settings_judge(const struct settings *settings, int fd, struct caller *ret, struct err *err);

#endif
