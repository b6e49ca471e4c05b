/* SPDX-License-Identifier: Apache-2.0 */
/* How dates and sizes are written, for people and in JSON. cli.md 1.12. */
#ifndef TART_CMD_NOTATION_H
#define TART_CMD_NOTATION_H

#include <stdint.h>
#include <time.h>

#include "base/str.h"

/* "3 hours ago", "in 0 seconds": the largest unit that fits, truncated. Months and years are the calendar's. */
void date_add_relative(struct str *out, time_t when, time_t now);
void date_add_iso(struct str *out, time_t when);

/* "999 bytes", "1 KB", "512 MB", "1.24 GB": powers of 1000, at most 1 decimal for MB and 2 from GB on. */
void size_add_human(struct str *out, uint64_t bytes);

#endif
