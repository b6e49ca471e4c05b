/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's config.json, as far as it says which credentials or which helper belong to a registry: cli.md 3.7,
 * image-format.md 9.2. Parsing and looking up are pure; the file is only ever read.
 *
 * For a host, what counts first:
 *	1. auths[HOST], then entries of auths that name the host in Docker's older spellings (https://HOST/v1/), in the
 *	   order of the file. An identity token of an entry stands above its password. An entry without either, as Docker
 *	   writes it beside a helper, does not count.
 *	2. credHelpers[HOST], then its keys as POSIX extended regular expressions that match the whole host, in the order
 *	   of the file (host_pattern.h).
 *	3. credsStore.
 * An empty helper name means that there is none, in 2 and 3.
 */
#ifndef TART_REGISTRY_DOCKER_CONFIG_H
#define TART_REGISTRY_DOCKER_CONFIG_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/span.h"
#include "registry/credentials.h"

#define DOCKER_CONFIG_MAX ((size_t)1 << 20)

struct docker_config {
	struct json *tree;
};

void docker_config_done(struct docker_config *config); /* overwrites it; fits CLEANUP() */

bool docker_config_parse(struct span text, struct docker_config *ret, struct err *err);

/* $DOCKER_CONFIG/config.json, else ~/.docker/config.json, by the environment. Without such a file, *ret is empty. */
bool docker_config_load(struct docker_config *ret, struct err *err);

/* True when the file itself has them. */
bool docker_config_find(const struct docker_config *config, const char *host,
			struct credentials *ret);

/* The name of the helper that is responsible for a host, whatever `auths` says; NULL = none. Borrowed. */
const char *docker_config_helper(const struct docker_config *config, const char *host);

/* The file's path, for messages; NULL when nobody knows the home directory. Owned. */
char *docker_config_path(void);

#endif
