/* SPDX-License-Identifier: Apache-2.0 */
/* Status lines. */
#include "machine/run_ui.h"

#include "base/str.h"

void run_ui_status(const struct run_ui *ui, const char *fmt, ...)
{
	CLEANUP_STR struct str line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&line, fmt, ap);
	va_end(ap);
	ui->status(ui->ctx, str_text(&line));
}
