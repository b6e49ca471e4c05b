/* SPDX-License-Identifier: Apache-2.0 */
/* How numbers of bytes are written for people: cli.md 1.12. */
#ifndef TART_BASE_SIZE_H
#define TART_BASE_SIZE_H

#include <stdint.h>

#include "base/str.h"

/* "999 bytes", "1 KB", "512 MB", "1.24 GB": powers of 1000, at most 1 decimal for MB and 2 from GB on. */
void size_add_human(struct str *out, uint64_t bytes);

#endif
