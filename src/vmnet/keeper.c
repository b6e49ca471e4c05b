/* SPDX-License-Identifier: Apache-2.0 */
/* Finding, starting and asking the keeper. */
#include "vmnet/keeper.h"

#include "base/fs.h"

void keeper_close(struct keeper *keeper)
{
	cleanup_close(&keeper->fd);
}
