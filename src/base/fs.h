/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and directories below a directory descriptor. Paths are a dirfd plus a name; no call here follows a
 * symbolic link in the last component unless it says so. Every descriptor is close-on-exec.
 */
#ifndef TART_BASE_FS_H
#define TART_BASE_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/span.h"
#include "base/str.h"

/* Opens a directory for use as a dirfd (O_PATH is not used: flock needs a real descriptor). Follows links. */
bool fs_open_dir(int dirfd, const char *name, int *ret_fd, struct err *err);

/* mkdir unless it is there already; anything but a directory in its place is an error. */
bool fs_make_dir(int dirfd, const char *name, mode_t mode, struct err *err);

/* Reads a whole regular file of at most `max` bytes into *out (appended); more is an error. Follows links. */
bool fs_read_file(int dirfd, const char *name, size_t max, struct str *out, struct err *err);

/* Reads from an open descriptor, from offset 0, whatever its position. */
bool fs_read_fd(int fd, size_t max, struct str *out, struct err *err);

/* Writes everything at `offset`, or fails. EINTR is retried. */
bool fs_pwrite_all(int fd, const void *data, size_t len, uint64_t offset, struct err *err);
bool fs_write_all(int fd, struct span data, struct err *err);

/* Puts a new file in place of `name` at once: temporary sibling, fsync, rename, fsync of the directory. */
bool fs_replace_file(int dirfd, const char *name, struct span content, mode_t mode,
		     struct err *err);

/* Deletes a file, link or directory tree without following links or crossing into other trees by races;
 * what is not there is no error. Never leaves `dirfd`. */
bool fs_remove_tree(int dirfd, const char *name, struct err *err);

/* fsync of a directory or file by descriptor; file systems that cannot do it (EINVAL) are forgiven. */
bool fs_sync(int fd, struct err *err);

bool fs_exists(int dirfd, const char *name); /* follows links; unreadable counts as absent */

/* True when two stats name the same inode. */
bool fs_same_inode(const struct stat *a, const struct stat *b);

/* Whether two descriptors lie on one file system, so that a rename or link from one to the other can work. */
bool fs_same_file_system(int fd_a, int fd_b);

/* True when `name` in `dirfd` still is the file behind `fd`: it was not replaced or removed meanwhile. */
bool fs_is_current(int dirfd, const char *name, int fd);

#endif
