/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts, in the layout of Swift's ArgumentParser, and the command `help`. */
#include "cmd/help.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/number.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "cmd/usage.h"

#define LABEL_INDENT      2
#define TEXT_COLUMN       26
#define DISCUSSION_INDENT 8
#define DEFAULT_WIDTH     80
#define LEAST_TEXT_WIDTH  20 /* on terminals too narrow for anything */

size_t help_width(const char *columns, int fd)
{
	struct winsize size;
	uint64_t n;

	if (columns && number_parse_u64(span_of(columns), UINT16_MAX, &n) && n > 0)
		return (size_t)n;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return DEFAULT_WIDTH;
}

/* Bytes of the code point at the front; a byte that starts none counts as one. */
static size_t char_len(struct span text)
{
	size_t n = utf8_len(text);

	return n > 0 ? n : 1;
}

static size_t columns_of(struct span text)
{
	size_t n = 0;

	for (; text.len > 0; n++)
		text = span_from(text, char_len(text));
	return n;
}

/* The bytes of `text` that fill at most `columns`. */
static size_t bytes_in(struct span text, size_t columns)
{
	size_t n = 0;

	while (columns-- > 0 && n < text.len)
		n += char_len(span_from(text, n));
	return n;
}

/* Where the next line of `text` ends: at a line break, at the last blank that fits, or at the first one there is. */
static size_t line_end(struct span text, size_t columns)
{
	size_t fits = bytes_in(text, columns);
	size_t end = span_find(text, '\n');

	if (end < fits || fits == text.len)
		return end;
	end = span_rfind(span_first(text, fits), ' ');
	if (end < fits)
		return end;
	while (end < text.len && text.ptr[end] != ' ' && text.ptr[end] != '\n')
		end++;
	return end;
}

void help_add_wrapped(struct str *out, const char *text, size_t width, size_t indent)
{
	size_t columns = width > indent + LEAST_TEXT_WIDTH ? width - indent : LEAST_TEXT_WIDTH;
	struct span rest = span_of(text);

	for (;;) {
		size_t end = line_end(rest, columns);

		if (end > 0)
			str_addf(out, "%*s%.*s", (int)indent, "", (int)end, rest.ptr);
		if (end >= rest.len)
			return;
		str_add_char(out, '\n');
		rest = span_from(rest, end + 1);
	}
}

/* A label and, from column 26 on, its text; below the label when that is too long. */
static void add_row(struct str *out, const char *label, const char *text, const char *discussion,
		    size_t width)
{
	size_t label_columns = LABEL_INDENT + columns_of(span_of(label));
	CLEANUP_STR struct str wrapped = { 0 };

	str_addf(out, "%*s%s", LABEL_INDENT, "", label);
	help_add_wrapped(&wrapped, text, width, TEXT_COLUMN);
	if (wrapped.len > 0 && label_columns < TEXT_COLUMN)
		str_add_span(out, span_from(str_span(&wrapped), label_columns));
	else if (wrapped.len > 0)
		str_addf(out, "\n%s", wrapped.ptr);
	str_add_char(out, '\n');
	if (discussion) {
		help_add_wrapped(out, discussion, width, DISCUSSION_INDENT);
		str_add_char(out, '\n');
	}
}

static void add_overview(struct str *out, const struct command *command, size_t width)
{
	CLEANUP_STR struct str text = { 0 };

	str_addf(&text, "OVERVIEW: %s", command->summary);
	if (command->discussion)
		str_addf(&text, "\n\n%s", command->discussion);
	help_add_wrapped(out, str_text(&text), width, 0);
	str_add(out, "\n\n");
}

static void add_operands(struct str *out, const struct command *command, size_t width)
{
	if (!command->operands)
		return;
	str_add(out, "ARGUMENTS:\n");
	each_operand(command->operands, operand)
	{
		CLEANUP_STR struct str label = { 0 };

		usage_add_operand_label(&label, operand);
		add_row(out, str_text(&label), operand->help, operand->discussion, width);
	}
	str_add_char(out, '\n');
}

static void add_opt(struct str *out, const struct opt *opt, size_t width)
{
	CLEANUP_STR struct str label = { 0 };
	CLEANUP_STR struct str text = { 0 };
	CLEANUP_STR struct str defaults = { 0 };

	usage_add_opt_label(&label, opt);
	usage_add_defaults(&defaults, opt);
	str_addf(&text, "%s%s%s", opt->help, defaults.len > 0 ? " " : "", str_text(&defaults));
	add_row(out, str_text(&label), str_text(&text), opt->discussion, width);
}

static void add_opts(struct str *out, const struct command *command, bool hidden, size_t width)
{
	str_add(out, "OPTIONS:\n");
	each_opt(command ? command->opts : NULL, opt)
	{
		if (usage_shows(opt, hidden))
			add_opt(out, opt, width);
	}
	add_row(out, "--version", "Show the version.", NULL, width);
	add_row(out, "-h, --help", "Show help information.", NULL, width);
}

static void add_commands(struct str *out, const struct program *program,
			 const struct command *group, size_t width)
{
	str_add(out, "\nSUBCOMMANDS:\n");
	each_of_(command_list(program, group), command)
	{
		if (!command->hidden)
			add_row(out, command->name, command->summary, NULL, width);
	}
	str_addf(out, "\n  See '%s help ", program->name);
	if (group) {
		command_add_path(out, group, ' ');
		str_add_char(out, ' ');
	}
	str_add(out, "<subcommand>' for detailed help.\n");
}

void help_add(struct str *out, const struct program *program, const struct command *command,
	      bool hidden, size_t width)
{
	if (command)
		add_overview(out, command, width);
	str_add(out, "USAGE: ");
	usage_add_line(out, program, command, hidden);
	str_add(out, "\n\n");
	if (command)
		add_operands(out, command, width);
	add_opts(out, command, hidden, width);
	if (command_list(program, command))
		add_commands(out, program, command, width);
}

void help_print(const struct program *program, const struct command *command, bool hidden)
{
	CLEANUP_STR struct str text = { 0 };

	help_add(&text, program, command, hidden, help_width(getenv("COLUMNS"), STDOUT_FILENO));
	fputs(str_text(&text), stdout);
}

struct help_args {
	struct text_list commands;
};

/* From the first word on that names no command, words are left aside, as ArgumentParser does. */
static bool help_run(struct tart *tart, void *args, struct err *err)
{
	const struct help_args *help = args;
	const struct command *command = NULL;

	(void)err;
	vec_each(&help->commands, name) {
		const struct command *named = command_find(tart->program, command, *name);

		if (!named)
			break;
		command = named;
	}
	help_print(tart->program, command, false);
	return true;
}

static const struct operand help_operands[] = {
	OPERAND_ANY(struct help_args, commands, "subcommands", "The command to show the help of.",
		    .completes = COMPLETES_COMMANDS),
	OPERAND_END,
};

const struct command cmd_help = {
	.name = "help",
	.summary = "Show subcommand help information.",
	.operands = help_operands,
	.args_size = sizeof(struct help_args),
	.hidden = true,
	.run = help_run,
};
