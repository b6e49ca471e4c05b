/* SPDX-License-Identifier: Apache-2.0 */
/* Refusing a request: a code and one line for the user. As base/err.h: the calls end in `false`. */
#ifndef TART_NETD_FAILURE_H
#define TART_NETD_FAILURE_H

#include "proto/netd.h"

/* What is too long is cut off. */
#define refuse(failure, code, ...) (refuse_((failure), (code), __VA_ARGS__), false)

/* With the text of an error. */
#define refuse_err(failure, code, err) refuse((failure), (code), "%s", (err)->text)

void refuse_(struct netd_failure *failure, enum netd_error code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif
