/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's virtio console (hvc0) on a terminal of the host: --serial makes one, --serial-path uses an existing
 * one, without either what the guest prints is dropped.
 *
 * Flow. The guest's output waits in a queue while the terminal takes no more; when the queue is full, the guest
 * waits. But a guest that writes to a console nobody reads must not stop for good: once the terminal has taken
 * nothing for a while, the oldest output is dropped for the newest until it takes something again. So a slow reader
 * loses nothing, and an absent one costs the guest one pause.
 *
 * We keep a descriptor of the pseudo-terminal's other side open: without one, the terminal would report a hang-up
 * whenever nobody is attached, and its settings would not last from one user to the next.
 */
#ifndef TART_MACHINE_TTY_H
#define TART_MACHINE_TTY_H

#include <termios.h>

#include "base/loop.h"

#define TTY_QUEUE_SIZE ((size_t)256 * 1024) /* bytes towards the terminal */
#define TTY_INPUT_SIZE ((size_t)4 * 1024)   /* bytes towards the guest */

struct tty {
	int fd;       /* -1 = none: output is dropped */
	int other_fd; /* of a pseudo-terminal, kept open */
	bool restore;
	struct termios before; /* settings of a terminal that was there before us */

	int guest_fd; /* our end of QEMU's character device */
	struct loop_source *tty_source;
	struct loop_source *guest_source;
	struct loop_source *patience;
	uint64_t patience_ms;
	bool lossy;         /* the terminal has taken nothing for patience_ms */
	char *queue;        /* ring of TTY_QUEUE_SIZE */
	size_t queue_start; /* of the oldest byte */
	size_t queue_len;
	char input[TTY_INPUT_SIZE];
	size_t input_len;
};

#define TTY_INIT                                         \
	{                                                \
		.fd = -1, .other_fd = -1, .guest_fd = -1 \
	}

#define TTY_NAME_SIZE 64

/* A fresh pseudo-terminal, raw, 115200 baud. */
bool tty_open_pty(struct tty *ret, char ret_name[TTY_NAME_SIZE], struct err *err);

/* An existing terminal, whose settings are given back in the end. ERR_GENERAL "Failed to open PTY". */
bool tty_open_path(const char *path, struct tty *ret, struct err *err);

/* Relays between the terminal (or nothing) and the guest. Adopts guest_fd, which must not block. */
bool tty_start(struct tty *tty, struct loop *loop, int guest_fd, uint64_t patience_ms,
	       struct err *err);

/* Ends relaying, having given the terminal what it takes at once; tty_start() may follow. */
void tty_stop(struct tty *tty);
void tty_done(struct tty *tty);

#endif
