/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the source of a man page (scdoc, on stdout) from its hand-written part and the command tables:
 *
 *	gen_docs tart-create man/tart-create.scd
 *
 * The hand-written part of a command's page starts with its DESCRIPTION; title, NAME and SYNOPSIS are put in front. Its
 * line "@OPTIONS@" becomes the sections ARGUMENTS and OPTIONS; in the page of a group, "tart-network", COMMANDS, with the
 * arguments and options of each verb, and OPTIONS. In the page of the program, "tart", "@COMMANDS@" becomes the list of
 * commands.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fs.h"
#include "cmd/table.h"
#include "cmd/usage.h"

#define PAGE_BYTES_MAX (1 << 20)

/* Text that scdoc shall not take for markup. */
static void add_plain(struct str *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("_*\\#`", *text))
			str_add_char(out, '\\');
		str_add_char(out, *text);
	}
}

/* Every line of the text stays a line. */
static void add_lines(struct str *out, const char *text)
{
	struct span rest = span_of(text);
	struct span line;

	while (span_next(&rest, '\n', &line)) {
		CLEANUP_STR struct str copy = { 0 };

		str_add_span(&copy, line);
		str_add(out, "\t");
		add_plain(out, str_text(&copy));
		str_add(out, rest.ptr && line.len > 0 ? "++\n" : "\n");
	}
}

static void add_entry(struct str *out, const char *label, const char *help, const char *defaults,
		      const char *discussion)
{
	str_add(out, "*");
	add_plain(out, label);
	str_add(out, "*\n\t");
	add_plain(out, help);
	if (defaults[0])
		str_add(out, " ");
	add_plain(out, defaults);
	str_add(out, "\n\n");
	if (discussion) {
		add_lines(out, discussion);
		str_add(out, "\n");
	}
}

static void add_operands(struct str *out, const struct command *command)
{
	each_operand(command->operands, operand)
	{
		CLEANUP_STR struct str label = { 0 };

		usage_add_operand(&label, operand);
		add_entry(out, str_text(&label), operand->help, "", operand->discussion);
	}
}

/* A man page is where hidden options are explained, too. */
static void add_opts(struct str *out, const struct command *command)
{
	each_opt(command->opts, opt)
	{
		CLEANUP_STR struct str label = { 0 };
		CLEANUP_STR struct str defaults = { 0 };

		if (!usage_shows(opt, true))
			continue;
		usage_add_opt_label(&label, opt);
		usage_add_defaults(&defaults, opt);
		add_entry(out, str_text(&label), opt->help, str_text(&defaults), opt->discussion);
	}
}

static void add_verb(struct str *out, const struct command *verb)
{
	str_addf(out, "## %s ", tart_program.name);
	command_add_path(out, verb, ' ');
	str_add(out, "\n\n");
	add_plain(out, verb->summary);
	str_add(out, ".\n\n");
	if (verb->discussion) {
		add_plain(out, verb->discussion);
		str_add(out, "\n\n");
	}
	add_operands(out, verb);
	add_opts(out, verb);
}

static void add_options(struct str *out, const struct command *command)
{
	if (command->operands)
		str_add(out, "# ARGUMENTS\n\n");
	add_operands(out, command);
	if (command->verbs)
		str_add(out, "# COMMANDS\n\n");
	each_verb(command, verb) add_verb(out, verb);
	str_add(out, "# OPTIONS\n\n");
	add_opts(out, command);
	add_entry(out, "--version", "Show the version.", "", NULL);
	add_entry(out, "-h, --help", "Show help information.", "", NULL);
}

static void add_commands(struct str *out)
{
	each_command(&tart_program, command)
	{
		str_addf(out, "*tart-%s*(1)\n\t", command->name);
		add_plain(out, command->summary);
		str_add(out, "\n\n");
	}
}

static void add_usage(struct str *out, const struct command *command)
{
	CLEANUP_STR struct str usage = { 0 };

	usage_add_line(&usage, &tart_program, command, false);
	add_plain(out, str_text(&usage));
}

/* A group's are those of its verbs. */
static void add_synopsis(struct str *out, const struct command *command)
{
	const char *between = "";

	str_add(out, "# SYNOPSIS\n\n");
	if (!command || !command->verbs)
		add_usage(out, command);
	else
		each_verb(command, verb)
		{
			str_add(out, between);
			add_usage(out, verb);
			between = "++\n";
		}
	str_add(out, "\n\n");
}

static void add_head(struct str *out, const struct command *command)
{
	str_addf(out, "tart%s%s(1) \"tart %s\"\n\n# NAME\n\n", command ? "-" : "",
		 command ? command->name : "", tart_program.version);
	if (!command) {
		str_add(out, "tart - create, run and exchange virtual machines\n\n");
	} else {
		str_addf(out, "tart-%s - ", command->name);
		add_plain(out, command->summary);
		str_add(out, "\n\n");
	}
	add_synopsis(out, command);
}

/* Copies the hand-written part; false when its placeholder is not there exactly once. */
static bool add_body(struct str *out, struct span text, const struct command *command)
{
	size_t n = 0;
	struct span line;

	while (span_next(&text, '\n', &line)) {
		if (!span_is(line, command ? "@OPTIONS@" : "@COMMANDS@")) {
			str_add_span(out, line);
			str_add(out, text.ptr ? "\n" : "");
			continue;
		}
		n++;
		if (command) {
			add_options(out, command);
		} else {
			add_commands(out);
		}
	}
	return n == 1;
}

static bool make_page(const char *page, const char *path, struct str *out, struct err *err)
{
	CLEANUP_STR struct str text = { 0 };
	const struct command *command = NULL;

	if (strcmp(page, "tart") != 0) {
		if (strncmp(page, "tart-", 5) == 0)
			command = command_find(&tart_program, NULL, page + 5);
		if (!command)
			return err_set(err, ERR_GENERAL, "no command for the page '%s'", page);
	}
	if (!fs_read_file(AT_FDCWD, path, PAGE_BYTES_MAX, &text, err))
		return err_context(err, "%s", path);
	add_head(out, command);
	if (!add_body(out, str_span(&text), command))
		return err_set(err, ERR_GENERAL, "%s: needs one line that says %s", path,
			       command ? "@OPTIONS@" : "@COMMANDS@");
	return true;
}

int main(int argc, char **argv)
{
	CLEANUP_STR struct str out = { 0 };
	struct err err = { 0 };

	if (argc != 3) {
		fputs("usage: gen_docs PAGE FILE\n", stderr);
		return 64;
	}
	if (!make_page(argv[1], argv[2], &out, &err)) {
		fprintf(stderr, "gen_docs: %s\n", err.text);
		return 1;
	}
	if (fputs(str_text(&out), stdout) < 0 || fflush(stdout) != 0) {
		fprintf(stderr, "gen_docs: cannot write: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}
