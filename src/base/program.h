/* SPDX-License-Identifier: Apache-2.0 */
/* Finding programs: the small ones that come with this one, and others. */
#ifndef TART_BASE_PROGRAM_H
#define TART_BASE_PROGRAM_H

#include <stdbool.h>

/*
 * The path of a program of ours: in the folder of the running program (a build folder, or both copied together), else
 * where the installation puts such programs: libexec/tart as configured, or the same place relative to the running
 * program, should the installation have been moved as a whole. NULL when it is nowhere. Owned.
 *
 * PATH is not searched: a program of ours that is handed secrets is not somebody's script of the same name.
 */
char *program_path(const char *name);

/* The first executable file `name` in the absolute folders of `path_env` ($PATH, may be NULL), else NULL. Owned. */
char *executable_find(const char *name, const char *path_env);

bool program_is_executable(const char *path); /* a regular file that we may execute */

#endif
