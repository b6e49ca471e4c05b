/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses, delays and waiting. */
#include "http/retry.h"

#include <errno.h>
#include <time.h>

#include "base/cancel.h"
#include "base/number.h"

bool retry_status(int status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

uint64_t retry_bound_ms(unsigned n, uint64_t base_ms)
{
	uint64_t bound_ms = base_ms;

	for (unsigned i = 1; i < n && bound_ms < RETRY_CAP_MS; i++)
		bound_ms *= 2;
	return bound_ms < RETRY_CAP_MS ? bound_ms : RETRY_CAP_MS;
}

static uint64_t seconds_until(const char *date, int64_t now)
{
	struct tm tm = { 0 };
	const char *end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	int64_t then;

	if (!end || *end)
		return 0;
	then = timegm(&tm);
	return then > now ? (uint64_t)(then - now) : 0;
}

uint64_t retry_after_s(const char *header, int64_t now)
{
	uint64_t seconds;

	if (!header)
		return 0;
	if (number_parse_u64(span_of(header), UINT64_MAX, &seconds))
		return seconds;
	return seconds_until(header, now);
}

/* In short pieces: a signal that arrives just before the sleep would not shorten it. */
bool retry_sleep(uint64_t ms, struct err *err)
{
	while (ms > 0) {
		uint64_t step = ms < 100 ? ms : 100;
		struct timespec ts = { .tv_nsec = (long)step * 1000000 };

		if (!cancel_check(err))
			return false;
		(void)nanosleep(&ts, NULL);
		ms -= step;
	}
	return cancel_check(err);
}
