/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's power button, and whether anybody inside would notice it. Firmware and a guest without ACPI do not:
 * then waiting for the guest to shut down is a waste of time.
 */
#ifndef TART_MACHINE_POWER_BUTTON_H
#define TART_MACHINE_POWER_BUTTON_H

#include "machine/qmp.h"
#include "machine/spec.h"

/* How certain board registers show that the guest's operating system listens to the button. */
enum button_hearing { BUTTON_DEAF, BUTTON_HEARS, BUTTON_UNKNOWN };

typedef void button_fn(void *ctx, enum button_hearing hearing);

/* A question under way; belongs to the asker and must outlive it. */
struct button_query {
	enum guest_arch arch;
	bool can_tell;
	button_fn *fn;
	void *ctx;
};

/* Asks QEMU; fn is called once, or never if the connection gets closed. */
void power_button_query(struct button_query *query, struct qmp *qmp,
			const struct machine_spec *machine, button_fn *fn, void *ctx);

void power_button_press(struct qmp *qmp);

/* What the monitor's answer to the question means. Pure. */
enum button_hearing power_button_understand(enum guest_arch arch, const char *answer);

#endif
