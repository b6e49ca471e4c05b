/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two kinds of locks the on-disk format uses (spec image-format.md 3).
 *
 * flock(2): on directories and temporary entries; belongs to the open file description, so the descriptor that
 * took it must stay open and close-on-exec. fcntl(2) record lock: on a bundle's config.json; belongs to the
 * process, tells its pid, and is lost when the process closes *any* descriptor of that file.
 */
#ifndef TART_BASE_LOCK_H
#define TART_BASE_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum lock_result { LOCK_TAKEN, LOCK_BUSY, LOCK_FAILED };

/* Exclusive flock without waiting. LOCK_FAILED sets *err. */
enum lock_result lock_try(int fd, struct err *err);

/* Exclusive flock; waits until it is free, ends early on cancellation (base/cancel.h). */
bool lock_wait(int fd, struct err *err);

/* Write record lock on the whole file, without waiting; fd is open for writing. */
enum lock_result lock_record_try(int fd, struct err *err);
void lock_record_release(int fd);

/* Whether another process holds a record lock. *ret_pid is 0 when the holder lives in another pid namespace.
 * fd needs read access only. Failing to ask counts as "not held". */
bool lock_record_is_held(int fd, pid_t *ret_pid);

#endif
