/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts by pattern: POSIX extended regular expressions, bounded. Pure.
 *
 * Patterns come from a file that other programs write. The C library's matcher needs exponential time, or memory, for back
 * references, for repetitions of what may be empty ("(a*)*"), and for what repetitions of repetitions make of a short
 * text; so these are found before it sees them, and count as patterns that do not compile.
 */
#ifndef TART_REGISTRY_HOST_PATTERN_H
#define TART_REGISTRY_HOST_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define HOST_PATTERN_MAX 512 /* bytes of a pattern, and of a host */
#define HOST_PATTERN_COST_MAX \
	2048 /* characters, classes and groups, every {N,M} written out M times, X+ as XX* */

/* Whether the pattern matches all of the host. A pattern that is none, or would cost too much, matches nothing. */
bool host_pattern_matches(const char *pattern, const char *host);

/* The cost as above; false when it is more, or the pattern is one of those. */
bool host_pattern_cost(struct span pattern, uint64_t *ret);

#endif
