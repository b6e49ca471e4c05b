/* SPDX-License-Identifier: Apache-2.0 */
/* Version of the program, kernel and machine. */
#include "registry/user_agent.h"

#include <sys/utsname.h>

#include "base/mem.h"
#include "base/version.h"

char *registry_user_agent(void)
{
	struct utsname host = { 0 };

	/* It fails for a bad address only. */
	(void)uname(&host);
	return xasprintf("Tart/%s (%s %s; %s)", TART_VERSION, host.sysname, host.release,
			 host.machine);
}
