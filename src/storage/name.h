/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of VMs: which are remote, what they consist of, which local ones are allowed, and how a remote name becomes
 * a path below cache/OCIs. The only place where a name becomes a path. Source: image-format.md 1.1, cli.md 1.10, 3.1.
 *
 *	host      = hpart *( "." hpart )            hpart = 1*ALNUM *( "-" 1*ALNUM )
 *	remote    = host [ ":" 1*DIGIT ] "/" ns [ ":" tag / "@sha256:" 64HEXLOWER ]
 *	ns        = ncomp *( "/" ncomp )            ncomp = 1*ALNUM *( sep 1*ALNUM ) [ sep ]
 *	tag       = 1*ALNUM *( sep 1*ALNUM )        sep   = "." / "-" / "_"
 *
 * What does not match is a local name. The grammar keeps ".." out of paths.
 */
#ifndef TART_STORAGE_NAME_H
#define TART_STORAGE_NAME_H

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"
#include "base/vec.h"

#define NAME_BYTES_MAX     255 /* of a local name and of each component of a cache path */
#define NAME_DIGEST_PREFIX "sha256:"
#define NAME_DIGEST_LEN    (sizeof(NAME_DIGEST_PREFIX) - 1 + 64)
#define NAME_DEFAULT_TAG   "latest"

struct remote_name {
	char *host;       /* with ":port" if given */
	char *repository; /* the namespace: "a/b" */
	char *reference;  /* a tag, or "sha256:<hex>" */
	bool by_digest;
};

/* ERR_REMOTE_NAME: "failed to parse remote name: <cause> (character <n>)". */
bool remote_name_parse(struct span text, struct remote_name *ret, struct err *err);
void remote_name_done(struct remote_name *name);

/* host/repository:tag or host/repository@sha256:<hex>. */
void remote_name_print(const struct remote_name *name, struct str *out);

/* By host, repository, tags before digests, reference. */
int remote_name_compare(const struct remote_name *a, const struct remote_name *b);

bool name_is_remote(const char *text);

/* What stands in the way of `text` as the name of a local VM, as the end of a sentence ("is empty"); NULL if nothing.
 * A "/" has a message of its own in the interface: name_has_slash(). */
const char *name_local_problem(const char *text);
static inline bool name_has_slash(const char *text)
{
	return strchr(text, '/') != NULL;
}

/* Path components below cache/OCIs: host (":" as "%3A"), each part of the repository, the reference. */
struct name_path {
	VEC(char *) parts; /* owned */
};
void remote_name_path(const struct remote_name *name, struct name_path *ret);
void name_path_done(struct name_path *path);

/* The name of a host's directory below cache/OCIs, and the host of such a name. */
void name_encode_host(const char *host, struct str *out);
void name_decode_host(const char *component, struct str *out);

#endif
