/* SPDX-License-Identifier: Apache-2.0 */
/* Composing the line. */
#include "registry/notice.h"

#include "base/str.h"

void notice_tell(const struct notice *notice, const char *fmt, ...)
{
	CLEANUP_STR struct str line = { 0 };
	va_list ap;

	if (!notice || !notice->tell)
		return;
	va_start(ap, fmt);
	str_vaddf(&line, fmt, ap);
	va_end(ap);
	notice->tell(notice->ctx, str_text(&line));
}
