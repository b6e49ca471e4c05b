/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs of a repository: fetched in sequence and verified, or sent. image-format.md 7 and 8.
 *
 * A fetch survives broken connections by asking for the rest with a Range; every byte is hashed once and handed on once.
 * The blob has been right only when blob_fetch() returns true: before, its bytes are somebody's claim.
 */
#ifndef TART_REGISTRY_BLOB_H
#define TART_REGISTRY_BLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "image/bytes.h"
#include "registry/session.h"

#define BLOB_READ_BYTES ((size_t)64 * 1024)

/* A connection that brought so many bytes, or an upload that got so much further, was no failure: attempts are counted from
 * the beginning again. */
#define BLOB_PROGRESS_BYTES ((uint64_t)1 << 20)

/* Where a blob's bytes go. An error of the sink ends the fetch, unless it is ERR_CORRUPT: bytes that may have been
 * damaged on the way: then the blob is fetched once more from its start, after a reset, and the second time it is final. */
struct blob_sink {
	bool (*add)(void *ctx, struct span bytes, struct err *err);
	bool (*reset)(void *ctx, struct err *err); /* the next byte is the blob's first again */
	void *ctx;
};

/* Exactly size_bytes with this digest, else ERR_CORRUPT. Bytes that are wrong after a clean download are fetched once more
 * from the start. Holds BLOB_READ_BYTES besides the network's own buffer. `received` (may be NULL; with the sink's
 * ctx) is told of bytes from the network as they come, those of repeated parts too. */
bool blob_fetch(struct registry *registry, const blob_digest digest, uint64_t size_bytes,
		struct blob_sink sink, void (*received)(void *ctx, uint64_t bytes),
		struct err *err);

/* A small one into memory. */
bool blob_fetch_text(struct registry *registry, const blob_digest digest, uint64_t size_bytes,
		     size_t max, struct str *out, struct err *err);

/* HEAD. */
bool blob_exists(struct registry *registry, const blob_digest digest, bool *ret, struct err *err);

struct blob_upload {
	const char *digest; /* of the content */
	struct http_body content;
	uint64_t chunk_bytes;   /* 0 = in one piece; raised to what the registry asks for */
	const char *mount_from; /* another repository of this host that may have it, NULL = none */
	/* Told how many bytes the connection has taken, in all; less than before when a part has to be sent again. Called by
	 * threads of its own, one at a time. May be NULL. */
	void (*sent)(void *ctx, uint64_t total_bytes);
	void *ctx;
};

/* Sends a blob that is not there (ask blob_exists() first), as the table of image-format.md 7 has it. A broken upload goes on
 * from where the registry says that it is, else from its start; a session that is given up is cancelled. */
bool blob_send(struct registry *registry, const struct blob_upload *upload, struct err *err);

/* Asks for a blob of another repository of the same host. False in *ret_mounted: it has to be sent; a session that the
 * registry opened for it is cancelled. */
bool blob_mount(struct registry *registry, const blob_digest digest, const char *from_repository,
		bool *ret_mounted, struct err *err);

#endif
