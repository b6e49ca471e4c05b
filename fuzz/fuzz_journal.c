/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a pull: what is read of it prints as the same journal, and lies within its disk. */
#include "registry/journal.h"

#include <string.h>

#include "fuzz.h"

static bool same_entry(const struct journal_entry *a, const struct journal_entry *b)
{
	return a->offset == b->offset && a->data_bytes == b->data_bytes &&
	       strcmp(a->data_digest, b->data_digest) == 0;
}

static void try_text(struct span text)
{
	CLEANUP(journal_text_done) struct journal_text journal = { .disk = { 0 } };
	CLEANUP(journal_text_done) struct journal_text again = { .disk = { 0 } };
	CLEANUP_STR struct str printed = { 0 };

	if (!journal_parse(text, &journal))
		return;
	vec_each(&journal.entries, entry) {
		fuzz_check(entry->offset <= journal.disk.size_bytes);
		fuzz_check(entry->data_bytes <= journal.disk.size_bytes - entry->offset);
	}
	journal_print(&journal, &printed);
	fuzz_check(journal_parse(str_span(&printed), &again));
	fuzz_check(memcmp(&journal.disk, &again.disk, sizeof(again.disk)) == 0);
	fuzz_check(journal.entries.n == again.entries.n);
	for (size_t i = 0; i < again.entries.n; i++)
		fuzz_check(same_entry(&journal.entries.v[i], &again.entries.v[i]));
}

/* The same with a right check at the end of each line, which no fuzzer finds. */
static void add_checks(struct span text, struct str *out)
{
	char hex[DIGEST_HEX_SIZE];
	struct span line;

	while (span_next(&text, '\n', &line)) {
		digest_of(line, hex);
		str_add_span(out, line);
		str_addf(out, " %.16s\n", hex);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	CLEANUP_STR struct str checked = { 0 };

	try_text(text);
	add_checks(text, &checked);
	try_text(str_span(&checked));
	return 0;
}
