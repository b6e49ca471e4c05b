/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of a registry's answers that say more than a word: where bytes belong, and warnings. Pure; not trusted. */
#ifndef TART_REGISTRY_HEADERS_H
#define TART_REGISTRY_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/str.h"

#define WARNING_TEXT_MAX ((size_t)1000) /* bytes; longer ones are cut */

/* Content-Range of a 206 (RFC 9110, 14.4): "bytes 10-19/20", or "*" for what is not known. */
struct content_range {
	uint64_t first;
	uint64_t last; /* at least first */
	bool has_total;
	uint64_t total; /* more than last */
};
bool content_range_parse(struct span header, struct content_range *ret);

/* Range in answers about uploads (distribution-spec 1.1.1): "0-9" for ten bytes, in some registries with "bytes=" or
 * "bytes " in front. False also for "0-0", which stands for one byte in some and for none in others. */
bool upload_range_parse(struct span header, uint64_t *ret_end);

/* What stands between the quotes of `299 - "text"` is appended. Other codes are about caches between us and the registry;
 * they and empty texts are false, and add nothing. */
bool warning_parse(struct span header, struct str *out);

#endif
