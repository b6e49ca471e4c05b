/* SPDX-License-Identifier: Apache-2.0 */
/* A part of isolate_calls(): the file system below some paths only, and no signals to others, by Landlock. */
#ifndef TART_NETD_ISOLATE_FILES_H
#define TART_NETD_ISOLATE_FILES_H

#include "netd/isolate.h"

/* Built with the address sanitizer, whose reports need more than the program itself. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ISOLATE_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(ISOLATE_SANITIZED)
#define ISOLATE_SANITIZED
#endif

/* True also where the kernel has no Landlock. */
bool isolate_files(enum isolate_role role, const struct isolate_path *keep, struct err *err);

#endif
