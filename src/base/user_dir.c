/* SPDX-License-Identifier: Apache-2.0 */
/* Environment first, passwd entry second. */
#include "base/user_dir.h"

#include <pwd.h>
#include <unistd.h>

#include "base/mem.h"

char *user_dir_home(const char *home)
{
	char buf[4096];
	struct passwd entry;
	struct passwd *found = NULL;

	if (home && home[0])
		return xstrdup(home);
	if (getpwuid_r(getuid(), &entry, buf, sizeof(buf), &found) != 0 || !found ||
	    !found->pw_dir[0])
		return NULL;
	return xstrdup(found->pw_dir);
}

char *user_dir_config(const char *config_home, const char *home)
{
	CLEANUP_FREE char *below = NULL;

	if (config_home && config_home[0] == '/')
		return xstrdup(config_home);
	below = user_dir_home(home);
	return below ? xasprintf("%s/.config", below) : NULL;
}
