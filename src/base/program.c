/* SPDX-License-Identifier: Apache-2.0 */
/* Looking beside the running program, then where things are installed. */
#include "base/program.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/install.h"
#include "base/mem.h"

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
