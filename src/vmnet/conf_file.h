/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network.conf that this user's networks are made from: /etc/tart/network.conf for root and for who has a system's keeper,
 * else $TART_HOME/network.conf. Source: network.md 3.
 *
 * A change happens at once or not at all: the new text is written aside, read by the parser and by the keeper's program, which
 * looks at this host, and renamed. A keeper that runs is told; what it refuses is put back. Who changes waits for others who do.
 */
#ifndef TART_VMNET_CONF_FILE_H
#define TART_VMNET_CONF_FILE_H

#include "base/str.h"
#include "net/network_conf.h"
#include "vmnet/keeper.h"

struct conf_file {
	enum keeper_kind kind;
	char *path; /* owned, absolute */
};

void conf_file_find(const struct home *home, enum keeper_wish wish, struct conf_file *ret);
void conf_file_done(struct conf_file *file); /* fits CLEANUP() */

/* Its text; nothing when there is no such file. */
bool conf_file_read(const struct conf_file *file, struct str *out, struct err *err);

/* Whether the file can be read, makes sense and fits this host, as its keeper's program says. ERR_GENERAL. */
bool conf_file_check(const struct conf_file *file, struct err *err);

/* The number of the line that sets the key, 0 when none does. */
size_t conf_file_line(struct span text, const char *key);

/*
 * Sets a key, or resets it (value NULL). ERR_GENERAL naming key, value and reason: for the system's file, that we are not
 * root; a value that network_conf_parse(), this host, or the keeper refuses; another subnet while VMs run, with their names.
 * *notice (appended to) gets a line about what a keeper that runs has not made of it yet.
 */
bool conf_file_change(const struct home *home, const struct conf_file *file, const char *key,
		      const char *value, struct str *notice, struct err *err);

#endif
