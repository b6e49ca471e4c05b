/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a guest's memory fits into this host. */
#include "machine/host_memory.h"

#include <fcntl.h>
#include <inttypes.h>

#include "base/checked.h"
#include "base/fs.h"
#include "base/number.h"

#define MEMINFO_MAX 16384

static struct span trim(struct span text)
{
	while (text.len > 0 && text.ptr[0] == ' ')
		text = span_from(text, 1);
	return text;
}

/* "<key>   <number> kB" */
static bool read_line(struct span meminfo, const char *key, uint64_t *ret_bytes)
{
	struct span line;
	uint64_t kib = 0;

	while (span_next(&meminfo, '\n', &line)) {
		if (!span_starts_with(line, key))
			continue;
		line = trim(span_from(line, strlen(key)));
		if (!span_ends_with(line, " kB"))
			return false;
		return number_parse_u64(span_first(line, line.len - 3), UINT64_MAX, &kib) &&
		       !ckd_mul(ret_bytes, kib, 1024u);
	}
	return false;
}

bool host_memory_parse(struct span meminfo, struct host_memory *ret)
{
	struct host_memory memory = { 0 };

	if (!read_line(meminfo, "MemTotal:", &memory.total_bytes) ||
	    !read_line(meminfo, "MemAvailable:", &memory.available_bytes) ||
	    !read_line(meminfo, "SwapTotal:", &memory.swap_total_bytes) ||
	    !read_line(meminfo, "SwapFree:", &memory.swap_free_bytes))
		return false;
	*ret = memory;
	return true;
}

bool host_memory_read(struct host_memory *ret, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };

	if (!fs_read_file(AT_FDCWD, "/proc/meminfo", MEMINFO_MAX, &text, err))
		return false;
	return host_memory_parse(str_span(&text), ret) ||
	       err_set(err, ERR_GENERAL, "cannot make sense of /proc/meminfo");
}

/* a <= b + c without overflow */
static bool fits(uint64_t a, uint64_t b, uint64_t c)
{
	return a <= b || a - b <= c;
}

enum memory_fit host_memory_fit(const struct host_memory *host, uint64_t guest_bytes,
				struct str *notice)
{
	if (!fits(guest_bytes, host->total_bytes, host->swap_total_bytes)) {
		str_addf(notice,
			 "The VM has %" PRIu64 " MiB of memory, this host only %" PRIu64
			 " MiB: it will be killed when it uses them",
			 guest_bytes >> 20, (host->total_bytes + host->swap_total_bytes) >> 20);
		return MEMORY_EXCESSIVE;
	}
	if (!fits(guest_bytes, host->available_bytes, host->swap_free_bytes)) {
		str_addf(notice,
			 "The VM has %" PRIu64 " MiB of memory, only %" PRIu64
			 " MiB are free on this host: it may be killed when it uses more",
			 guest_bytes >> 20, (host->available_bytes + host->swap_free_bytes) >> 20);
		return MEMORY_TIGHT;
	}
	return MEMORY_FITS;
}
