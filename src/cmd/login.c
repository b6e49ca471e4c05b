/* SPDX-License-Identifier: Apache-2.0 */
/* tart login: a user name and password for a registry, checked and kept. */
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "cmd/prompt.h"
#include "registry/credentials.h"
#include "registry/session.h"
#include "registry/user_agent.h"

struct login_args {
	const char *host;
	const char *username;
	bool password_stdin;
	bool insecure;
	bool no_validate;
};

static const struct operand login_operands[] = {
	OPERAND(struct login_args, host, "host", "registry: HOST or HOST:PORT"),
	OPERAND_END,
};

static const struct opt login_opts[] = {
	OPT_TEXT(struct login_args, username, 0, "username", "username",
		 "User name; needs --password-stdin"),
	OPT_FLAG(struct login_args, password_stdin, 0, "password-stdin",
		 "Read the password from standard input; needs --username"),
	OPT_FLAG(struct login_args, insecure, 0, "insecure", "Talk plain HTTP to the registry"),
	OPT_FLAG(struct login_args, no_validate, 0, "no-validate",
		 "Keep the password without asking the registry whether it is right"),
	OPT_END,
};

static bool login_validate(struct tart *tart, void *args, struct err *err)
{
	const struct login_args *a = args;

	(void)tart;
	if (!a->username != !a->password_stdin)
		return err_set(err, ERR_USAGE, "both --username and --password-stdin are required");
	return true;
}

static bool ask(struct credentials *ret, struct err *err)
{
	CLEANUP(prompt_done) struct prompt prompt = PROMPT_INIT;

	prompt_open(&prompt);
	return prompt_ask(&prompt, "User: ", PROMPT_SEEN, "user name", &ret->user, err) &&
	       prompt_ask(&prompt, "Password: ", PROMPT_UNSEEN, "password", &ret->password, err);
}

static bool read_credentials(const struct login_args *a, struct credentials *ret, struct err *err)
{
	if (!a->username)
		return ask(ret, err);
	if (!*a->username)
		return err_set(err, ERR_GENERAL, "no user name was given");
	ret->user = xstrdup(a->username);
	return prompt_read_stdin("password", &ret->password, err);
}

/* With these and no others. */
static bool try_them(const struct login_args *a, const struct credentials *credentials,
		     struct err *err)
{
	CLEANUP_FREE char *user_agent = registry_user_agent();
	const struct http_options http_options = { .user_agent = user_agent };
	const struct registry_options options = {
		.host = a->host,
		.is_insecure = a->insecure,
		.credentials = credentials,
		.notice = print_notice,
	};
	CLEANUP_HTTP struct http *http = NULL;
	CLEANUP_REGISTRY struct registry *registry = NULL;

	return http_new(&http_options, &http, err) &&
	       registry_new(http, &options, &registry, err) && registry_ping(registry, err);
}

static bool login_run(struct tart *tart, void *args, struct err *err)
{
	const struct login_args *a = args;
	CLEANUP(credentials_done) struct credentials credentials = { 0 };

	(void)tart;
	if (!credentials_check_host(a->host, err) || !read_credentials(a, &credentials, err))
		return false;
	if (strchr(credentials.user, ':'))
		return err_set(err, ERR_GENERAL, "a user name cannot have a colon in it");
	if (!a->no_validate && !try_them(a, &credentials, err))
		return err_reclass(err, ERR_CREDENTIALS);
	return credentials_store(a->host, &credentials, &print_notice, err);
}

const struct command cmd_login = {
	.name = "login",
	.summary = "Log in to a registry",
	.discussion =
		"Asks for a user name and a password, tries them, and keeps them for pull, push "
		"and clone.",
	.operands = login_operands,
	.opts = login_opts,
	.args_size = sizeof(struct login_args),
	.validate = login_validate,
	.run = login_run,
};
