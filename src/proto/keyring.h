/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between tart and tart-keyring: `tart-keyring get|store|erase`, in the protocol of Docker's credential helpers.
 *
 * stdin and stdout are theirs; 0 and 1 mean what they mean there, 1 with "credentials not found in native keychain" on
 * stdout that there is nothing. Other exit codes say why there can be no answer, and then nothing is printed.
 */
#ifndef TART_PROTO_KEYRING_H
#define TART_PROTO_KEYRING_H

#define KEYRING_PROGRAM        "tart-keyring"
#define KEYRING_NOT_FOUND_TEXT "credentials not found in native keychain"
#define KEYRING_INPUT_MAX      ((size_t)64 << 10)

enum keyring_exit {
	KEYRING_EXIT_DONE = 0,
	KEYRING_EXIT_FAILED = 1,
	KEYRING_EXIT_NO_BUS = 10,
	KEYRING_EXIT_NO_DAEMON = 11,
	KEYRING_EXIT_NO_COLLECTION = 12,
	KEYRING_EXIT_LOCKED = 13,
};

#endif
