/* SPDX-License-Identifier: Apache-2.0 */
/* Saying that we wait. */
#include "cmd/wait_notice.h"

#include "cmd/print.h"

static void tell(void *ctx)
{
	(void)ctx;
	print_line("waiting for lock...");
}

const struct wait_notice wait_notice_line = { .tell = tell };
