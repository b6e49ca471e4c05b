/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a QEMU process: the table of lifecycle.h, cell by cell, and that every life ends. */
#include "machine/lifecycle.h"

#include <string.h>

#include "unit.h"

#define SAME LIFE_STATE_COUNT /* changes nothing */

static void follows_the_table_of_the_header(void **state)
{
	static const struct {
		const char *name;
		enum life_event event;
		enum life_state to
			[LIFE_STATE_COUNT]; /* starting, booting, running, asked, quitting, leaving, killed, ended */
	} rows[] = {
		{ "ready", LIFE_READY, { LIFE_BOOTING, SAME, SAME, SAME, SAME, SAME, SAME, SAME } },
		{ "resumed",
		  LIFE_RESUMED,
		  { SAME, LIFE_RUNNING, SAME, SAME, SAME, SAME, SAME, SAME } },
		{ "ask",
		  LIFE_ASK,
		  { LIFE_KILLED, LIFE_QUITTING, LIFE_ASKED, LIFE_QUITTING, SAME, SAME, SAME,
		    SAME } },
		{ "quit",
		  LIFE_QUIT,
		  { LIFE_KILLED, LIFE_QUITTING, LIFE_QUITTING, LIFE_QUITTING, SAME, SAME, SAME,
		    SAME } },
		{ "leave",
		  LIFE_LEAVE,
		  { LIFE_LEAVING, LIFE_LEAVING, LIFE_LEAVING, LIFE_LEAVING, LIFE_LEAVING, SAME,
		    SAME, SAME } },
		{ "break",
		  LIFE_BREAK,
		  { LIFE_KILLED, LIFE_KILLED, LIFE_KILLED, LIFE_KILLED, LIFE_KILLED, LIFE_KILLED,
		    SAME, SAME } },
		{ "late",
		  LIFE_LATE,
		  { SAME, SAME, SAME, LIFE_QUITTING, LIFE_KILLED, LIFE_KILLED, SAME, SAME } },
		{ "end",
		  LIFE_END,
		  { LIFE_ENDED, LIFE_ENDED, LIFE_ENDED, LIFE_ENDED, LIFE_ENDED, LIFE_ENDED,
		    LIFE_ENDED, SAME } },
	};

	(void)state;
	assert_int_equal(ARRAY_LEN(rows), LIFE_EVENT_COUNT);
	each_row(rows, row) {
		for (int from = 0; from < LIFE_STATE_COUNT; from++) {
			enum life_state want = row->to[from] == SAME ? (enum life_state)from :
								       row->to[from];
			enum life_state got = life_next((enum life_state)from, row->event);

			check(got == want, "%s from %s: %s", row->name,
			      life_state_name((enum life_state)from), life_state_name(got));
		}
	}
}

/* Whoever wants a VM to end gets its end by deadlines alone: at most so many, whatever QEMU does not do. */
static void a_stop_leads_to_the_kill_by_deadlines_alone(void **state)
{
	static const enum life_event stops[] = { LIFE_ASK, LIFE_QUIT, LIFE_LEAVE, LIFE_BREAK };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
		for (int from = LIFE_STARTING; from < LIFE_KILLED; from++) {
			enum life_state life = life_next((enum life_state)from, stops[i]);

			for (int deadline = 0; deadline < 2; deadline++)
				life = life_next(life, LIFE_LATE);
			check(life == LIFE_KILLED, "from %s: %s",
			      life_state_name((enum life_state)from), life_state_name(life));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_table_of_the_header),
		cmocka_unit_test(a_stop_leads_to_the_kill_by_deadlines_alone),
	};

	return unit_main(tests);
}
