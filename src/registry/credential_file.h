/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords in a file of our own: cli.md 1.13.
 *
 *	${XDG_CONFIG_HOME:-~/.config}/tart/auth.json	{"auths":{"HOST":{"auth":"<Base64 of user:password>"}}}
 *
 * Mode 0600 in a folder of mode 0700. Changes replace the file at once, under a lock (auth.lock beside it); members that
 * we do not know stay. As ssh treats its keys: a file that others can read or change is not used, and that is said. The
 * next change makes it private again.
 */
#ifndef TART_REGISTRY_CREDENTIAL_FILE_H
#define TART_REGISTRY_CREDENTIAL_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "registry/credentials.h"

#define CREDENTIAL_FILE_MAX ((size_t)1 << 20)

/* Absence of the file is no error. */
bool credential_file_find(const char *host, struct credentials *ret, bool *ret_found,
			  struct err *err);
bool credential_file_store(const char *host, const struct credentials *credentials,
			   struct err *err);
bool credential_file_erase(const char *host, struct err *err);

/* The file's path as a user would type it, "~/.config/tart/auth.json". Owned. */
char *credential_file_shown_path(void);

#endif
