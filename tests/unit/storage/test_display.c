/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of storage/display.h. */
#include "storage/display.h"

#include "unit.h"

static const struct {
	const char *name; /* also the text */
	bool ok;
	struct display_size size;
	const char *printed; /* NULL = as given */
} rows[] = {
	{ "1234x5678", true, { 1234, 5678, UNIT_NONE }, NULL },
	{ "1234x5678pt", true, { 1234, 5678, UNIT_PT }, NULL },
	{ "1234x5678px", true, { 1234, 5678, UNIT_PX }, NULL },
	{ "1234", true, { 1234, 0, UNIT_NONE }, "1234x0" },
	{ "1234px", true, { 1234, 0, UNIT_PX }, "1234x0px" },
	{ "x600", true, { 0, 600, UNIT_NONE }, "0x600" },
	{ "800x", true, { 800, 0, UNIT_NONE }, "800x0" },
	{ "widex600", true, { 0, 600, UNIT_NONE }, "0x600" },
	{ "4294967295x1", true, { 4294967295U, 1, UNIT_NONE }, NULL },
	{ "4294967296x1", true, { 0, 1, UNIT_NONE }, "0x1" },
	{ "1x2x3", true, { 1, 0, UNIT_NONE }, "1x0" },
	{ "", false, { 7, 7, UNIT_PX }, NULL },
	{ "x", false, { 7, 7, UNIT_PX }, NULL },
	{ "px", false, { 7, 7, UNIT_PX }, NULL },
	{ "0x0", false, { 7, 7, UNIT_PX }, NULL },
	{ "-1x-1", false, { 7, 7, UNIT_PX }, NULL },
	{ "big", false, { 7, 7, UNIT_PX }, NULL },
	{ "1024 x 768", false, { 7, 7, UNIT_PX }, NULL },
};

static void parses_and_prints(void **state)
{
	(void)state;
	each_row(rows, row) {
		struct display_size size = { 7, 7, UNIT_PX };
		CLEANUP_STR struct str text = { 0 };
		bool ok = display_parse(span_of(row->name), &size);

		check(ok == row->ok, "'%s': %s", row->name, ok ? "accepted" : "refused");
		check(size.width == row->size.width && size.height == row->size.height &&
			      size.unit == row->size.unit,
		      "'%s': got %ux%u", row->name, size.width, size.height);
		display_print(&size, &text);
		check(!ok || span_is(str_span(&text), row->printed ? row->printed : row->name),
		      "'%s': printed %s", row->name, str_text(&text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(parses_and_prints) };

	return unit_main(tests);
}
