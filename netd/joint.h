/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two TCP connections joined into one: what comes in on either goes out on the other, by splice(2), so that no byte passes
 * through this program. An end of one direction is passed on alone; the other goes on until it has ended, too.
 */
#ifndef TART_NETD_JOINT_H
#define TART_NETD_JOINT_H

#include "base/loop.h"

struct joint;

/* Called once, from the loop, when both directions have ended or one connection broke; frees the joint first. */
typedef void joint_ended_fn(void *ctx);

/* Adopts both descriptors, also when it fails. They must not block. */
bool joint_new(struct loop *loop, int one, int other, joint_ended_fn *fn, void *ctx,
	       struct joint **ret, struct err *err);
void joint_free(struct joint *joint); /* accepts NULL; the function is not called */

#endif
