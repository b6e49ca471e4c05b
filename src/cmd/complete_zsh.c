/* SPDX-License-Identifier: Apache-2.0 */
/* The completion script for zsh: one _arguments call for each command and each group of them. */
#include "cmd/complete.h"

#include "cmd/usage.h"

/* "~" stands for the name of the program. `_describe` takes "name:description", so colons in names are escaped by
 * the program. */
static const char head[] = "#compdef ~\n"
			   "# zsh completion for ~, made by ~ --generate-completion-script zsh\n"
			   "\n"
			   "_~_names() {\n"
			   "\tlocal -a names\n"
			   "\n"
			   "\tnames=(\"${(@f)$(\"$_~_program\" ---completion $1 2>/dev/null)}\")\n"
			   "\tnames=(${names:#})\n"
			   "\t_describe -t names name names\n"
			   "}\n"
			   "\n"
			   "# What the group offers that the words behind the command name.\n"
			   "_~_topics() {\n"
			   "\tlocal list=_~_commands word\n"
			   "\n"
			   "\tfor word in $words[2,CURRENT-1]; do\n"
			   "\t\t[[ $word == -* ]] || list+=_$word\n"
			   "\tdone\n"
			   "\t(( $+functions[$list] )) && $list\n"
			   "}\n"
			   "\n";

static const char tail[] = "_~() {\n"
			   "\tlocal _~_program=$words[1]\n"
			   "\n"
			   "\t_~_command\n"
			   "}\n"
			   "\n"
			   "if [[ $funcstack[1] == _~ ]]; then\n"
			   "\t_~ \"$@\"\n"
			   "else\n"
			   "\tcompdef _~ ~\n"
			   "fi\n";

/* Text inside single quotes, with the characters escaped that mean something to _arguments or _describe. */
static void add_quoted(struct str *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			str_add(out, "'\\''");
		else if (strchr("[]:\\", *text))
			str_addf(out, "\\%c", *text);
		else
			str_add_char(out, *text);
	}
}

static void add_action(struct str *out, const struct program *program, enum completes completes)
{
	switch (completes) {
	case COMPLETES_FILES:
		str_add(out, "_files");
		break;
	case COMPLETES_DIRS:
		str_add(out, "_files -/");
		break;
	case COMPLETES_COMMANDS:
		str_addf(out, "_%s_topics", program->name);
		break;
	case COMPLETES_NOTHING:
		str_add(out, " ");
		break;
	default:
		/* The blank keeps _arguments from putting options of compadd before ours. */
		str_addf(out, " _%s_names %s", program->name, complete_list(completes));
		break;
	}
}

/* "[help]:value:action" and the closing quote. */
static void add_rest_of_opt(struct str *out, const struct program *program, const struct opt *opt)
{
	str_add(out, "[");
	add_quoted(out, opt->help);
	str_add(out, "]");
	if (!opt_is_flag(opt)) {
		str_addf(out, ":%s:", opt_value_name(opt));
		for (size_t i = 0; complete_word(opt, i); i++)
			str_addf(out, "%s%s", i == 0 ? "(" : " ", complete_word(opt, i));
		if (complete_word(opt, 0))
			str_add(out, ")");
		else
			add_action(out, program, opt->completes);
	}
	str_add(out, "'");
}

static void add_opt(struct str *out, const struct program *program, const struct opt *opt)
{
	const char *equals = opt_is_flag(opt) ? "" : "=";

	str_add(out, " \\\n\t\t");
	if (opt->short_name && opt->name)
		str_addf(out, "'(-%c --%s)'{-%c,--%s%s}'", opt->short_name, opt->name,
			 opt->short_name, opt->name, equals);
	else if (opt->name)
		str_addf(out, "'%s--%s%s", opt->kind == OPT_KIND_TEXTS ? "*" : "", opt->name,
			 equals);
	else
		str_addf(out, "'-%c", opt->short_name);
	add_rest_of_opt(out, program, opt);
	if (opt->kind == OPT_KIND_FLAG_PAIR) {
		str_addf(out, " \\\n\t\t'--no-%s", opt->name);
		add_rest_of_opt(out, program, opt);
	}
}

