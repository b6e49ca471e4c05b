/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper as a process: from its folders and its privileges to its end. */
#ifndef TART_NETD_SERVE_H
#define TART_NETD_SERVE_H

#include <stdint.h>

#include "base/err.h"

struct serve_options {
	const char *dir;  /* NULL: the system's */
	const char *conf; /* NULL: that of the folder, or the system's */
	uint64_t linger_ms;
	bool never_persist;
	bool in_background; /* nobody reads standard error */
	const char *die_at; /* tests; with `dir` only */
};

enum serve_result {
	SERVE_ENDED,
	SERVE_BUSY, /* another keeper has the folder */
	SERVE_FAILED,
};

/* Until nobody needs it any more, or SIGTERM, SIGINT. */
enum serve_result serve(const struct serve_options *options, struct err *err);

#endif
