/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's credential helpers: programs docker-credential-NAME found in PATH, without a shell. image-format.md 9.2,
 * cli.md 3.7; the protocol is that of github.com/docker/docker-credential-helpers:
 *
 *	get	stdin: the host; stdout: {"ServerURL","Username","Secret"}, or the reason on exit code 1
 *	store	stdin: that JSON
 *	erase	stdin: the host
 *
 * A helper has CREDENTIAL_HELPER_MS and may print CREDENTIAL_HELPER_OUT_MAX bytes; then it is killed.
 */
#ifndef TART_REGISTRY_CREDENTIAL_HELPER_H
#define TART_REGISTRY_CREDENTIAL_HELPER_H

#include <stdbool.h>

#include "base/child_talk.h"
#include "base/err.h"
#include "registry/credentials.h"

#define CREDENTIAL_HELPER_MS      10000
#define CREDENTIAL_HELPER_OUT_MAX ((size_t)64 << 10)

enum helper_result {
	HELPER_DONE,
	HELPER_NOT_FOUND, /* it works, and has nothing for this host */
	HELPER_MISSING,   /* there is no such program: "docker-credential-x not found in PATH" */
	HELPER_FAILED,
};

/* *err is set for the last two. `name` is the part after docker-credential-; one with other characters than letters, digits,
 * "-" and "_" is HELPER_FAILED. */
enum helper_result credential_helper_get(const char *name, const char *host,
					 struct credentials *ret, struct err *err);
enum helper_result credential_helper_store(const char *name, const char *host,
					   const struct credentials *credentials, struct err *err);
enum helper_result credential_helper_erase(const char *name, const char *host, struct err *err);

/* For programs that speak the same protocol: what `store` is told, what `get` answers. */
void credential_message_print(const char *host, const struct credentials *credentials,
			      struct str *out);
bool credential_message_parse(struct span text, struct credentials *ret, struct err *err);

#endif
