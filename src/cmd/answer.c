/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to --help, --version and the like. */
#include "cmd/answer.h"

#include <assert.h>
#include <stdio.h>

#include "cmd/candidates.h"
#include "cmd/complete.h"
#include "cmd/dump.h"
#include "cmd/help.h"

static void print_candidates(const char *list)
{
	CLEANUP_STR struct str names = { 0 };

	candidates_add(list, &names);
	fputs(str_text(&names), stdout);
}

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
		return complete_print_script(program, invocation->shell, err);
	case REQUEST_CANDIDATES:
		print_candidates(invocation->list);
		return true;
	case REQUEST_RUN:
		break;
	}
	assert(!"a request to answer");
	return true;
}
