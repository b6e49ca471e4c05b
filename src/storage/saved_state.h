/* SPDX-License-Identifier: Apache-2.0 */
/* state.vzvmsave of a bundle: whose it is. */
#ifndef TART_STORAGE_SAVED_STATE_H
#define TART_STORAGE_SAVED_STATE_H

#include <stdbool.h>

/* A state saved by this program begins with this; anything else was saved on a Mac. */
#define SAVED_STATE_MAGIC "TARTSAVE"

/* False also when there is none. */
bool saved_state_is_ours(int bundle_fd);

#endif
