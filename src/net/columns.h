/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a line, between any number of blanks. For the text tables of other programs. */
#ifndef TART_NET_COLUMNS_H
#define TART_NET_COLUMNS_H

#include "base/span.h"

static inline bool columns_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Sets up to `max` words and returns how many there are, more than `max` not counted. Those that are not there are empty. */
static inline size_t columns_split(struct span line, struct span *ret, size_t max)
{
	size_t n = 0;
	size_t i = 0;

	memset(ret, 0, max * sizeof(*ret));
	while (n < max) {
		size_t start;

		while (i < line.len && columns_is_blank(line.ptr[i]))
			i++;
		start = i;
		while (i < line.len && !columns_is_blank(line.ptr[i]))
			i++;
		if (i == start)
			break;
		ret[n++] = span_make(line.ptr + start, i - start);
	}
	return n;
}

#endif
