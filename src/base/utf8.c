/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 checking and writing. */
#include "base/utf8.h"

static const struct {
	unsigned char mask, lead;
	uint32_t min;
} forms[] = {
	{ 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 }
};

static bool decode_form(struct span text, size_t n, uint32_t *ret)
{
	uint32_t code = (unsigned char)text.ptr[0] & (unsigned char)~forms[n - 1].mask;

	for (size_t i = 1; i < n; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if ((c & 0xc0) != 0x80)
			return false;
		code = code << 6 | (c & 0x3f);
	}
	if (code < forms[n - 1].min || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return false;
	*ret = code;
	return true;
}

size_t utf8_decode(struct span text, uint32_t *ret_code)
{
	for (size_t n = 1; n <= ARRAY_LEN(forms) && n <= text.len; n++) {
		uint32_t code;

		if (((unsigned char)text.ptr[0] & forms[n - 1].mask) != forms[n - 1].lead)
			continue;
		if (!decode_form(text, n, &code))
			return 0;
		if (ret_code)
			*ret_code = code;
		return n;
	}
	return 0;
}

void utf8_add(struct str *out, uint32_t code)
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	str_add_char(out, (char)(forms[n - 1].lead | (code >> (6 * (n - 1)))));
	for (size_t i = n - 1; i > 0; i--)
		str_add_char(out, (char)(0x80 | ((code >> (6 * (i - 1))) & 0x3f)));
}
