/* SPDX-License-Identifier: Apache-2.0 */
/* The completion script for zsh: one _arguments call for each command. */
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
			   "\n";

static const char tail[] =
	"_~() {\n"
	"\tlocal curcontext=$curcontext context state state_descr line _~_program=$words[1]\n"
	"\tlocal -A opt_args\n"
	"\n"
	"\t_arguments -C -S '--version[Show the version.]' '(-h --help)'{-h,--help}'[Show help information.]' \\\n"
	"\t\t'1:sub-command:_~_commands' '*::argument:->arguments'\n"
	"\t[[ $state == arguments ]] || return\n"
	"\tcurcontext=${curcontext%:*:*}:~-$words[1]:\n"
	"\t(( $+functions[_~_command_$words[1]] )) && _~_command_$words[1]\n"
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
		str_addf(out, "_%s_commands", program->name);
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

static void add_command(struct str *out, const struct program *program,
			const struct command *command)
{
	str_addf(out, "_%s_command_%s() {\n\t_arguments %s", program->name, command->name,
		 modes_of(command));
	each_opt(command->opts, opt)
	{
		if (usage_shows(opt, false))
			add_opt(out, program, opt);
	}
	str_add(out, " \\\n\t\t'--version[Show the version.]'"
		     " \\\n\t\t'(-h --help)'{-h,--help}'[Show help information.]'");
	each_operand(command->operands, operand) add_operand(out, program, operand);
	str_add(out, "\n}\n\n");
}

static void add_commands(struct str *out, const struct program *program)
{
	str_addf(out, "_%s_commands() {\n\tlocal -a commands=(\n", program->name);
	each_command(program, command)
	{
		if (command->hidden)
			continue;
		str_addf(out, "\t\t'%s:", command->name);
		add_quoted(out, command->summary);
		str_add(out, "'\n");
	}
	str_add(out, "\t\t'help:Show subcommand help information.'\n"
		     "\t)\n\n\t_describe -t commands sub-command commands\n}\n\n");
}

void complete_add_zsh(struct str *out, const struct program *program)
{
	complete_add_replaced(out, head, '~', program->name);
	add_commands(out, program);
	each_command(program, command) add_command(out, program, command);
	complete_add_replaced(out, tail, '~', program->name);
}
