/* SPDX-License-Identifier: Apache-2.0 */
/* tart logout: forgets what login has kept. */
#include "cmd/command.h"
#include "cmd/print.h"
#include "registry/credentials.h"

struct logout_args {
	const char *host;
};

static const struct operand logout_operands[] = {
	OPERAND(struct logout_args, host, "host", "registry, as it was given to login"),
	OPERAND_END,
};

static bool logout_run(struct tart *tart, void *args, struct err *err)
{
	const struct logout_args *a = args;

	(void)tart;
	return credentials_check_host(a->host, err) &&
	       credentials_erase(a->host, &print_notice, err);
}

const struct command cmd_logout = {
	.name = "logout",
	.summary = "Forget the password of a registry",
	.discussion = "Removes what login has stored. Docker's configuration stays as it is.",
	.operands = logout_operands,
	.args_size = sizeof(struct logout_args),
	.run = logout_run,
};
