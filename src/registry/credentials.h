/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User name and password for a registry: cli.md 1.13, image-format.md 9.2.
 *
 * Providers, the first that has something wins: environment, Docker configuration (with its helpers), our own file, the
 * desktop's secret service. A provider that fails is told about and the next is asked. Nothing here ever waits for a
 * person or longer than a few seconds for another program.
 *
 * The file comes before the secret service: a password is in both only when it was stored while the keyring was locked,
 * so the file's is the newer one; and a session without the desktop never has to ask for it.
 */
#ifndef TART_REGISTRY_CREDENTIALS_H
#define TART_REGISTRY_CREDENTIALS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "registry/notice.h"

#define CREDENTIALS_TOKEN_USER "<token>" /* the password is an identity token */

struct credentials {
	char *user;
	char *password;
};

void credentials_done(struct credentials *credentials); /* wipes them; fits CLEANUP() */

/* `host` is as typed, with its port. *ret_found = false when nobody has any. */
bool credentials_find(const char *host, const struct notice *notice, struct credentials *ret,
		      bool *ret_found, struct err *err);

/* Stores for `host`, and removes what is older elsewhere: with the helper that the Docker configuration names, which
 * has to succeed if it exists; else in the secret service, if it answers and is unlocked; else in our file. Told by `notice`:
 * in one line which place was taken, why not a better one and what to do, unless it is the one to be expected; in another
 * that a password of the Docker configuration itself comes before it, where there is one. */
bool credentials_store(const char *host, const struct credentials *credentials,
		       const struct notice *notice, struct err *err);

/* Removes what credentials_store() may have stored, wherever; nothing there is no error. All places are tried before the
 * first that failed is told. */
bool credentials_erase(const char *host, const struct notice *notice, struct err *err);

/* "host" or "host:port": ERR_HOST otherwise, with the hint of cli.md 1.4. */
bool credentials_check_host(const char *host, struct err *err);

#endif
