/* SPDX-License-Identifier: Apache-2.0 */
/* Display sizes: what parses, prints so that it parses as the same again. */
#include "storage/display.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct display_size first = { .width = 4711 };
	struct display_size again = { 0 };
	CLEANUP_STR struct str text = { 0 };

	if (!display_parse(span_make((const char *)data, size), &first)) {
		fuzz_check(first.width == 4711 && first.height == 0);
		return 0;
	}
	fuzz_check(first.width > 0 || first.height > 0);
	display_print(&first, &text);
	fuzz_check(display_parse(str_span(&text), &again));
	fuzz_check(first.width == again.width && first.height == again.height &&
		   first.unit == again.unit);
	return 0;
}
