/* SPDX-License-Identifier: Apache-2.0 */
/* Adding checks to a report about this host: for those who make parts of it. */
#ifndef TART_MACHINE_HOST_CHECK_H
#define TART_MACHINE_HOST_CHECK_H

#include "machine/host_report.h"

/* `name` and `label` are borrowed for the report's life. The result is good until the next check is added. */
struct host_check *host_check_add(struct host_report *report, const char *name, const char *label,
				  enum check_state state, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* A further member in JSON; the value is the check's from then on. */
void host_check_note(struct host_check *check, const char *key, struct json *value);

/* The command, or the words, that help. */
void host_check_remedy(struct host_check *check, const char *remedy);

#endif
