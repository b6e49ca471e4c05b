/* SPDX-License-Identifier: Apache-2.0 */
/* The completion script for fish: one `complete` line for each option and operand. */
#include "cmd/complete.h"

#include "cmd/usage.h"

/* "~" stands for the name of the program. */
static const char head[] =
	"# fish completion for ~, made by ~ --generate-completion-script fish\n"
	"\n"
	"function __~_names --argument-names list\n"
	"\tset -l program (commandline -opc)[1]\n"
	"\t$program ---completion $list 2>/dev/null | string replace --all '\\\\:' ':'\n"
	"end\n"
	"\n"
	"# The sub-command (of a group: both names) and the operands typed so far, one a line.\n"
	"function __~_operands\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l command ''\n"
	"\tset -l operands\n"
	"\tset -l is_value no\n"
	"\tset -l options yes\n"
	"\tfor word in $words[2..-1]\n"
	"\t\tif test $is_value = yes\n"
	"\t\t\tset is_value no\n"
	"\t\telse if test $options = yes; and test \"$word\" = --\n"
	"\t\t\tset options no\n"
	"\t\telse if test $options = yes; and string match -q -- '-?*' $word\n"
	"\t\t\t__~_takes_value \"$command $word\"; and set is_value yes\n"
	"\t\telse if __~_is_group \"$command\"\n"
	"\t\t\tset command (string trim -- \"$command $word\")\n"
	"\t\telse\n"
	"\t\t\tset -a operands $word\n"
	"\t\tend\n"
	"\tend\n"
	"\ttest -z \"$command\"; or printf '%s\\n' $command $operands\n"
	"end\n"
	"\n"
	"# Whether a sub-command (none: '') has been typed and, with NUMBER, that operand of it is next; a `+` or `-`\n"
	"# behind the number includes later or earlier ones.\n"
	"function __~_at --argument-names command number\n"
	"\tset -l words (__~_operands)\n"
	"\ttest \"$words[1]\" = \"$command\"; or return\n"
	"\tset -l next (count $words)\n"
	"\tset -l operand (string trim --right --chars=+- -- \"$number\")\n"
	"\tswitch \"$number\"\n"
	"\t\tcase ''\n"
	"\t\t\treturn 0\n"
	"\t\tcase '*+'\n"
	"\t\t\ttest $next -ge $operand\n"
	"\t\tcase '*-'\n"
	"\t\t\ttest $next -le $operand\n"
	"\t\tcase '*'\n"
	"\t\t\ttest $next -eq $operand\n"
	"\tend\n"
	"end\n"
	"\n"
	"# Whether the operands of a sub-command are the names of a group (none: '').\n"
	"function __~_names_group --argument-names command group\n"
	"\tset -l words (__~_operands)\n"
	"\ttest \"$words[1]\" = \"$command\"; and test \"$words[2..-1]\" = \"$group\"\n"
	"end\n"
	"\n"
	"complete -c ~ -f\n"
	"complete -c ~ -l version -d 'Show the version.'\n"
	"complete -c ~ -s h -l help -d 'Show help information.'\n";

static void add_quoted(struct str *out, const char *text)
{
	str_add_char(out, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			str_add_char(out, '\\');
		str_add_char(out, *text);
	}
	str_add_char(out, '\'');
}

static void add_candidates(struct str *out, const struct program *program, enum completes completes)
{
	switch (completes) {
	case COMPLETES_FILES:
		str_add(out, " -F");
		break;
	case COMPLETES_DIRS:
		str_add(out, " -a '(__fish_complete_directories)'");
		break;
	case COMPLETES_COMMANDS: /* see add_topics() */
	case COMPLETES_NOTHING:
		break;
	default:
		str_addf(out, " -a '(__%s_names %s)'", program->name, complete_list(completes));
		break;
	}
}

/* -r: takes a value; -x: one that is no file. */
static void add_value(struct str *out, const struct program *program, const struct opt *opt)
{
	str_add(out, opt->completes == COMPLETES_FILES ? " -r" : " -x");
	if (!complete_word(opt, 0)) {
		add_candidates(out, program, opt->completes);
		return;
	}
	str_add(out, " -a '");
	for (size_t i = 0; complete_word(opt, i); i++)
		str_addf(out, "%s%s", i > 0 ? " " : "", complete_word(opt, i));
	str_add(out, "'");
}

static void begin(struct str *out, const struct program *program, const struct command *command)
{
	str_addf(out, "complete -c %s -n '__%s_at \"", program->name, program->name);
	command_add_path(out, command, ' ');
	str_add_char(out, '"');
}

/* Opens the line of an option. Behind the operand before the rest, there are none any more. */
static void begin_opt(struct str *out, const struct program *program, const struct command *command)
{
	int n = 0;

	begin(out, program, command);
	each_operand(command->operands, operand)
	{
		if (operand->kind == OPERAND_KIND_REST)
			str_addf(out, " %d-", n);
		n++;
	}
	str_add(out, "'");
}

