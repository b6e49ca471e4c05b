/* SPDX-License-Identifier: Apache-2.0 */
/* Reading headers. */
#include "registry/headers.h"

#include <string.h>

#include "base/number.h"

static bool take_prefix(struct span *text, const char *prefix)
{
	if (!span_starts_with(*text, prefix))
		return false;
	*text = span_from(*text, strlen(prefix));
	return true;
}

static bool take_number(struct span *text, char end, uint64_t *ret)
{
	struct span rest = *text;
	struct span digits = { 0 };

	if (!span_next(&rest, end, &digits) || !rest.ptr ||
	    !number_parse_u64(digits, INT64_MAX, ret))
		return false;
	*text = rest;
	return true;
}

bool content_range_parse(struct span header, struct content_range *ret)
{
	struct content_range range = { 0 };

	if (!take_prefix(&header, "bytes ") || !take_number(&header, '-', &range.first) ||
	    !take_number(&header, '/', &range.last) || range.last < range.first)
		return false;
	range.has_total = !span_is(header, "*");
	if (range.has_total &&
	    (!number_parse_u64(header, INT64_MAX, &range.total) || range.total <= range.last))
		return false;
	*ret = range;
	return true;
}

bool upload_range_parse(struct span header, uint64_t *ret_end)
{
	uint64_t last = 0;

	if (!take_prefix(&header, "bytes="))
		(void)take_prefix(&header, "bytes ");
	if (!take_prefix(&header, "0-") || !number_parse_u64(header, INT64_MAX, &last) || last == 0)
		return false;
	*ret_end = last + 1;
	return true;
}

bool warning_parse(struct span header, struct str *out)
{
	size_t before = out->len;
	size_t quote;

	if (!take_prefix(&header, "299 "))
		return false;
	quote = span_find(header, '"');
	if (quote == header.len)
		return false;
	header = span_from(header, quote + 1);
	for (size_t i = 0; i < header.len && out->len - before < WARNING_TEXT_MAX; i++) {
		if (header.ptr[i] == '"')
			return out->len > before;
		if (header.ptr[i] == '\\' && i + 1 < header.len)
			i++;
		str_add_char(out, header.ptr[i]);
	}
	if (out->len - before == WARNING_TEXT_MAX)
		return true;
	str_truncate(out, before);
	return false;
}
