/* SPDX-License-Identifier: Apache-2.0 */
/* Overwriting what must not stay in memory. */
#include "base/secret.h"

#include <string.h>

#include "base/checked.h"
#include "base/mem.h"

void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void secret_str_done(struct str *s)
{
	if (s->ptr)
		explicit_bzero(s->ptr, s->room);
	str_done(s);
}

void secret_reserve(struct str *s, size_t extra)
{
	size_t need;
	char *moved;

	if (ckd_add(&need, s->len, extra) || ckd_add(&need, need, (size_t)1))
		mem_exhausted();
	if (need <= s->room || s->overflow || (s->cap && need - 1 > s->cap))
		return;
	moved = xcalloc(need, 1);
	if (s->ptr) {
		memcpy(moved, s->ptr, s->len);
		explicit_bzero(s->ptr, s->room);
		free(s->ptr);
	}
	s->ptr = moved;
	s->room = need;
}
