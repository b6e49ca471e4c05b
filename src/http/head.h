/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Status and headers of an answer, line by line as they arrive. Interim answers (1xx) are skipped, trailers ignored.
 * Pure; the lines are from a server and not trusted.
 */
#ifndef TART_HTTP_HEAD_H
#define TART_HTTP_HEAD_H

#include "base/err.h"
#include "base/span.h"
#include "base/vec.h"

struct head_field {
	char *name;
	char *value;
};

struct head {
	int status; /* 100 to 999, 0 before the status line */
	bool is_complete;
	VEC(struct head_field) fields;
	size_t bytes; /* of all lines so far, those of skipped answers and trailers too */
};

/* The next line with its line end. ERR_GENERAL for more than HTTP_HEADERS_MAX bytes, ERR_TRANSPORT for what is no HTTP. */
bool head_add_line(struct head *head, struct span line, struct err *err);

/* The nth header of that name, in any case; NULL when there is none. */
const char *head_find(const struct head *head, const char *name, size_t nth);

void head_done(struct head *head);

#endif
