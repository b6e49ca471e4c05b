/* SPDX-License-Identifier: Apache-2.0 */
/* The program of fake.h as far as completion needs one, for tests that load its scripts into real shells. */
#include <stdio.h>

#include "cmd/complete.h"
#include "cmd/parse.h"
#include "fake.h"

static void print_candidates(const char *list)
{
	if (strcmp(list, "all") == 0)
		puts("alpha\nghcr.io/a/b\\:1\nghcr.io/a/b\\:2");
	else if (strcmp(list, "local") == 0)
		puts("alpha\nbeta gamma\nc\\:d");
	else if (strcmp(list, "running") == 0)
		puts("alpha");
}

int main(int argc, char **argv)
{
	CLEANUP(invocation_done) struct invocation invocation = { 0 };
	struct err err = { 0 };

	if (!invocation_parse(&fake_program, argc, argv, &invocation, &err))
		return 64;
	if (invocation.request == REQUEST_CANDIDATES)
		print_candidates(invocation.list);
	else if (invocation.request != REQUEST_SCRIPT ||
		 !complete_print_script(&fake_program, invocation.shell, &err))
		return 64;
	return 0;
}
