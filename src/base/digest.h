/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, by OpenSSL's libcrypto; the only file that knows it. */
#ifndef TART_BASE_DIGEST_H
#define TART_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define DIGEST_HEX_SIZE 65 /* 64 lower-case hex digits and a NUL */

/* A running SHA-256. digest_new() never returns NULL. */
struct digest;
struct digest *digest_new(void);
void digest_free(struct digest *d);
static inline void digest_cleanup(struct digest **slot)
{
	digest_free(*slot);
}

void digest_add(struct digest *d, const void *data, size_t len);

/* Ends the computation; the object may only be freed afterwards. */
void digest_finish(struct digest *d, char ret_hex[DIGEST_HEX_SIZE]);

void digest_of(struct span data, char ret_hex[DIGEST_HEX_SIZE]);

/* Hashes [offset, offset + len) of a file; a range past its end is an error. */
bool digest_of_range(int fd, uint64_t offset, uint64_t len, char ret_hex[DIGEST_HEX_SIZE],
		     struct err *err);

/* 64 lower-case hex digits, nothing else. */
bool digest_is_hex(struct span text);

#endif
