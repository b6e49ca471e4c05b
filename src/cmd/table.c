/* SPDX-License-Identifier: Apache-2.0 */
/* The list of commands, in the order in which help and completion show them. */
#include "cmd/table.h"

#include "base/version.h"

#define COMMANDS(X) \
	X(create)   \
	X(clone)    \
	X(run)      \
	X(set)      \
	X(get)      \
	X(list)     \
	X(login)    \
	X(logout)   \
	X(ip)       \
	X(pull)     \
	X(push)     \
	X(verify)   \
	X(import)   \
	X(export)   \
	X(prune)    \
	X(rename)   \
	X(stop)     \
	X(delete)   \
	X(fqn)      \
	X(nc)       \
	X(network)  \
	X(doctor)   \
	X(help)

#define DECLARE(name) extern const struct command cmd_##name;
#define LIST(name)    &cmd_##name,

COMMANDS(DECLARE)

static const struct command *const commands[] = { COMMANDS(LIST) NULL };

const struct program tart_program = {
	.name = "tart",
	.version = TART_VERSION,
	.commands = commands,
};
