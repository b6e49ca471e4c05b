/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one QEMU process as its supervisor sees it: states, which follows which, what is allowed in each.
 *
 *	state      what is true                                   deadline, and what it leads to
 *	STARTING   the process runs, QMP is not negotiated        of the QMP client: BREAK -> KILLED
 *	BOOTING    QMP works; the guest is being started
 *	RUNNING    the guest runs
 *	ASKED      SIGINT: the guest has heard the power button   25 s -> QUITTING
 *	QUITTING   QEMU was told to quit                          5 s -> KILLED
 *	LEAVING    QEMU said that the guest has ended, or closed  10 s -> KILLED
 *	           its QMP connection
 *	KILLED     SIGKILL was sent
 *	ENDED      the process was reaped: nothing follows
 *
 *	event      STARTING  BOOTING   RUNNING   ASKED     QUITTING  LEAVING   KILLED
 *	READY      BOOTING   -         -         -         -         -         -        QMP is negotiated
 *	RESUMED    -         RUNNING   -         -         -         -         -        the guest runs
 *	ASK        KILLED    QUITTING  ASKED     QUITTING  -         -         -        SIGINT, a guest that hears
 *	QUIT       KILLED    QUITTING  QUITTING  QUITTING  -         -         -        SIGTERM, SIGHUP, deaf guests
 *	LEAVE      LEAVING   LEAVING   LEAVING   LEAVING   LEAVING   -         -        SHUTDOWN event, QMP closed
 *	BREAK      KILLED    KILLED    KILLED    KILLED    KILLED    KILLED    -        QEMU breaks its protocol or hangs
 *	LATE       -         -         -         QUITTING  KILLED    KILLED    -        the deadline has passed
 *	END        ENDED in every state                                                 the process has ended
 *
 * "-": the event changes nothing. Before BOOTING nothing of the guest has run, so there is nothing to be gentle with.
 */
#ifndef TART_MACHINE_LIFECYCLE_H
#define TART_MACHINE_LIFECYCLE_H

enum life_state {
	LIFE_STARTING,
	LIFE_BOOTING,
	LIFE_RUNNING,
	LIFE_ASKED,
	LIFE_QUITTING,
	LIFE_LEAVING,
	LIFE_KILLED,
	LIFE_ENDED,
	LIFE_STATE_COUNT
};

enum life_event {
	LIFE_READY,
	LIFE_RESUMED,
	LIFE_ASK,
	LIFE_QUIT,
	LIFE_LEAVE,
	LIFE_BREAK,
	LIFE_LATE,
	LIFE_END,
	LIFE_EVENT_COUNT
};

/* The table above. Pure. */
enum life_state life_next(enum life_state state, enum life_event event);

const char *life_state_name(enum life_state state);

#endif
