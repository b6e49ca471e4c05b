/* SPDX-License-Identifier: Apache-2.0 */
/* Judging how a run ended. */
#include "machine/verdict.h"

#include <signal.h>
#include <string.h>

#include "unit.h"

#define EXITED(code)   ((code) << 8)
#define SIGNALLED(sig) (sig)

static void judges_by_what_was_seen(void **state)
{
	static const struct {
		const char *name;
		struct ending ending;
		enum verdict want;
		const char *detail;
	} rows[] = {
		{ "guest off", { .shutdown = SHUTDOWN_GUEST }, VERDICT_GUEST_ENDED, "" },
		{ "guest off after being asked",
		  { .shutdown = SHUTDOWN_GUEST, .stop_wanted = true },
		  VERDICT_GUEST_ENDED,
		  "" },
		{ "we quit",
		  { .shutdown = SHUTDOWN_QUIT, .stop_wanted = true },
		  VERDICT_STOPPED,
		  "" },
		{ "we killed",
		  { .stop_wanted = true, .killed = true, .status = SIGNALLED(SIGKILL) },
		  VERDICT_STOPPED,
		  "" },
		{ "guest off, QEMU crashed",
		  { .shutdown = SHUTDOWN_GUEST, .status = SIGNALLED(SIGSEGV) },
		  VERDICT_FAILED,
		  "the guest has powered off, but then QEMU was killed by signal 11 (Segmentation fault)" },
		{ "guest off, QEMU hung",
		  { .shutdown = SHUTDOWN_GUEST, .killed = true, .status = SIGNALLED(SIGKILL) },
		  VERDICT_FAILED,
		  "the guest has powered off, but QEMU did not end and had to be killed" },
		{ "panic",
		  { .shutdown = SHUTDOWN_PANIC },
		  VERDICT_FAILED,
		  "the guest's kernel has panicked" },
		{ "out of memory",
		  { .memory_ran_out = true, .status = SIGNALLED(SIGKILL) },
		  VERDICT_FAILED,
		  "QEMU was killed because the host ran out of memory" },
		{ "killed by somebody",
		  { .status = SIGNALLED(SIGKILL) },
		  VERDICT_FAILED,
		  "QEMU was killed by signal 9 (Killed) by somebody else" },
		{ "killed for a reason of ours",
		  { .killed = true, .status = SIGNALLED(SIGKILL), .problem = "QEMU greeted twice" },
		  VERDICT_FAILED,
		  "QEMU greeted twice" },
		{ "exit code and last words",
		  { .status = EXITED(1), .output = "no such device" },
		  VERDICT_FAILED,
		  "QEMU exited with code 1: no such device" },
		{ "an end without a reason",
		  { .status = EXITED(0) },
		  VERDICT_FAILED,
		  "QEMU exited with code 0" },
	};

	(void)state;
	each_row(rows, row) {
		struct ending ending = row->ending;
		CLEANUP_STR struct str detail = { 0 };

		if (!ending.output)
			ending.output = "";
		check(verdict_of(&ending, &detail) == row->want, "%s: verdict", row->name);
		check(strcmp(str_text(&detail), row->detail) == 0, "%s: %s", row->name,
		      str_text(&detail));
	}
}

static void reads_the_reason_of_a_shutdown(void **state)
{
	static const struct {
		const char *name;
		const char *data;
		enum shutdown_reason want;
	} rows[] = {
		{ "guest", "{\"guest\":true,\"reason\":\"guest-shutdown\"}", SHUTDOWN_GUEST },
		{ "panic", "{\"guest\":true,\"reason\":\"guest-panic\"}", SHUTDOWN_PANIC },
		{ "quit", "{\"guest\":false,\"reason\":\"host-qmp-quit\"}", SHUTDOWN_QUIT },
		{ "signal", "{\"guest\":false,\"reason\":\"host-signal\"}", SHUTDOWN_SIGNAL },
		{ "other", "{\"guest\":false,\"reason\":\"host-error\"}", SHUTDOWN_ERROR },
		{ "none", "{}", SHUTDOWN_ERROR },
		{ "no text", "{\"reason\":7}", SHUTDOWN_ERROR },
	};

	(void)state;
	each_row(rows, row) {
		CLEANUP_JSON struct json *data = NULL;
		struct err err = { 0 };

		assert_true(json_parse(span_of(row->data), &data, &err));
		check(shutdown_reason_of(data) == row->want, "%s", row->name);
	}
	assert_int_equal(shutdown_reason_of(NULL), SHUTDOWN_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_by_what_was_seen),
		cmocka_unit_test(reads_the_reason_of_a_shutdown),
	};

	return unit_main(tests);
}
