/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC's codes, and its texts: cleaned, cut, percent-coded. */
#include "rpc/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

static const char *const names[] = {
	[RPC_OK] = "OK",
	[RPC_CANCELLED] = "CANCELLED",
	[RPC_UNKNOWN] = "UNKNOWN",
	[RPC_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
	[RPC_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
	[RPC_NOT_FOUND] = "NOT_FOUND",
	[RPC_ALREADY_EXISTS] = "ALREADY_EXISTS",
	[RPC_PERMISSION_DENIED] = "PERMISSION_DENIED",
	[RPC_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
	[RPC_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
	[RPC_ABORTED] = "ABORTED",
	[RPC_OUT_OF_RANGE] = "OUT_OF_RANGE",
	[RPC_UNIMPLEMENTED] = "UNIMPLEMENTED",
	[RPC_INTERNAL] = "INTERNAL",
	[RPC_UNAVAILABLE] = "UNAVAILABLE",
	[RPC_DATA_LOSS] = "DATA_LOSS",
	[RPC_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

const char *rpc_code_name(enum rpc_code code)
{
	return (size_t)code < ARRAY_LEN(names) ? names[code] : names[RPC_UNKNOWN];
}

enum rpc_code rpc_code_parse(struct span text)
{
	uint64_t code;

	if (!number_parse_u64(text, ARRAY_LEN(names) - 1, &code))
		return RPC_UNKNOWN;
	return (enum rpc_code)code;
}

/* C0, DEL and C1: a terminal may obey them. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* What may be shown of a text, as much as fits; never half a character. */
static void clean(struct span text, char ret[static RPC_TEXT_MAX + 1])
{
	size_t used = 0;

	while (text.len > 0) {
		uint32_t code = 0;
		size_t len = utf8_decode(text, &code);

		if (len == 0) {
			text = span_from(text, 1);
			continue;
		}
		if (!is_control(code)) {
			if (used + len > RPC_TEXT_MAX)
				break;
			memcpy(ret + used, text.ptr, len);
			used += len;
		}
		text = span_from(text, len);
	}
	ret[used] = '\0';
}

void rpc_status_set(struct rpc_status *status, enum rpc_code code, const char *fmt, ...)
{
	CLEANUP_STR struct str text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	*status = (struct rpc_status){ .code = code };
	clean(str_span(&text), status->text);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that an escape at the front stands for, or -1 when there is none. */
static int escaped_byte(struct span text)
{
	int high, low;

	if (text.len < 3 || text.ptr[0] != '%')
		return -1;
	high = hex_value(text.ptr[1]);
	low = hex_value(text.ptr[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

void rpc_text_decode(struct span encoded, char ret[static RPC_TEXT_MAX + 1])
{
	CLEANUP_STR struct str text = { 0 };

	while (encoded.len > 0) {
		int byte = escaped_byte(encoded);

		if (byte < 0)
			str_add_span(&text, span_first(encoded, 1));
		else
			str_add_char(&text, (char)(unsigned char)byte);
		encoded = span_from(encoded, byte < 0 ? 1 : 3);
	}
	clean(str_span(&text), ret);
}

void rpc_text_encode(const char *text, struct str *out)
{
	for (const char *c = text; *c; c++) {
		if (*c >= 0x20 && *c < 0x7f && *c != '%')
			str_add_char(out, *c);
		else
			str_addf(out, "%%%02X", (unsigned char)*c);
	}
}
