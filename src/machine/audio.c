/* SPDX-License-Identifier: Apache-2.0 */
/* Sound backends. */
#include "machine/audio.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/child.h"
#include "base/mem.h"

#define DRIVERS_MAX ((size_t)64 * 1024) /* bytes of QEMU's list; it has some hundred */

static bool lists(struct span drivers, const char *name)
{
	struct span line;

	while (span_next(&drivers, '\n', &line))
		if (span_is(line, name))
			return true;
	return false;
}

const char *audio_choose(struct span drivers, const struct audio_session *session)
{
	if (session->pipewire && lists(drivers, "pipewire"))
		return "pipewire";
	return session->pulse && lists(drivers, "pa") ? "pa" : NULL;
}

static bool has_socket(const char *name)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	CLEANUP_FREE char *path = dir ? xasprintf("%s/%s", dir, name) : NULL;

	return path && access(path, W_OK) == 0;
}

const char *audio_find_backend(const char *qemu_path)
{
	const char *const argv[] = { qemu_path, "-audiodev", "help", NULL };
	/* Only servers that are there: a sandboxed QEMU cannot start one. */
	const struct audio_session session = {
		.pipewire = has_socket("pipewire-0"),
		.pulse = getenv("PULSE_SERVER") || has_socket("pulse/native"),
	};
	CLEANUP_STR struct str drivers = { 0 };
	struct err ignored = { 0 };

	if ((!session.pipewire && !session.pulse) ||
	    !child_run(argv, DRIVERS_MAX, &drivers, &ignored))
		return NULL;
	return audio_choose(str_span(&drivers), &session);
}
