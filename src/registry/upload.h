/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry's upload sessions: opening one, asking how far it got, sending a part, cancelling it. What to do when a part
 * fails is decided by blob_send.c. image-format.md 7, distribution-spec 1.1.1 "Pushing blobs".
 *
 * The session is its address (Location), which may change with every answer and may be on another host: then no
 * credentials go there.
 */
#ifndef TART_REGISTRY_UPLOAD_H
#define TART_REGISTRY_UPLOAD_H

#include "registry/session_private.h"

struct upload {
	struct registry *registry;
	const char *digest; /* of the blob */
	char *reference;    /* "@digest" */
	char *location;     /* NULL = no session */
	uint64_t min_chunk_bytes;
};

void upload_init(struct upload *upload, struct registry *registry, const char *digest);
void upload_done(struct upload *upload);

/* Opens a session. `mount_from` not NULL: asks for the blob of that repository at the same time; *ret_mounted when it is
 * there now and nothing has to be sent. A registry that refuses that is asked for a session alone. */
bool upload_open(struct upload *upload, const char *mount_from, bool *ret_mounted, struct err *err);

/* Asks for the blob of another repository; false in *ret_mounted with or without a session. */
bool upload_mount(struct upload *upload, const char *from, bool *ret_mounted, struct err *err);

enum upload_outcome {
	UPLOAD_TAKEN,  /* this part */
	UPLOAD_BROKEN, /* nobody knows how much of it; *err says why, and may be temporary */
	UPLOAD_LOST,   /* the session is none any more */
	UPLOAD_FAILED,
};

struct upload_part {
	struct http_body body;
	uint64_t start; /* of the body in the blob */
	bool is_last;   /* closes the session */
	bool is_rest; /* follows bytes that were sent before: says which it has, as parts that are not last do */
	bool is_continued; /* a refused digest may be due to what came before */
	void (*begin)(void *ctx);
	void (*sent)(void *ctx, uint64_t bytes);
	void *ctx;
};

/* *ret_end: where the next part starts. *ret_after_s: what a Retry-After asks for. */
enum upload_outcome upload_send(struct upload *upload, const struct upload_part *part,
				uint64_t *ret_end, uint64_t *ret_after_s, struct err *err);

/* How many bytes the registry has. UPLOAD_BROKEN: it did not answer and may do so later. UPLOAD_LOST: it cannot say, or
 * knows nothing of the session. */
enum upload_outcome upload_ask(struct upload *upload, uint64_t *ret_end, uint64_t *ret_after_s,
			       struct err *err);

/* As far as the registry can be reached. There is no session afterwards. */
void upload_cancel(struct upload *upload);

#endif
