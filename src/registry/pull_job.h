/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pulling has in common for images of all kinds, and a function for each kind. Private to pull.
 *
 * The job's directory is the temporary bundle, which may hold what an earlier pull of this name left, of whatever kind
 * that image was. A kind fills it, then seals it; pull.c puts it into the cache.
 */
#ifndef TART_REGISTRY_PULL_JOB_H
#define TART_REGISTRY_PULL_JOB_H

#include "base/err.h"
#include "http/http.h"
#include "registry/manifest.h"
#include "registry/pull.h"
#include "registry/pull_layer.h"
#include "registry/session.h"

struct pull_job {
	const struct home *home;
	const struct pull_request *request;
	struct http *http; /* cancelled once a thread of the pull has failed: for one attempt */
	struct registry *registry;
	const struct manifest *manifest;
	struct span manifest_text;
	int dir_fd;
};

/* Each may be called again after a transport error, with a new connection and what is there by then. Tells with
 * job->request->notice and progress where it is, and ends with pull_seal(). */
bool pull_tart(const struct pull_job *job, struct err *err);
bool pull_vetu(const struct pull_job *job, struct err *err);
bool pull_container(const struct pull_job *job, struct err *err);

/* Whether what a failed attempt at an image that is not Tart's has left is worth going on from. */
bool pull_vetu_has_begun(int dir_fd);
bool pull_container_has_begun(int dir_fd);

/* Fetches a small blob into memory and writes it into the file `name`; *out (may be NULL) gets its bytes. */
bool pull_small_file(const struct pull_job *job, const struct descriptor *descriptor, size_t max,
		     const char *name, struct str *out, struct err *err);

/* Fetches a blob into the file `name`, unless that holds it already. `meter` (may be NULL) counts its bytes. */
bool pull_file(const struct pull_job *job, const struct descriptor *descriptor, const char *name,
	       struct pull_meter *meter, struct err *err);

/* config.json and nvram.bin of an image that came without. */
bool pull_generated(const struct pull_job *job, const struct config *config, struct err *err);

/* Writes manifest.json as it was received, removes all files but it and these, and syncs the rest. */
bool pull_seal(const struct pull_job *job, const char *const *names, size_t n, struct err *err);

/* disk.img of a Tart image. */
bool pull_disk(const struct pull_job *job, struct err *err);

#endif
