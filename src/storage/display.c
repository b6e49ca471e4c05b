/* SPDX-License-Identifier: Apache-2.0 */
/* Display sizes as text. */
#include "storage/display.h"

#include "base/number.h"

static uint32_t parse_dimension(struct span text)
{
	uint64_t value;

	return number_parse_u64(text, UINT32_MAX, &value) ? (uint32_t)value : 0;
}

static enum display_unit cut_unit(struct span *text)
{
	enum display_unit unit = span_ends_with(*text, "pt") ? UNIT_PT :
				 span_ends_with(*text, "px") ? UNIT_PX :
							       UNIT_NONE;

	if (unit != UNIT_NONE)
		text->len -= 2;
	return unit;
}

bool display_parse(struct span text, struct display_size *ret)
{
	struct display_size size = { .unit = cut_unit(&text) };
	size_t x = span_find(text, 'x');

	size.width = parse_dimension(span_first(text, x));
	if (x < text.len)
		size.height = parse_dimension(span_from(text, x + 1));
	if (size.width == 0 && size.height == 0)
		return false;
	*ret = size;
	return true;
}

void display_print(const struct display_size *display, struct str *out)
{
	str_addf(out, "%ux%u%s", display->width, display->height, display_unit_text(display->unit));
}

const char *display_unit_text(enum display_unit unit)
{
	switch (unit) {
	case UNIT_PT:
		return "pt";
	case UNIT_PX:
		return "px";
	case UNIT_NONE:
		break;
	}
	return "";
}
