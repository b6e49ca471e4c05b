/* SPDX-License-Identifier: Apache-2.0 */
/* CONNECT, OK and ERR. */
#include "proto/hybrid.h"

#include "base/number.h"

static const char *const reasons[] = {
	[HYBRID_NOT_READY] = "not-ready", [HYBRID_REFUSED] = "refused",
	[HYBRID_TIMEOUT] = "timeout",     [HYBRID_BUSY] = "busy",
	[HYBRID_GONE] = "gone",           [HYBRID_INVALID] = "invalid",
};

/* A line of at most `max` bytes without its newline. */
static enum hybrid_result find_line(struct span bytes, size_t max, struct span *ret)
{
	size_t end = span_find(bytes, '\n');

	if (end >= max)
		return HYBRID_BAD;
	if (end == bytes.len)
		return HYBRID_LATER;
	*ret = span_first(bytes, end);
	return HYBRID_LINE;
}

static bool get_port(struct span line, const char *word, uint32_t *ret)
{
	uint64_t port;

	if (!span_starts_with(line, word) ||
	    !number_parse_u64(span_from(line, strlen(word)), UINT32_MAX, &port))
		return false;
	*ret = (uint32_t)port;
	return true;
}

enum hybrid_result hybrid_get_connect(struct span bytes, uint32_t *ret_port, size_t *ret_used)
{
	struct span line;
	enum hybrid_result result = find_line(bytes, HYBRID_CONNECT_MAX, &line);

	if (result != HYBRID_LINE)
		return result;
	if (!get_port(line, "CONNECT ", ret_port))
		return HYBRID_BAD;
	*ret_used = line.len + 1;
	return HYBRID_LINE;
}

static bool get_reason(struct span line, enum hybrid_reason *ret)
{
	if (!span_starts_with(line, "ERR "))
		return false;
	for (size_t i = HYBRID_NOT_READY; i < ARRAY_LEN(reasons); i++) {
		if (span_is(span_from(line, strlen("ERR ")), reasons[i])) {
			*ret = (enum hybrid_reason)i;
			return true;
		}
	}
	return false;
}

enum hybrid_result hybrid_get_answer(struct span bytes, enum hybrid_reason *ret_reason,
				     uint32_t *ret_host_port, size_t *ret_used)
{
	struct span line;
	enum hybrid_result result = find_line(bytes, HYBRID_ANSWER_MAX, &line);

	if (result != HYBRID_LINE)
		return result;
	if (get_port(line, "OK ", ret_host_port))
		*ret_reason = HYBRID_OK;
	else if (!get_reason(line, ret_reason))
		return HYBRID_BAD;
	*ret_used = line.len + 1;
	return HYBRID_LINE;
}

void hybrid_put_connect(uint32_t port, struct str *out)
{
	str_addf(out, "CONNECT %u\n", port);
}

void hybrid_put_answer(enum hybrid_reason reason, uint32_t host_port, struct str *out)
{
	if (reason == HYBRID_OK)
		str_addf(out, "OK %u\n", host_port);
	else
		str_addf(out, "ERR %s\n", reasons[reason]);
}
