/* SPDX-License-Identifier: Apache-2.0 */
/* Base64. */
#include "base/base64.h"

#include <stdint.h>

#include "base/secret.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(const unsigned char *in, size_t n, char out[4])
{
	uint32_t bits = (uint32_t)in[0] << 16;

	if (n > 1)
		bits |= (uint32_t)in[1] << 8;
	if (n > 2)
		bits |= in[2];
	for (unsigned i = 0; i < 4; i++)
		out[i] = '=';
	for (unsigned i = 0; i <= n; i++)
		out[i] = alphabet[bits >> (18 - 6 * i) & 63];
}

void base64_add(struct str *out, struct span bytes)
{
	const unsigned char *in = (const unsigned char *)bytes.ptr;

	secret_reserve(out, (bytes.len + 2) / 3 * 4);
	for (size_t at = 0; at < bytes.len; at += 3) {
		size_t left = bytes.len - at;
		char group[4];

		encode_group(in + at, left < 3 ? left : 3, group);
		str_add_span(out, span_make(group, sizeof(group)));
	}
}

static bool value_of(char c, uint32_t *ret)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	if (!at)
		return false;
	*ret = (uint32_t)(at - alphabet);
	return true;
}

/* Without its padding; false when that is not what belongs there. */
static bool strip_padding(struct span *text)
{
	size_t before = text->len;

	while (text->len > 0 && before - text->len < 2 && text->ptr[text->len - 1] == '=')
		text->len--;
	return (before == text->len || before % 4 == 0) && text->len % 4 != 1;
}

/* Two to four characters are one to three bytes. */
static bool decode_group(struct span group, struct str *out)
{
	uint32_t bits = 0;
	size_t n_bytes = group.len - 1;

	for (size_t i = 0; i < 4; i++) {
		uint32_t value = 0;

		if (i < group.len && !value_of(group.ptr[i], &value))
			return false;
		bits = bits << 6 | value;
	}
	for (size_t i = 0; i < n_bytes; i++)
		str_add_char(out, (char)(bits >> (16 - 8 * i) & 255));
	return (bits & (0xffffff >> 8 * n_bytes)) == 0;
}

bool base64_decode(struct span text, struct str *out)
{
	size_t before = out->len;

	if (!strip_padding(&text))
		return false;
	secret_reserve(out, text.len);
	while (text.len > 0) {
		size_t n = text.len < 4 ? text.len : 4;

		if (!decode_group(span_first(text, n), out)) {
			str_truncate(out, before);
			return false;
		}
		text = span_from(text, n);
	}
	return true;
}
