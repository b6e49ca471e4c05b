/* SPDX-License-Identifier: Apache-2.0 */
/* Names in a directory. */
#include "storage/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static void close_dir(DIR **slot)
{
	if (*slot)
		(void)closedir(*slot);
}

void name_list_done(struct name_list *list)
{
	vec_each(&list->names, name)
		free(*name);
	vec_done(&list->names);
}

/* A descriptor of its own: readdir moves the position. O_NOATIME is for the owner only. */
static DIR *open_for_reading(int dir_fd)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd = openat(dir_fd, ".", flags | O_NOATIME);
	DIR *dir;

	if (fd < 0 && errno == EPERM)
		fd = openat(dir_fd, ".", flags);
	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		(void)close(fd);
	return dir;
}

static int by_bytes(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

bool dir_list(int dir_fd, struct name_list *ret, struct err *err)
{
	CLEANUP(close_dir) DIR *dir = open_for_reading(dir_fd);
	CLEANUP(name_list_done) struct name_list list = { 0 };

	if (!dir)
		return err_sys(err, errno, "cannot open a directory");
	for (;;) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			*vec_push(&list.names) = xstrdup(entry->d_name);
	}
	if (errno != 0)
		return err_sys(err, errno, "cannot list a directory");
	if (list.names.n > 1)
		qsort(list.names.v, list.names.n, sizeof(*list.names.v), by_bytes);
	*ret = list;
	list = (struct name_list){ 0 };
	return true;
}
