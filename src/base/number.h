/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers from outside: digits only, the whole text, within a range. */
#ifndef TART_BASE_NUMBER_H
#define TART_BASE_NUMBER_H

#include <stdint.h>

#include "base/span.h"

/* True when `text` is one or more ASCII digits whose value is at most `max`. */
bool number_parse_u64(struct span text, uint64_t max, uint64_t *ret);

#endif
