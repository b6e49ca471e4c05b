/* SPDX-License-Identifier: Apache-2.0 */
/* How the library tells the user of `tart run` what happens: whole lines, to be shown at once. */
#ifndef TART_MACHINE_RUN_UI_H
#define TART_MACHINE_RUN_UI_H

#include "base/attrs.h"

struct run_ui {
	void (*status)(void *ctx, const char *line);
	void *ctx;
};

void run_ui_status(const struct run_ui *ui, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
