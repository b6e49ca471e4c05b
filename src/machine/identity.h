/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As whom QEMU runs. An ordinary user's runs as that user. Root's does not run as root: as the owner of the bundle,
 * or if that is root too, as TART_QEMU_USER (default: nobody). It gets its files as descriptors, so it needs no
 * right to any; only /dev/kvm it opens itself, hence that group.
 */
#ifndef TART_MACHINE_IDENTITY_H
#define TART_MACHINE_IDENTITY_H

#include "base/child.h"

struct identity {
	bool changes; /* false: as we are, `as` does not count */
	struct child_identity as;
	gid_t kvm_group; /* what as.groups points to, if it has one: an identity is not copied */
};

/* `user_env` is $TART_QEMU_USER or NULL. */
bool identity_choose(int bundle_fd, const char *user_env, struct identity *ret, struct err *err);

/* NULL when nothing changes: what struct child_spec and others take. */
const struct child_identity *identity_of(const struct identity *identity);

/* Gives up the group of /dev/kvm, which software emulation does not need. */
void identity_drop_kvm(struct identity *identity);

#endif
