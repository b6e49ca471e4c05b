/* SPDX-License-Identifier: Apache-2.0 */
/* Finding virtiofsd. */
#include "machine/virtiofsd.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/program.h"

#define DESCRIPTOR_MAX (64 * 1024)

/* Where distributions put it, outside of PATH. */
static const char usual_dirs[] = "/usr/libexec:/usr/lib/qemu:/usr/lib";

char *virtiofsd_descriptor_parse(struct span text)
{
	CLEANUP_JSON struct json *root = NULL;
	struct err ignored = { 0 };
	const char *type;
	const char *binary;

	if (!json_parse(text, &root, &ignored))
		return NULL;
	type = json_member_text(root, "type");
	binary = json_member_text(root, "binary");
	if (!type || strcmp(type, "fs") != 0 || !binary || binary[0] != '/')
		return NULL;
	return xstrdup(binary);
}

static char *read_descriptor(int dirfd, const char *name)
{
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_FREE char *binary = NULL;
	struct err ignored = { 0 };

	if (!fs_read_file(dirfd, name, DESCRIPTOR_MAX, &text, &ignored))
		return NULL;
	binary = virtiofsd_descriptor_parse(str_span(&text));
	return binary && access(binary, X_OK) == 0 ? TAKE_PTR(binary) : NULL;
}

static int is_descriptor(const struct dirent *entry)
{
	return span_ends_with(span_of(entry->d_name), ".json");
}

static char *find_by_descriptor(const char *dir)
{
	CLEANUP_CLOSE int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries = NULL;
	char *found = NULL;
	int n = dirfd < 0 ? 0 : scandir(dir, &entries, is_descriptor, alphasort);

	for (int i = 0; i < n; i++) {
		if (!found)
			found = read_descriptor(dirfd, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return found;
}

char *virtiofsd_find(const char *descriptor_dir, const char *path_env)
{
	char *found = find_by_descriptor(descriptor_dir);

	if (!found)
		found = executable_find("virtiofsd", usual_dirs);
	return found ? found : executable_find("virtiofsd", path_env);
}
