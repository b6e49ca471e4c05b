/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and sizes as text. */
#include "cmd/notation.h"

#include <stdbool.h>

#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)

/* Seconds since the start of the month, all months as long as the longest. */
static int64_t within_month(const struct tm *t)
{
	return (((int64_t)t->tm_mday * 24 + t->tm_hour) * 60 + t->tm_min) * 60 + t->tm_sec;
}

/* Whole months of the calendar (UTC) between two times. */
static int64_t whole_months(time_t from, time_t to)
{
	struct tm a, b;
	int64_t months;

	if (!gmtime_r(&from, &a) || !gmtime_r(&to, &b))
		return 0;
	months = ((int64_t)b.tm_year - a.tm_year) * 12 + (b.tm_mon - a.tm_mon);
	return months > 0 && within_month(&b) < within_month(&a) ? months - 1 : months;
}

static int64_t largest_unit(time_t from, time_t to, const char **ret_unit)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = { { "week", WEEK }, { "day", DAY }, { "hour", HOUR }, { "minute", MINUTE } };
	int64_t seconds = to - from;
	int64_t months = whole_months(from, to);

	*ret_unit = months >= 12 ? "year" : "month";
	if (months > 0)
		return months >= 12 ? months / 12 : months;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		*ret_unit = units[i].name;
		if (seconds >= units[i].seconds)
			return seconds / units[i].seconds;
	}
	*ret_unit = "second";
	return seconds;
}

void date_add_relative(struct str *out, time_t when, time_t now)
{
	bool past = when < now;
	const char *unit;
	int64_t n = past ? largest_unit(when, now, &unit) : largest_unit(now, when, &unit);

	str_addf(out, "%s%lld %s%s%s", past ? "" : "in ", (long long)n, unit, n == 1 ? "" : "s",
		 past ? " ago" : "");
}

void date_add_iso(struct str *out, time_t when)
{
	struct tm t;
	char text[64];

	if (gmtime_r(&when, &t) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &t) > 0)
		str_add(out, text);
}

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
