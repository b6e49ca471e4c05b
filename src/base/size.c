/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes as text. */
#include "base/size.h"

void size_add_human(struct str *out, uint64_t bytes)
{
	static const struct {
		const char *name;
		uint64_t bytes;
		uint64_t steps; /* 10 to the number of decimals */
	} units[] = {
		{ "bytes", 1, 1 },
		{ "KB", 1000, 1 },
		{ "MB", 1000 * 1000, 10 },
		{ "GB", 1000 * 1000 * 1000, 100 },
		{ "TB", 1000ULL * 1000 * 1000 * 1000, 100 },
		{ "PB", 1000ULL * 1000 * 1000 * 1000 * 1000, 100 },
		{ "EB", 1000ULL * 1000 * 1000 * 1000 * 1000 * 1000, 100 },
	};
	uint64_t n = bytes;
	size_t i = 0;

	/* Rounding may reach the next unit: 999,999 bytes are 1 MB, not 1000 KB. */
	while (n >= 1000 * units[i].steps && i + 1 < ARRAY_LEN(units)) {
		uint64_t step;

		i++;
		step = units[i].bytes / units[i].steps;
		n = bytes / step + (bytes % step >= (step + 1) / 2);
	}
	str_addf(out, "%llu", (unsigned long long)(n / units[i].steps));
	if (n % units[i].steps > 0) {
		unsigned hundredths = (unsigned)(n % units[i].steps * (100 / units[i].steps));

		str_addf(out, hundredths % 10 > 0 ? ".%02u" : ".%u",
			 hundredths % 10 > 0 ? hundredths : hundredths / 10);
	}
	str_addf(out, " %s", i == 0 && n == 1 ? "byte" : units[i].name);
}
