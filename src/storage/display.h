/* SPDX-License-Identifier: Apache-2.0 */
/* The text form of display sizes, "WxH[pt|px]". Source: cli.md 3.8. */
#ifndef TART_STORAGE_DISPLAY_H
#define TART_STORAGE_DISPLAY_H

#include <stdint.h>

#include "base/span.h"
#include "base/str.h"

enum display_unit { UNIT_NONE, UNIT_PT, UNIT_PX };

struct display_size {
	uint32_t width, height; /* as written; pixels for us whatever the unit */
	enum display_unit unit;
};

/* Fields that do not parse are 0. False, and *ret untouched, when neither dimension parses. */
bool display_parse(struct span text, struct display_size *ret);
void display_print(const struct display_size *display, struct str *out);

const char *display_unit_text(enum display_unit unit); /* "", "pt", "px" */

#endif
