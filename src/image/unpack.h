/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a compressed file, as layers of container images come: gzip (also of several members) or zstd, or plain. */
#ifndef TART_IMAGE_UNPACK_H
#define TART_IMAGE_UNPACK_H

#include "image/bytes.h"

enum unpack_codec { UNPACK_PLAIN, UNPACK_GZIP, UNPACK_ZSTD };

/* Reads fd (borrowed) in sequence from where it is. Memory does not depend on the file. */
struct unpacker;
struct unpacker *unpacker_new(int fd, enum unpack_codec codec);
void unpacker_free(struct unpacker *unpacker);
static inline void unpacker_cleanup(struct unpacker **slot)
{
	unpacker_free(*slot);
}
struct byte_source unpacker_source(struct unpacker *unpacker);

#endif
