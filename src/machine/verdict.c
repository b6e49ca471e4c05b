/* SPDX-License-Identifier: Apache-2.0 */
/* Judging the end of QEMU. */
#include "machine/verdict.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/child.h"

static const struct {
	const char *text;
	enum shutdown_reason reason;
} reasons[] = {
	{ "guest-shutdown", SHUTDOWN_GUEST },
	{ "guest-panic", SHUTDOWN_PANIC },
	{ "host-qmp-quit", SHUTDOWN_QUIT },
	{ "host-signal", SHUTDOWN_SIGNAL },
};

enum shutdown_reason shutdown_reason_of(const struct json *data)
{
	const char *text = json_member_text(data, "reason");

	for (size_t i = 0; text && i < ARRAY_LEN(reasons); i++)
		if (strcmp(text, reasons[i].text) == 0)
			return reasons[i].reason;
	return SHUTDOWN_ERROR;
}

static bool ended_well(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The guest has ended, and QEMU with it as it should? */
static enum verdict judge_guest_end(const struct ending *ending, struct str *detail)
{
	if (ended_well(ending->status))
		return VERDICT_GUEST_ENDED;
	if (ending->killed)
		str_add(detail,
			"the guest has powered off, but QEMU did not end and had to be killed");
	else
		str_add(detail, "the guest has powered off, but then QEMU ");
	if (!ending->killed)
		child_describe_status(ending->status, detail);
	return VERDICT_FAILED;
}

static void describe_process(const struct ending *ending, struct str *detail)
{
	bool by_kill = WIFSIGNALED(ending->status) && WTERMSIG(ending->status) == SIGKILL;

	if (ending->killed && ending->problem) {
		str_add(detail, ending->problem);
	} else if (by_kill && ending->memory_ran_out) {
		str_add(detail, "QEMU was killed because the host ran out of memory");
	} else {
		str_add(detail, "QEMU ");
		child_describe_status(ending->status, detail);
		if (by_kill && !ending->killed)
			str_add(detail, " by somebody else");
	}
	if (ending->output[0] != '\0') {
		str_add(detail, ": ");
		str_add(detail, ending->output);
	}
}

static enum verdict judge(const struct ending *ending, struct str *detail)
{
	switch (ending->shutdown) {
	case SHUTDOWN_GUEST:
		return judge_guest_end(ending, detail);
	case SHUTDOWN_PANIC:
		str_add(detail, "the guest's kernel has panicked");
		return VERDICT_FAILED;
	case SHUTDOWN_SIGNAL:
		str_add(detail, "QEMU was ended by a signal from outside");
		return VERDICT_FAILED;
	case SHUTDOWN_UNTOLD:
	case SHUTDOWN_QUIT:
	case SHUTDOWN_ERROR:
		break;
	}
	describe_process(ending, detail);
	return VERDICT_FAILED;
}

enum verdict verdict_of(const struct ending *ending, struct str *detail)
{
	CLEANUP_STR struct str clause = { 0 };
	enum verdict verdict = judge(ending, &clause);

	/* What the user wanted is there, even if the guest or QEMU did not go gently. */
	if (verdict == VERDICT_FAILED && ending->stop_wanted)
		return VERDICT_STOPPED;
	str_add_span(detail, str_span(&clause));
	return verdict;
}
