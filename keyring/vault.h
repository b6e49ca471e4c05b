/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords in the desktop's secret service (freedesktop.org Secret Service API), by libsecret; the only file that
 * knows it.
 *
 * An item is labelled "Tart Credentials" and has the attributes application ("tart"), server (the host) and user. There is at most one for a
 * host after vault_store(). Functions print the reason, one line, when they return KEYRING_EXIT_FAILED.
 */
#ifndef TART_KEYRING_VAULT_H
#define TART_KEYRING_VAULT_H

#include "proto/keyring.h"

struct vault_secret {
	char *user;
	char *password;
};

void vault_secret_done(struct vault_secret *secret); /* overwrites it */

/* LOCKED: it holds one for this host, locked away. FAILED with KEYRING_NOT_FOUND_TEXT: it holds none. */
enum keyring_exit vault_get(const char *host, struct vault_secret *ret);

/* Into the default collection, which is not made and not unlocked for it. */
enum keyring_exit vault_store(const char *host, const char *user, const char *password);

/* LOCKED: some are left, locked away. None there is KEYRING_NOT_FOUND_TEXT. */
enum keyring_exit vault_erase(const char *host);

#endif
