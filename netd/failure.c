/* SPDX-License-Identifier: Apache-2.0 */
/* Refusing a request. */
#include "netd/failure.h"

#include <stdarg.h>
#include <stdio.h>

void refuse_(struct netd_failure *failure, enum netd_error code, const char *fmt, ...)
{
	va_list ap;

	failure->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(failure->text, sizeof(failure->text), fmt, ap);
	va_end(ap);
}
