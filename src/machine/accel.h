/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing between KVM and software emulation. Source: machine.md 2.3. */
#ifndef TART_MACHINE_ACCEL_H
#define TART_MACHINE_ACCEL_H

#include "base/err.h"
#include "base/span.h"
#include "machine/kvm_probe.h"
#include "machine/spec.h"
#include "storage/config.h"

enum accel_wish { ACCEL_AUTO, ACCEL_FORCE_KVM, ACCEL_FORCE_TCG };

/* "auto", "kvm", "tcg". */
bool accel_wish_parse(struct span text, enum accel_wish *ret);

/* $TART_ACCEL, the default of --accel: NULL and "" mean auto, other texts are an error. */
bool accel_wish_from_env(const char *text, enum accel_wish *ret, struct err *err);

struct accel_choice {
	enum accel_kind kind;
	char notice
		[384]; /* one line for the user when KVM was hoped for and is not used, else "" */
};

struct accel_request {
	enum accel_wish wish;
	enum guest_arch guest, host;
	int cache_dirfd;                       /* where the probe's result is remembered */
	const struct child_identity *identity; /* as whom QEMU will run, NULL = as we */
};

/* Whether the choice depends on the probe. Pure. */
bool accel_needs_probe(enum accel_wish wish, enum guest_arch guest, enum guest_arch host);

/* The choice itself; `probe` may be NULL when accel_needs_probe() is false. ERR_GENERAL with the reason when KVM is
 * demanded and does not work. Pure. */
bool accel_decide(enum accel_wish wish, enum guest_arch guest, enum guest_arch host,
		  const struct kvm_probe *probe, struct accel_choice *ret, struct err *err);

/* Asks the cache, probes when it does not know, decides. A cache that cannot be written is no error. */
bool accel_choose(const struct accel_request *request, struct accel_choice *ret, struct err *err);

/* Probes whatever the cache says, and remembers the result. For reports. */
void accel_probe_again(int cache_dirfd, const struct child_identity *identity,
		       struct kvm_probe *ret);

/* "KVM unusable: <reason>; using software emulation, which is no security boundary": also for a QEMU that ended
 * early with KVM. */
void accel_fallback_notice(const char *reason, char *ret, size_t size);

#endif
