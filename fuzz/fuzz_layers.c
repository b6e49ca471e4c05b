/* SPDX-License-Identifier: Apache-2.0 */
/* Records of layers, without the first line, whose digest a fuzzer would never find. */
#include "image/layers.h"

#include "fuzz.h"

static bool parse(struct span body, struct disk_layers *ret, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	char digest[DIGEST_HEX_SIZE];

	digest_of(body, digest);
	str_addf(&text, "tart-layers 1 %s\n", digest);
	str_add_span(&text, body);
	return disk_layers_parse(str_span(&text), ret, err);
}

/* What is accepted prints as something that is accepted and prints the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span body = { (const char *)data, size };
	struct disk_layers layers = { .has_overlay = false };
	struct disk_layers again = { .has_overlay = false };
	CLEANUP_STR struct str printed = { 0 };
	CLEANUP_STR struct str printed_again = { 0 };
	struct err err = { 0 };

	(void)disk_layers_parse(body, &layers, &err);
	disk_layers_done(&layers);
	if (!parse(body, &layers, &err)) {
		fuzz_check(err.text[0] && layers.items.n == 0);
		return 0;
	}
	disk_layers_print(&layers, &printed);
	fuzz_check(disk_layers_parse(str_span(&printed), &again, &err));
	disk_layers_print(&again, &printed_again);
	fuzz_check(span_equal(str_span(&printed), str_span(&printed_again)));
	fuzz_check(again.items.n == layers.items.n && again.origins.n == layers.origins.n);
	disk_layers_done(&layers);
	disk_layers_done(&again);
	return 0;
}
