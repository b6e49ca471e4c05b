/* SPDX-License-Identifier: Apache-2.0 */
/* nvram.bin for images that come without: those of Vetu and containerDisks. */
#ifndef TART_CMD_FRESH_NVRAM_H
#define TART_CMD_FRESH_NVRAM_H

#include "base/err.h"
#include "storage/config.h"

/* Fits pull_request.make_nvram. A host without firmware for this architecture can pull the image all the same: it gets a
 * placeholder, beside which `run` makes variables of its own as for any store that it does not know. */
bool fresh_nvram(void *ctx, int bundle_fd, enum guest_arch arch, struct err *err);

#endif
