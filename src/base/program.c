/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for our programs beside the running one, then where things are installed; for others in PATH. */
#include "base/program.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/install.h"
#include "base/mem.h"
#include "base/span.h"

/* "/usr/bin/" of /usr/bin/tart; false when the program's file has gone, by an upgrade say: then nothing lies beside it. */
static bool own_folder(char *buf, size_t room)
{
	ssize_t n = readlink("/proc/self/exe", buf, room - 1);
	char *slash;

	if (n <= 0 || (size_t)n >= room - 1)
		return false;
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	if (!slash || access(buf, F_OK) != 0)
		return false;
	slash[1] = '\0';
	return true;
}

/* Takes over `path`. */
static char *if_executable(char *path)
{
	if (access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

char *program_path(const char *name)
{
	const char *relative = TART_LIBEXEC_FROM_BIN;
	char folder[PATH_MAX];
	char *found = NULL;

	if (own_folder(folder, sizeof(folder))) {
		found = if_executable(xasprintf("%s%s", folder, name));
		if (!found && *relative)
			found = if_executable(xasprintf("%s%s/%s", folder, relative, name));
	}
	return found ? found : if_executable(xasprintf("%s/%s", TART_LIBEXEC_DIR, name));
}

bool program_is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *executable_find(const char *name, const char *path_env)
{
	struct span rest = span_make(path_env, path_env ? strlen(path_env) : 0);
	struct span dir;

	while (span_next(&rest, ':', &dir)) {
		CLEANUP_FREE char *path = NULL;

		/* What a relative folder means depends on where we are. */
		if (!span_starts_with(dir, "/"))
			continue;
		path = xasprintf("%.*s/%s", SPAN_ARG(dir), name);
		if (program_is_executable(path))
			return TAKE_PTR(path);
	}
	return NULL;
}
