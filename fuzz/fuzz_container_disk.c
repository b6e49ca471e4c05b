/* SPDX-License-Identifier: Apache-2.0 */
/* The tar of a container image's layer, applied twice: names, whiteouts, sparse maps, sizes. */
#include "image/container_disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/reader.h"
#include "fuzz.h"
#include "image/disk.h"

static bool next(void *ctx, struct span *ret, struct err *err)
{
	struct reader *reader = ctx;
	size_t left = reader_rest(reader).len;

	(void)err;
	return reader_take(reader, left < 700 ? left : 700, ret);
}

static bool add(struct container_disk *disk, struct span tar, struct err *err)
{
	struct reader reader = reader_of(tar);

	return container_disk_add_layer(disk, (struct byte_source){ .next = next, .ctx = &reader },
					err);
}

/* Whatever the tar says, there is at most one file afterwards, and it has its own name. */
static void check_directory(int dirfd, bool ok)
{
	struct stat st;

	fuzz_check(fs_exists(dirfd, DISK_FILE) == ok);
	fuzz_check(fstat(dirfd, &st) == 0 && st.st_nlink <= 2);
	if (ok)
		fuzz_check(unlinkat(dirfd, DISK_FILE, 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span input = { (const char *)bytes, size };
	char path[] = "/tmp/tart-fuzz.XXXXXX";
	struct container_disk *disk;
	struct err err = { 0 };
	int dirfd;
	bool ok;

	fuzz_check(mkdtemp(path) != NULL);
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fuzz_check(dirfd >= 0);
	disk = container_disk_new(dirfd);
	ok = add(disk, input, &err);
	ok = ok && add(disk, input, &err) && container_disk_finish(disk, &err);
	container_disk_free(disk);
	check_directory(dirfd, ok);
	(void)close(dirfd);
	/* Nothing is left in it. */
	fuzz_check(rmdir(path) == 0);
	return 0;
}
