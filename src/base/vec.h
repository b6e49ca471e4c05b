/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A typed growable array. VEC(struct disk) declares the type in place:
 *
 *	VEC(struct disk) disks = { 0 };
 *	*vec_push(&disks) = disk;           the new last element, zeroed
 *	vec_each(&disks, d) use(d);         d is a pointer to each element in turn
 *	vec_done(&disks);                   frees the array, not what its elements own
 *
 * Growth that cannot be had ends the process through mem_exhausted() (base/mem.h).
 */
#ifndef TART_BASE_VEC_H
#define TART_BASE_VEC_H

#include "base/mem.h"

#define VEC(type)           \
	struct {            \
		type *v;    \
		size_t n;   \
		size_t cap; \
	}

#define vec_push(vec)                                                              \
	__extension__({                                                            \
		__typeof__(vec) vec_ = (vec);                                      \
		if (vec_->n == vec_->cap)                                          \
			vec_->v = mem_grow(vec_->v, &vec_->cap, sizeof(*vec_->v)); \
		memset(&vec_->v[vec_->n], 0, sizeof(*vec_->v));                    \
		&vec_->v[vec_->n++];                                               \
	})

#define vec_each(vec, item) \
	for (__typeof__((vec)->v + 0) item = (vec)->v; item && item < (vec)->v + (vec)->n; item++)

#define vec_done(vec)                           \
	do {                                    \
		__typeof__(vec) vec_ = (vec);   \
		free(vec_->v);                  \
		memset(vec_, 0, sizeof(*vec_)); \
	} while (0)

#endif
