/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to --help, --version and the like. */
#include "cmd/answer.h"

#include <assert.h>
#include <stdio.h>

#include "cmd/dump.h"
#include "cmd/help.h"

bool invocation_answer(const struct invocation *invocation, struct err *err)
{
	const struct program *program = invocation->program;

	switch (invocation->request) {
	case REQUEST_HELP:
	case REQUEST_HELP_HIDDEN:
		help_print(program, invocation->command,
			   invocation->request == REQUEST_HELP_HIDDEN);
		return true;
	case REQUEST_DUMP:
		dump_print(program, invocation->command);
		return true;
	case REQUEST_VERSION:
		puts(program->version);
		return true;
	case REQUEST_SCRIPT:
	case REQUEST_CANDIDATES:
		return err_set(err, ERR_USAGE, "no completion yet");
	case REQUEST_RUN:
		break;
	}
	assert(!"a request to answer");
	return true;
}
