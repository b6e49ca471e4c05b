/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: what is accepted can be changed and printed, and reads as the same with nothing lost. */
#include "storage/config.h"

#include "fuzz.h"

static void check_same(const struct config *a, const struct config *b)
{
	fuzz_check(a->version == b->version && a->os == b->os && a->arch == b->arch);
	fuzz_check(a->cpu_count == b->cpu_count && a->cpu_count_min == b->cpu_count_min);
	fuzz_check(a->memory_bytes == b->memory_bytes &&
		   a->memory_min_bytes == b->memory_min_bytes);
	fuzz_check(mac_equal(&a->mac, &b->mac));
	fuzz_check(a->display.width == b->display.width && a->display.height == b->display.height);
	fuzz_check(a->display.unit == b->display.unit && a->display_refit == b->display_refit);
	fuzz_check(strcmp(a->disk_format_text, b->disk_format_text) == 0);
	fuzz_check(json_count(a->tree) == json_count(b->tree));
}

static void check_reads_the_same(const struct config *config)
{
	CLEANUP(config_done) struct config again = { 0 };
	CLEANUP_STR struct str text = { 0 };
	struct err err = { 0 };

	config_print(config, &text);
	fuzz_check(config_parse(str_span(&text), &again, &err));
	check_same(config, &again);
}

static void change_everything(struct config *config)
{
	static const struct display_size display = { 3, 4, UNIT_PX };
	static const struct mac mac = { { 2, 0, 0, 0, 0, 1 } };

	config_set_cpu_count(config, 1);
	config_set_memory(config, UINT64_MAX);
	config_set_mac(config, &mac);
	config_set_display(config, &display);
	config_set_display_refit(config, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(config_done) struct config config = { 0 };
	struct err err = { 0 };

	if (!config_parse(span_make((const char *)data, size), &config, &err)) {
		fuzz_check(!config.tree && err.text[0]);
		return 0;
	}
	check_reads_the_same(&config);
	change_everything(&config);
	check_reads_the_same(&config);
	return 0;
}
