/* SPDX-License-Identifier: Apache-2.0 */
/* The power button. */
#include "machine/power_button.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"

/*
 * amd64 (q35): the PM1 enable register (ACPI 6.5, 4.8.3.1.2) at I/O port 0x602; bit 8 enables the power button's
 * interrupt. Firmware leaves it 0, Linux' button driver sets it.
 * arm64 (virt): the button arrives through the generic event device, interrupt 41; its bit in the enable register
 * GICD_ISENABLER1 is set once a driver has asked for it. With KVM the kernel has the interrupt controller and QEMU
 * would read zeros.
 */
static const struct {
	const char *command;
	const char *mark; /* in front of the value in the answer */
	uint64_t mask;
} registers[] = {
	[ARCH_AMD64] = { "i /h 0x602", "= ", UINT64_C(1) << 8 },
	[ARCH_ARM64] = { "xp /1wx 0x08000104", ": ", UINT64_C(1) << (41 - 32) },
};

enum button_hearing power_button_understand(enum guest_arch arch, const char *answer)
{
	const char *mark = answer ? strstr(answer, registers[arch].mark) : NULL;
	const char *digits = mark ? mark + strlen(registers[arch].mark) : "";
	uint64_t value;

	if (strncmp(digits, "0x", 2) != 0 || !isxdigit((unsigned char)digits[2]))
		return BUTTON_UNKNOWN;
	value = strtoull(digits + 2, NULL, 16);
	return value & registers[arch].mask ? BUTTON_HEARS : BUTTON_DEAF;
}

static void query_on_reply(void *ctx, const struct json *result, const struct err *why)
{
	const struct button_query *query = ctx;
	enum button_hearing hearing = BUTTON_UNKNOWN;

	(void)why;
	if (result && query->can_tell)
		hearing = power_button_understand(query->arch, json_text(result));
	query->fn(query->ctx, hearing);
}

void power_button_query(struct button_query *query, struct qmp *qmp,
			const struct machine_spec *machine, button_fn *fn, void *ctx)
{
	struct json *arguments = json_object();

	*query = (struct button_query){
		.arch = machine->arch,
		.can_tell = machine->arch == ARCH_AMD64 || machine->accel == ACCEL_TCG,
		.fn = fn,
		.ctx = ctx,
	};
	(void)json_set(arguments, "command-line", json_string(registers[machine->arch].command));
	qmp_send(qmp, "human-monitor-command", arguments, -1, query_on_reply, query);
}

void power_button_press(struct qmp *qmp)
{
	qmp_send(qmp, "system_powerdown", NULL, -1, NULL, NULL);
}
