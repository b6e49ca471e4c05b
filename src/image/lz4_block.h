/* SPDX-License-Identifier: Apache-2.0 */
/* What liblz4 does not check of an LZ4 block. */
#ifndef TART_IMAGE_LZ4_BLOCK_H
#define TART_IMAGE_LZ4_BLOCK_H

#include <stdbool.h>

#include "base/span.h"

/* Whether no match of a block that liblz4 has decoded has offset 0, which means nothing: liblz4 1.9 takes it for zeros. */
bool lz4_block_offsets_are_valid(struct span block);

#endif
