/* SPDX-License-Identifier: Apache-2.0 */
/* What a process that the keeper or its starter has forked does first: it is to have nothing of its parent's. */
#ifndef TART_NETD_FORKED_H
#define TART_NETD_FORKED_H

#include "base/err.h"

void forked_keep_only(int fd); /* and standard input, output and error */
void forked_default_signals(void);

/* What the keeper's caller gave it as stdin and stdout is not to be held by processes that live as long as it does. */
bool forked_forget_terminal(struct err *err);

#endif
