/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2: headers, and the tables behind a header that is accepted. */
#include "image/qcow2.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static bool lies_within(struct span part, struct span whole)
{
	return part.len == 0 ||
	       (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/* Runs follow each other without gaps and end with the disk. A large disk of small clusters would take long. */
static void walk(struct qcow2_map *map, uint64_t size_bytes)
{
	struct err err = { 0 };
	struct qcow2_run run;
	uint64_t at = 0;

	for (int i = 0; i < 1000 && at < size_bytes; i++) {
		if (!qcow2_map_run(map, at, &run, &err))
			return;
		fuzz_check(run.start == at && run.len > 0 && run.len <= size_bytes - at);
		at += run.len;
	}
}

static void map_file(const uint8_t *data, size_t size, const struct qcow2_header *header)
{
	int fd = memfd_create("qcow2", MFD_CLOEXEC);
	struct qcow2_map *map = NULL;
	struct err err = { 0 };

	fuzz_check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	if (qcow2_map_open(fd, header, &map, &err))
		walk(map, header->size_bytes);
	qcow2_map_free(map);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span head = { (const char *)data,
			     size < QCOW2_HEAD_BYTES ? size : QCOW2_HEAD_BYTES };
	struct qcow2_header header = { 0 };
	struct err err = { 0 };

	if (!qcow2_parse(head, &header, &err)) {
		fuzz_check(err.kind == ERR_GENERAL && err.text[0] && header.version == 0);
		return 0;
	}
	fuzz_check(header.version == 2 || header.version == 3);
	fuzz_check(lies_within(header.backing_file, head));
	fuzz_check(lies_within(header.backing_format, head));
	fuzz_check(header.backing_file.len <= QCOW2_BACKING_MAX);
	map_file(data, size, &header);
	return 0;
}
