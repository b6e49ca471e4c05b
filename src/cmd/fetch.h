/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling an image on behalf of a command, pull or clone: their common options, and what they print meanwhile. */
#ifndef TART_CMD_FETCH_H
#define TART_CMD_FETCH_H

#include "cmd/options.h"
#include "storage/home.h"
#include "storage/name.h"

struct fetch_args {
	bool insecure;
	uint64_t concurrency;
	bool deduplicate;
};

/* The options, for a struct fetch_args that is the member `member` of the command's. */
#define FETCH_OPTS(args, member)                                                               \
	OPT_FLAG(args, member.insecure, 0, "insecure", "Talk plain HTTP to the registry"),     \
		OPT_U64(args, member.concurrency, 0, "concurrency", NULL, 4,                   \
			"Layers to be fetched at a time"),                                     \
		OPT_FLAG(args, member.deduplicate, 0, "deduplicate",                           \
			 "Build the disk of a pulled image upon that of a similar cached one", \
			 .show = SHOW_HIDDEN)

bool fetch_validate(const struct fetch_args *args, struct err *err);

enum fetch_voice {
	FETCH_LOUD,
	FETCH_QUIET, /* without the line that says which image is pulled */
};

bool fetch_image(const struct home *home, const struct remote_name *name,
		 const struct fetch_args *args, enum fetch_voice voice, struct err *err);

#endif
