/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores a bundle as an image in the cache of $TART_HOME, as the end of a pull does it: `store_image FOLDER NAME DIGEST`.
 * torture.c kills it, too.
 */
#include <fcntl.h>

#include "base/fs.h"
#include "image/copy.h"
#include "storage/bundle.h"
#include "storage/cache_store.h"

static bool fill(const char *folder, struct temp *temp, struct err *err)
{
	static const char *const files[] = { BUNDLE_CONFIG, BUNDLE_DISK, BUNDLE_NVRAM };
	CLEANUP_CLOSE int from_fd = -1;

	if (!fs_open_dir(AT_FDCWD, folder, &from_fd, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (!copy_file(from_fd, files[i], temp->fd, files[i], 0600, NULL, err))
			return false;
	return true;
}

static bool store(const struct home *home, const char *folder, const struct remote_name *name,
		  const char *digest, struct err *err)
{
	CLEANUP(cache_unlock_host) struct cache_lock lock = CACHE_LOCK_INIT;
	CLEANUP(temp_done) struct temp temp = TEMP_INIT;

	return cache_lock_host(home, name->host, NULL, &lock, err) &&
	       temp_make_image(home, &temp, err) && fill(folder, &temp, err) &&
	       cache_fade(home, name, err) && cache_install(home, name, digest, &temp, err) &&
	       cache_link(home, name, digest, err) &&
	       cache_collect_host(home, &lock, name->host, err);
}

int main(int argc, char **argv)
{
	CLEANUP(home_done) struct home home = HOME_INIT;
	CLEANUP(remote_name_done) struct remote_name name = { 0 };
	struct err err = { 0 };

	if (argc != 4)
		return 64;
	if (home_open(getenv("TART_HOME"), NULL, &home, &err) &&
	    remote_name_parse(span_of(argv[2]), &name, &err) &&
	    store(&home, argv[1], &name, argv[3], &err))
		return 0;
	fprintf(stderr, "Error: %s\n", err.text);
	return 1;
}
