/* SPDX-License-Identifier: Apache-2.0 */
/* Owned, growing text. */
#include "base/str.h"

#include <stdint.h>
#include <stdio.h>

#include "base/checked.h"
#include "base/mem.h"
#include "base/utf8.h"

static bool reserve(struct str *s, size_t extra)
{
	size_t need;
	size_t room = s->room ? s->room : 64;

	if (s->overflow)
		return false;
	if (ckd_add(&need, s->len, extra) || (s->cap && need > s->cap)) {
		s->overflow = true;
		return false;
	}
	if (ckd_add(&need, need, (size_t)1))
		mem_exhausted();
	while (room < need && !ckd_mul(&room, room, (size_t)2))
		;
	if (room > s->room) {
		s->ptr = xrealloc(s->ptr, room, 1);
		s->room = room;
	}
	return true;
}

void str_add_span(struct str *s, struct span text)
{
	if (!reserve(s, text.len))
		return;
	if (text.len)
		memcpy(s->ptr + s->len, text.ptr, text.len);
	s->len += text.len;
	s->ptr[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_add_span(s, span_of(text));
}

void str_add_char(struct str *s, char c)
{
	str_add_span(s, span_make(&c, 1));
}

void str_vaddf(struct str *s, const char *fmt, va_list ap)
{
	char *text = NULL;
	int n = vasprintf(&text, fmt, ap);

	if (n < 0 || !text)
		mem_exhausted();
	str_add_span(s, span_make(text, (size_t)n));
	free(text);
}

void str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(s, fmt, ap);
	va_end(ap);
}

void str_truncate(struct str *s, size_t len)
{
	if (len < s->len) {
		s->len = len;
		s->ptr[len] = '\0';
	}
}

void str_clear(struct str *s)
{
	str_truncate(s, 0);
	s->overflow = false;
}

const char *str_text(const struct str *s)
{
	return s->ptr ? s->ptr : "";
}

struct span str_span(const struct str *s)
{
	return span_make(str_text(s), s->len);
}

char *str_take(struct str *s)
{
	char *text = s->ptr ? TAKE_PTR(s->ptr) : xstrdup("");

	s->len = 0;
	s->room = 0;
	s->overflow = false;
	return text;
}

void str_done(struct str *s)
{
	free(s->ptr);
	*s = (struct str){ .cap = s->cap };
}

/* Unicode's marks of direction and line ends: they show a text in another order than it is, or on other lines. */
static bool is_layout(uint32_t code)
{
	return code == 0x61c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* C0, DEL and C1 drive terminals. */
static bool is_printable(uint32_t code)
{
	return code >= 0x20 && (code < 0x7f || code >= 0xa0) && !is_layout(code);
}

void str_add_escaped(struct str *s, struct span text)
{
	while (text.len > 0) {
		uint32_t code;
		size_t n = utf8_decode(text, &code);

		if (n > 0 && is_printable(code)) {
			str_add_span(s, span_first(text, n));
		} else {
			str_addf(s, "\\x%02x", (unsigned char)text.ptr[0]);
			n = 1;
		}
		text = span_from(text, n);
	}
}
