/* SPDX-License-Identifier: Apache-2.0 */
/* The transition table of a QEMU process. */
#include "machine/lifecycle.h"

/* One more than the state, so that what is not listed (0) stays where it is. */
#define TO(state) (LIFE_##state + 1)

static const unsigned char table[LIFE_EVENT_COUNT][LIFE_STATE_COUNT] = {
	[LIFE_READY] = { [LIFE_STARTING] = TO(BOOTING) },
	[LIFE_RESUMED] = { [LIFE_BOOTING] = TO(RUNNING) },
	[LIFE_ASK] = { [LIFE_STARTING] = TO(KILLED),
		       [LIFE_BOOTING] = TO(QUITTING),
		       [LIFE_RUNNING] = TO(ASKED),
		       [LIFE_ASKED] = TO(QUITTING) },
	[LIFE_QUIT] = { [LIFE_STARTING] = TO(KILLED),
			[LIFE_BOOTING] = TO(QUITTING),
			[LIFE_RUNNING] = TO(QUITTING),
			[LIFE_ASKED] = TO(QUITTING) },
	[LIFE_LEAVE] = { [LIFE_STARTING] = TO(LEAVING),
			 [LIFE_BOOTING] = TO(LEAVING),
			 [LIFE_RUNNING] = TO(LEAVING),
			 [LIFE_ASKED] = TO(LEAVING),
			 [LIFE_QUITTING] = TO(LEAVING) },
	[LIFE_BREAK] = { [LIFE_STARTING] = TO(KILLED),
			 [LIFE_BOOTING] = TO(KILLED),
			 [LIFE_RUNNING] = TO(KILLED),
			 [LIFE_ASKED] = TO(KILLED),
			 [LIFE_QUITTING] = TO(KILLED),
			 [LIFE_LEAVING] = TO(KILLED) },
	[LIFE_LATE] = { [LIFE_ASKED] = TO(QUITTING),
			[LIFE_QUITTING] = TO(KILLED),
			[LIFE_LEAVING] = TO(KILLED) },
	[LIFE_END] = { [LIFE_STARTING] = TO(ENDED),
		       [LIFE_BOOTING] = TO(ENDED),
		       [LIFE_RUNNING] = TO(ENDED),
		       [LIFE_ASKED] = TO(ENDED),
		       [LIFE_QUITTING] = TO(ENDED),
		       [LIFE_LEAVING] = TO(ENDED),
		       [LIFE_KILLED] = TO(ENDED) },
};

enum life_state life_next(enum life_state state, enum life_event event)
{
	unsigned char to = table[event][state];

	return to == 0 ? state : (enum life_state)(to - 1);
}

const char *life_state_name(enum life_state state)
{
	static const char *const names[LIFE_STATE_COUNT] = {
		[LIFE_STARTING] = "starting", [LIFE_BOOTING] = "booting",
		[LIFE_RUNNING] = "running",   [LIFE_ASKED] = "asked",
		[LIFE_QUITTING] = "quitting", [LIFE_LEAVING] = "leaving",
		[LIFE_KILLED] = "killed",     [LIFE_ENDED] = "ended",
	};

	return names[state];
}