static void add_opt(struct str *out, const struct program *program, const struct command *command,
		    const struct opt *opt)
{
	begin_opt(out, program, command);
	if (opt->short_name)
		str_addf(out, " -s %c", opt->short_name);
	if (opt->name)
		str_addf(out, " -l %s", opt->name);
	if (!opt_is_flag(opt))
		add_value(out, program, opt);
	str_add(out, " -d ");
	add_quoted(out, opt->help);
	str_add_char(out, '\n');
	if (opt->kind == OPT_KIND_FLAG_PAIR) {
		begin_opt(out, program, command);
		str_addf(out, " -l no-%s -d ", opt->name);
		add_quoted(out, opt->help);
		str_add_char(out, '\n');
	}
}

/* The verbs of a group whose names are the operands so far; the program's commands when there are none. */
static void add_topic(struct str *out, const struct program *program, const struct command *command,
		      const struct command *group)
{
	str_addf(out, "complete -c %s -n '__%s_names_group \"", program->name, program->name);
	command_add_path(out, command, ' ');
	str_add(out, "\" \"");
	if (group)
		command_add_path(out, group, ' ');
	str_add(out, "\"' -a '");
	each_of_(command_list(program, group), offered)
	{
		if (!offered->hidden)
			str_addf(out, "%s ", offered->name);
	}
	str_add(out, group ? "'\n" : "help'\n");
}

static void add_topics(struct str *out, const struct program *program,
		       const struct command *command)
{
	add_topic(out, program, command, NULL);
	each_command_and_verb(program, group)
	{
		if (group->verbs)
			add_topic(out, program, command, group);
	}
}

static void add_operand(struct str *out, const struct program *program,
			const struct command *command, int number, const struct operand *operand)
{
	if (operand->completes == COMPLETES_NOTHING)
		return;
	if (operand->completes == COMPLETES_COMMANDS) {
		add_topics(out, program, command);
		return;
	}
	begin(out, program, command);
	str_addf(out, " %d%s'", number, operand_takes_many(operand) ? "+" : "");
	add_candidates(out, program, operand->completes);
	str_add_char(out, '\n');
}

static void add_command(struct str *out, const struct program *program,
			const struct command *command)
{
	int n = 0;

	each_opt(command->opts, opt)
	{
		if (usage_shows(opt, false))
			add_opt(out, program, command, opt);
	}
	each_operand(command->operands, operand) add_operand(out, program, command, ++n, operand);
}

/* Options with values: the word behind them is no operand. */
static void add_takes_value(struct str *out, const struct program *program)
{
	str_addf(out,
		 "function __%s_takes_value --argument-names command_and_option\n"
		 "\tswitch $command_and_option\n\t\tcase",
		 program->name);
	each_command_and_verb(program, command)
	{
		CLEANUP_STR struct str path = { 0 };

		command_add_path(&path, command, ' ');
		each_opt(command->opts, opt)
		{
			if (opt_is_flag(opt) || opt->show == SHOW_NEVER)
				continue;
			if (opt->short_name)
				str_addf(out, " '%s -%c'", path.ptr, opt->short_name);
			if (opt->name)
				str_addf(out, " '%s --%s'", path.ptr, opt->name);
		}
	}
	str_add(out, " ''\n\t\t\treturn 0\n\tend\n\treturn 1\nend\n\n");
}

static void add_is_group(struct str *out, const struct program *program)
{
	str_addf(out,
		 "# Whether a sub-command (none: '') has sub-commands.\n"
		 "function __%s_is_group --argument-names command\n\tcontains -- \"$command\" ''",
		 program->name);
	each_command_and_verb(program, command)
	{
		if (!command->verbs)
			continue;
		str_add(out, " '");
		command_add_path(out, command, ' ');
		str_add(out, "'");
	}
	str_add(out, "\nend\n\n");
}

/* What a group offers as its first word, or the program (`group` NULL). */
static void add_commands(struct str *out, const struct program *program,
			 const struct command *group)
{
	CLEANUP_STR struct str when = { 0 };

	str_addf(&when, "complete -c %s -n '__%s_at \"", program->name, program->name);
	if (group)
		command_add_path(&when, group, ' ');
	str_add(&when, "\"'");
	each_of_(command_list(program, group), command)
	{
		if (command->hidden)
			continue;
		str_addf(out, "%s -a %s -d ", when.ptr, command->name);
		add_quoted(out, command->summary);
		str_add_char(out, '\n');
	}
	if (!group)
		str_addf(out, "%s -a help -d 'Show subcommand help information.'\n\n", when.ptr);
}

void complete_add_fish(struct str *out, const struct program *program)
{
	complete_add_replaced(out, head, '~', program->name);
	add_commands(out, program, NULL);
	add_is_group(out, program);
	add_takes_value(out, program);
	each_command_and_verb(program, command)
	{
		if (command->verbs)
			add_commands(out, program, command);
		else
			add_command(out, program, command);
	}
}
