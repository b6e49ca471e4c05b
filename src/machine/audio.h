/* SPDX-License-Identifier: Apache-2.0 */
/* Which of QEMU's sound backends reaches the user's ears. */
#ifndef TART_MACHINE_AUDIO_H
#define TART_MACHINE_AUDIO_H

#include <stdbool.h>

#include "base/span.h"

/* What the user's session offers. */
struct audio_session {
	bool pipewire, pulse;
};

/* `drivers` is what `qemu-system-… -audiodev help` prints, a driver a line. "pipewire", "pa" or NULL. Pure. */
const char *audio_choose(struct span drivers, const struct audio_session *session);

/* Asks the session and this QEMU (some 30 ms); NULL when there is nothing to be heard. */
const char *audio_find_backend(const char *qemu_path);

#endif
