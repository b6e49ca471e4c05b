/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of this host, on stdout: for `tart doctor` and `tart network doctor`. */
#ifndef TART_CMD_CHECKS_H
#define TART_CMD_CHECKS_H

#include "machine/host_report.h"

/* A line for each, with a mark in front, coloured on terminals, and what helps behind. */
void checks_print(const struct host_report *report);

/* An array of objects. Owned by the caller. */
struct json *checks_as_json(const struct host_report *report);

#endif
