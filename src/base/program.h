/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the small programs that come with this one. */
#ifndef TART_BASE_PROGRAM_H
#define TART_BASE_PROGRAM_H

/*
 * The path of a program of ours: in the folder of the running program (a build folder, or both copied together), else
 * where the installation puts such programs: libexec/tart as configured, or the same place relative to the running
 * program, should the installation have been moved as a whole. NULL when it is nowhere. Owned.
 *
 * PATH is not searched: a program of ours that is handed secrets is not somebody's script of the same name.
 */
char *program_path(const char *name);

#endif
