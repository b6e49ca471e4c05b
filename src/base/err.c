/* SPDX-License-Identifier: Apache-2.0 */
/* The error value, and the one table from error class to prefix and exit code. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *prefix;
	int exit_code;
	bool fixed_text; /* the interface gives the message to the letter */
} classes[ERR_KIND_COUNT] = {
	[ERR_NONE] = { "", 0, false },
	[ERR_GENERAL] = { "Error: ", 1, false },
	[ERR_USAGE] = { "Error: ", 64, true },
	[ERR_CANCELLED] = { "Error: ", 1, true },
	[ERR_VM_MISSING] = { "", 2, true },
	[ERR_VM_INCOMPLETE] = { "", 1, true },
	[ERR_VM_RUNNING] = { "", 1, true },
	[ERR_VM_NOT_RUNNING] = { "", 2, true },
	[ERR_VM_ALREADY_RUNNING] = { "", 2, true },
	[ERR_REMOTE_NAME] = { "", 1, true },
	[ERR_DISK_SIZE] = { "", 1, true },
	[ERR_DISK_BUSY] = { "", 1, true },
	[ERR_BLOCK_DEVICE] = { "", 1, true },
	[ERR_RESOURCES] = { "Error: ", 1, true },
	[ERR_OCI] = { "OCI storage error: ", 1, false },
	[ERR_IMPORT] = { "VM import failed: ", 1, false },
	[ERR_EXPORT] = { "VM export failed: ", 1, false },
	[ERR_STOP] = { "", 1, true },
	[ERR_EXISTS] = { "", 1, true },
	[ERR_TRANSPORT] = { "Error: ", 1, false },
	[ERR_CREDENTIALS] = { "invalid credentials: ", 1, false },
	[ERR_HOST] = { "", 1, true },
	[ERR_CORRUPT] = { "Error: ", 1, false },
	[ERR_SOFTNET] = { "Softnet failed: ", 1, false },
	[ERR_NO_IP] = { "", 1, true },
};

static void vset(struct err *err, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

static void mark_cut(struct err *err)
{
	memcpy(err->text + sizeof(err->text) - 4, "...", 4);
}

static void vset(struct err *err, const char *fmt, va_list ap)
{
	int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);

	if (n < 0 || (size_t)n >= sizeof(err->text))
		mark_cut(err);
}

static void append(struct err *err, const char *more)
{
	size_t used = strlen(err->text);
	int n = snprintf(err->text + used, sizeof(err->text) - used, "%s", more);

	if (n < 0 || (size_t)n >= sizeof(err->text) - used)
		mark_cut(err);
}

void err_set_(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	err->kind = kind;
	err->sys = 0;
	err->detail[0] = '\0';
	va_start(ap, fmt);
	vset(err, fmt, ap);
	va_end(ap);
}

void err_sys_(struct err *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	err->kind = ERR_GENERAL;
	err->sys = errnum;
	err->detail[0] = '\0';
	va_start(ap, fmt);
	vset(err, fmt, ap);
	va_end(ap);
	append(err, ": ");
	append(err, strerror(errnum));
}

void err_context_(struct err *err, const char *fmt, ...)
{
	struct err outer = { .kind = err->kind, .sys = err->sys };
	va_list ap;

	if (classes[err->kind].fixed_text)
		return;
	va_start(ap, fmt);
	vset(&outer, fmt, ap);
	va_end(ap);
	append(&outer, ": ");
	append(&outer, err->text);
	memcpy(outer.detail, err->detail, sizeof(outer.detail));
	*err = outer;
}

void err_reclass_(struct err *err, enum err_kind new_kind)
{
	if (!classes[err->kind].fixed_text)
		err->kind = new_kind;
}

/* Never half a character. */
static size_t whole_characters(struct span text, size_t max)
{
	size_t len = text.len < max ? text.len : max;

	while (len < text.len && len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
		len--;
	return len;
}

void err_set_detail(struct err *err, struct span text)
{
	size_t len = whole_characters(text, sizeof(err->detail) - 1);

	if (len > 0)
		memcpy(err->detail, text.ptr, len);
	err->detail[len] = '\0';
}

void err_clear(struct err *err)
{
	*err = (struct err){ 0 };
}

const char *err_prefix(enum err_kind kind)
{
	return classes[kind].prefix;
}

int err_exit_code(enum err_kind kind)
{
	return classes[kind].exit_code;
}
