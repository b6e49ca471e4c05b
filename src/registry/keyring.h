/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The desktop's secret service, asked through the program tart-keyring (keyring/): tart itself never loads D-Bus.
 *
 * tart-keyring speaks the protocol of credential helpers (credential_helper.h) and tells by its exit code why it has no
 * answer. It never starts a daemon, never shows a prompt, and is killed after KEYRING_MS.
 */
#ifndef TART_REGISTRY_KEYRING_H
#define TART_REGISTRY_KEYRING_H

#include <stdbool.h>

#include "base/err.h"
#include "proto/keyring.h"
#include "registry/credentials.h"

#define KEYRING_MS 5000

enum keyring_state {
	KEYRING_DONE,
	KEYRING_NOTHING, /* it works, and holds nothing for this host */
	KEYRING_ABSENT,  /* this tart came without tart-keyring */
	KEYRING_NO_BUS,
	KEYRING_NO_DAEMON,
	KEYRING_NO_COLLECTION, /* a daemon without a keyring, and making one needs a person */
	KEYRING_LOCKED,        /* get, erase: and it holds something for this host */
	KEYRING_FAILED,        /* *err is set: no answer in time, an error of the daemon */
};

enum keyring_state keyring_get(const char *host, struct credentials *ret, struct err *err);
enum keyring_state keyring_store(const char *host, const struct credentials *credentials,
				 struct err *err);
enum keyring_state keyring_erase(const char *host, struct err *err);

/* "the keyring is locked", for a sentence; NULL for states that are no obstacle, and KEYRING_FAILED. */
const char *keyring_state_text(enum keyring_state state);

#endif
