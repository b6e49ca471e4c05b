/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as text. */
#include "cmd/notation.h"

#include <stdbool.h>
#include <stdint.h>

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