static void add_operand(struct str *out, const struct program *program,
			const struct operand *operand)
{
	static const char *const openings[] = {
		[OPERAND_KIND_ONE] = ":",    [OPERAND_KIND_OPTIONAL] = "::",
		[OPERAND_KIND_LIST] = "*:",  [OPERAND_KIND_ANY] = "*:",
		[OPERAND_KIND_REST] = "*::",
	};

	str_addf(out, " \\\n\t\t'%s", openings[operand->kind]);
	add_quoted(out, operand->name);
	str_add(out, ":");
	add_action(out, program, operand->completes);
	str_add(out, "'");
}

/* -A: behind the operand before the rest, nothing is our option any more. */
static const char *modes_of(const struct command *command)
{
	each_operand(command->operands, operand)
	{
		if (operand->kind == OPERAND_KIND_REST)
			return "-s -S -A '-*'";
	}
	return "-s -S";
}

/* "_tart_command_network_show"; WHAT is "command" or "commands". */
static void add_function(struct str *out, const struct program *program, const char *what,
			 const struct command *command)
{
	str_addf(out, "_%s_%s", program->name, what);
	if (command) {
		str_add_char(out, '_');
		command_add_path(out, command, '_');
	}
}

static const char builtin_opts[] = "'--version[Show the version.]' "
				   "'(-h --help)'{-h,--help}'[Show help information.]'";

static void add_command(struct str *out, const struct program *program,
			const struct command *command)
{
	add_function(out, program, "command", command);
	str_addf(out, "() {\n\t_arguments %s", modes_of(command));
	each_opt(command->opts, opt)
	{
		if (usage_shows(opt, false))
			add_opt(out, program, opt);
	}
	str_addf(out, " \\\n\t\t%s", builtin_opts);
	each_operand(command->operands, operand) add_operand(out, program, operand);
	str_add(out, "\n}\n\n");
}

/* The names that a group offers, or the program (`group` NULL). */
static void add_commands(struct str *out, const struct program *program,
			 const struct command *group)
{
	add_function(out, program, "commands", group);
	str_add(out, "() {\n\tlocal -a commands=(\n");
	each_of_(command_list(program, group), command)
	{
		if (command->hidden)
			continue;
		str_addf(out, "\t\t'%s:", command->name);
		add_quoted(out, command->summary);
		str_add(out, "'\n");
	}
	if (!group)
		str_add(out, "\t\t'help:Show subcommand help information.'\n");
	str_add(out, "\t)\n\n\t_describe -t commands sub-command commands\n}\n\n");
}

/* The first word is the command, which then has all words behind it to itself. */
static void add_group(struct str *out, const struct program *program, const struct command *group)
{
	CLEANUP_STR struct str names = { 0 };
	CLEANUP_STR struct str function = { 0 };

	add_function(&names, program, "commands", group);
	add_function(&function, program, "command", group);
	str_addf(out,
		 "%s() {\n"
		 "\tlocal curcontext=$curcontext context state state_descr line\n"
		 "\tlocal -A opt_args\n"
		 "\n"
		 "\t_arguments -C -S %s \\\n"
		 "\t\t'1:sub-command:%s' '*::argument:->arguments'\n"
		 "\t[[ $state == arguments ]] || return\n"
		 "\tcurcontext=${curcontext%%:*:*}:%s-$words[1]:\n"
		 "\t(( $+functions[%s_$words[1]] )) && %s_$words[1]\n"
		 "}\n"
		 "\n",
		 function.ptr, builtin_opts, names.ptr, group ? group->name : program->name,
		 function.ptr, function.ptr);
}

void complete_add_zsh(struct str *out, const struct program *program)
{
	complete_add_replaced(out, head, '~', program->name);
	add_commands(out, program, NULL);
	each_command_and_verb(program, command)
	{
		if (command->verbs) {
			add_commands(out, program, command);
			add_group(out, program, command);
		} else {
			add_command(out, program, command);
		}
	}
	add_group(out, program, NULL);
	complete_add_replaced(out, tail, '~', program->name);
}
