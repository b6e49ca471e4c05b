/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes from the kernel, and names made of them. */
#ifndef TART_BASE_RANDOM_H
#define TART_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Never fails: a kernel without getrandom(2) ends the process. */
void random_bytes(void *out, size_t len);

/* Uniform in 0 … bound - 1; bound > 0. */
uint32_t random_below(uint32_t bound);

/* A version 4 UUID (RFC 4122), lower case, with its NUL. */
#define RANDOM_UUID_SIZE 37
void random_uuid(char out[RANDOM_UUID_SIZE]);

#endif
