/* SPDX-License-Identifier: Apache-2.0 */
/* Status lines from within transfers, and the progress of many threads. */
#ifndef TART_REGISTRY_NOTICE_H
#define TART_REGISTRY_NOTICE_H

#include "base/attrs.h"

/* Takes one line without its newline; called by any thread. Foreign text in it is not escaped. */
struct notice {
	void (*tell)(void *ctx, const char *line);
	void *ctx;
};

/* `notice` may be NULL. */
void notice_tell(const struct notice *notice, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
