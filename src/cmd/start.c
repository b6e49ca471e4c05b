/* SPDX-License-Identifier: Apache-2.0 */
/* Running a command and reporting how it ended. */
#include "cmd/start.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/print.h"
#include "cmd/usage.h"
#include "storage/temp.h"

static bool open_home(struct home *home, struct tart *tart, struct err *err)
{
	if (tart->home)
		return true;
	if (!home_open(getenv("TART_HOME"), getenv("HOME"), home, err))
		return false;
	tart->home = home;
	return true;
}

static bool validate(const struct command *command, struct tart *tart, struct home *home,
		     void *args, struct err *err)
{
	if (!command->validate)
		return true;
	if ((command->needs & NEEDS_HOME_TO_VALIDATE) && !open_home(home, tart, err))
		return false;
	return command->validate(tart, args, err);
}

static bool run(const struct command *command, struct tart *tart, struct home *home, void *args,
		struct outcome *outcome, struct err *err)
{
	if (command->needs & (NEEDS_HOME | NEEDS_HOME_TO_VALIDATE)) {
		if (!open_home(home, tart, err))
			return false;
		home->span = outcome->tracing.root;
		if (!(command->needs & KEEPS_TMP))
			(void)temp_collect(home, &outcome->collecting);
	}
	return command->run(tart, args, err);
}

bool invocation_run(const struct invocation *invocation, struct outcome *outcome, struct err *err)
{
	const struct command *command = invocation->command;
	CLEANUP(home_done) struct home home = HOME_INIT;
	struct tart tart = { .program = invocation->program };
	bool ok = validate(command, &tart, &home, invocation->args, err);

	if (ok) {
		outcome->validated = true;
		tracing_begin(invocation, &outcome->tracing);
		ok = run(command, &tart, &home, invocation->args, outcome, err);
	}
	if (command->done)
		command->done(invocation->args);
	return ok;
}

void invocation_report(const struct invocation *invocation, const struct outcome *outcome,
		       const struct err *err)
{
	if (err->kind != ERR_NONE)
		print_warning("%s%s", err_prefix(err->kind), err->text);
	if (err->detail[0])
		print_warning("%s", err->detail);
	if (err->kind == ERR_USAGE) {
		CLEANUP_STR struct str hint = { 0 };
		CLEANUP_STR struct str text = { 0 };

		str_add_escaped(&hint, str_span(&invocation->hint));
		usage_add_trailer(&text, invocation->program,
				  outcome->validated ? NULL : invocation->command, str_text(&hint));
		fputs(str_text(&text), stderr);
	}
	if (outcome->collecting.kind != ERR_NONE)
		print_warning("Failed to perform garbage collection: %s", outcome->collecting.text);
}
