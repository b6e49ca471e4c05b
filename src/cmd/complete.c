/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing the shell, and what the scripts of all shells share. */
#include "cmd/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	void (*add)(struct str *out, const struct program *program);
} shells[] = {
	{ "zsh", complete_add_zsh },
	{ "bash", complete_add_bash },
	{ "fish", complete_add_fish },
};

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool complete_print_script(const struct program *program, const char *shell, struct err *err)
{
	const char *users = getenv("SHELL");
	const char *wanted = shell ? shell : users ? last_component(users) : "";

	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		CLEANUP_STR struct str text = { 0 };

		if (strcmp(shells[i].name, wanted) != 0)
			continue;
		shells[i].add(&text, program);
		fputs(str_text(&text), stdout);
		return true;
	}
	return err_set(err, ERR_USAGE,
		       "Can't generate completion scripts for '%s'. Please use "
		       "--generate-completion-script=<shell> with one of: zsh bash fish",
		       wanted);
}

const char *complete_list(enum completes completes)
{
	static const char *const lists[COMPLETES_COUNT] = {
		[COMPLETES_ALL] = "all",
		[COMPLETES_LOCAL] = "local",
		[COMPLETES_RUNNING] = "running",
		[COMPLETES_NETWORK_KEYS] = "network-keys",
	};

	return lists[completes];
}

const char *complete_word(const struct opt *opt, size_t i)
{
	if (opt->values)
		return opt->values[i].word;
	return opt->choices ? opt->choices[i] : NULL;
}

void complete_add_replaced(struct str *out, const char *text, char c, const char *with)
{
	for (; *text; text++) {
		if (*text == c)
			str_add(out, with);
		else
			str_add_char(out, *text);
	}
}
