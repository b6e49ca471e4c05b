/* SPDX-License-Identifier: Apache-2.0 */
/* Names in a directory, read without disturbing its access time. */
#ifndef TART_STORAGE_DIR_H
#define TART_STORAGE_DIR_H

#include "base/err.h"
#include "base/vec.h"

struct name_list {
	VEC(char *) names; /* owned, byte order */
};

void name_list_done(struct name_list *list);

/* Everything in the directory but "." and "..", sorted. `dir_fd` is any descriptor of it, its position unused. */
bool dir_list(int dir_fd, struct name_list *ret, struct err *err);

#endif
