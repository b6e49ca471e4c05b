/* SPDX-License-Identifier: Apache-2.0 */
/* How dates are written, for people and in JSON. cli.md 1.12. */
#ifndef TART_CMD_NOTATION_H
#define TART_CMD_NOTATION_H

#include <time.h>

#include "base/str.h"

/* "3 hours ago", "in 0 seconds": the largest unit that fits, truncated. Months and years are the calendar's. */
void date_add_relative(struct str *out, time_t when, time_t now);
void date_add_iso(struct str *out, time_t when);

#endif
