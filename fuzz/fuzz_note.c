/* SPDX-License-Identifier: Apache-2.0 */
/* overlay.json: what is accepted prints as the same note. */
#include "image/note.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };
	struct note note;
	struct note again;

	if (!note_parse(span_make((const char *)data, size), &note, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && err.text[0]);
		return 0;
	}
	note_print(&note, &text);
	fuzz_check(note_parse(str_span(&text), &again, &err));
	fuzz_check(base_id_equal(&note.base, &again.base));
	fuzz_check(note.has_replacement == again.has_replacement);
	fuzz_check(!note.has_replacement || base_id_equal(&note.replacement, &again.replacement));
	return 0;
}
