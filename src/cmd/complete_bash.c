/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The completion script for bash: four functions that hold the tables, and one that knows how to use them.
 *
 * What a table says is a kind and, for `words`, the words. Kinds are none, files, dirs, words, rest, commands, and the
 * lists that the program is asked for. A verb's COMMAND is "network show".
 */
#include "cmd/complete.h"

#include "cmd/usage.h"

/* "~" stands for the name of the program. */
static const char engine[] =
	"_~_offer() { # CURRENT KIND [WORD...]: adds to COMPREPLY what of that kind starts with CURRENT\n"
	"\tlocal current=$1 kind=$2 name\n"
	"\n"
	"\tshift 2\n"
	"\tcase $kind in\n"
	"\tfiles | dirs)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\twhile IFS= read -r name; do\n"
	"\t\t\tCOMPREPLY+=(\"$name\")\n"
	"\t\tdone < <(if [ $kind = dirs ]; then compgen -d -- \"$current\"; else compgen -f -- \"$current\"; fi)\n"
	"\t\t;;\n"
	"\twords)\n"
	"\t\tfor name; do\n"
	"\t\t\t[[ $name != \"$current\"* ]] || COMPREPLY+=(\"$name\")\n"
	"\t\tdone\n"
	"\t\t;;\n"
	"\tnone | rest) ;;\n"
	"\t*)\n"
	"\t\twhile IFS= read -r name; do\n"
	"\t\t\tname=${name//\\\\:/:}\n"
	"\t\t\t[[ $name != \"$current\"* ]] || COMPREPLY+=(\"$(printf %q \"$name\")\")\n"
	"\t\tdone < <(\"${COMP_WORDS[0]}\" ---completion $kind 2>/dev/null)\n"
	"\t\t;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_~() {\n"
	"\tlocal line=$COMP_LINE words=() word blanks i current kept\n"
	"\tlocal command='' operands=0 named='' options=yes value='' attached REPLY\n"
	"\n"
	"\t# readline has split the words at ':' and '=', too.\n"
	"\tfor ((i = 0; i <= COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tblanks=${line%%[![:blank:]]*}\n"
	"\t\tline=${line#\"$blanks\"}\n"
	"\t\tif [[ -n $blanks || $i -eq 0 ]]; then\n"
	"\t\t\twords+=(\"$word\")\n"
	"\t\telse\n"
	"\t\t\twords[${#words[@]} - 1]+=$word\n"
	"\t\tfi\n"
	"\t\tline=${line#\"$word\"}\n"
	"\tdone\n"
	"\tcurrent=${words[${#words[@]} - 1]}\n"
	"\t# It replaces its last piece only; what is before that has to be cut off the answers.\n"
	"\t[[ $word != [:=]* ]] || word=\n"
	"\tkept=${current%\"$word\"}\n"
	"\tCOMPREPLY=()\n"
	"\n"
	"\tfor word in \"${words[@]:1:${#words[@]} - 2}\"; do\n"
	"\t\tif [[ -n $value ]]; then\n"
	"\t\t\tvalue=\n"
	"\t\telif [[ -n $options && $word == -- ]]; then\n"
	"\t\t\toptions=\n"
	"\t\telif [[ -n $options && $word == -?* ]]; then\n"
	"\t\t\t_~_value \"$command\" \"$word\"\n"
	"\t\t\tvalue=$REPLY\n"
	"\t\telif _~_verbs \"$command\"; then\n"
	"\t\t\tcommand+=${command:+ }$word\n"
	"\t\telse\n"
	"\t\t\t((++operands))\n"
	"\t\t\tnamed+=${named:+ }$word\n"
	"\t\t\t_~_operand \"$command\" $((operands + 1))\n"
	"\t\t\t[[ $REPLY != rest ]] || options=\n"
	"\t\tfi\n"
	"\tdone\n"
	"\n"
	"\tif [[ -n $value ]]; then\n"
	"\t\t_~_offer \"$current\" $value\n"
	"\telif [[ -n $options && $current == --*=* ]]; then\n"
	"\t\tattached=${current%%=*}\n"
	"\t\t_~_value \"$command\" \"$attached\"\n"
	"\t\t_~_offer \"${current#*=}\" ${REPLY:-none}\n"
	"\t\tCOMPREPLY=(\"${COMPREPLY[@]/#/\"$attached=\"}\")\n"
	"\telif [[ -n $options && $current == -* ]]; then\n"
	"\t\t_~_options \"$command\"\n"
	"\t\t_~_offer \"$current\" words $REPLY\n"
	"\telse\n"
	"\t\t_~_verbs \"$command\" || _~_operand \"$command\" $((operands + 1))\n"
	"\t\t[[ $REPLY != commands ]] || _~_verbs \"$named\" || REPLY=none\n"
	"\t\t_~_offer \"$current\" $REPLY\n"
	"\tfi\n"
	"\tCOMPREPLY=(\"${COMPREPLY[@]#\"$kept\"}\")\n"
	"}\n"
	"\n"
	"complete -F _~ ~\n";

static const char *kind_of(enum completes completes)
{
	switch (completes) {
	case COMPLETES_COMMANDS:
		return "commands";
	case COMPLETES_FILES:
		return "files";
	case COMPLETES_DIRS:
		return "dirs";
	default:
		return complete_list(completes) ? complete_list(completes) : "none";
	}
}

/* "network show" */
static void add_path(struct str *out, const struct command *command)
{
	command_add_path(out, command, ' ');
}

static void add_value_name(struct str *out, const struct command *command, const char *dashes,
			   struct span name)
{
	str_add_char(out, '\'');
	add_path(out, command);
	str_addf(out, " %s%.*s'", dashes, SPAN_ARG(name));
}

static void add_value(struct str *out, const struct command *command, const struct opt *opt)
{
	str_add(out, "\t");
	if (opt->short_name)
		add_value_name(out, command, "-", span_make(&opt->short_name, 1));
	if (opt->short_name && opt->name)
		str_add(out, " | ");
	if (opt->name)
		add_value_name(out, command, "--", span_of(opt->name));
	str_add(out, ") REPLY='");
	if (!complete_word(opt, 0))
		str_add(out, kind_of(opt->completes));
	for (size_t i = 0; complete_word(opt, i); i++)
		str_addf(out, "%s%s", i == 0 ? "words " : " ", complete_word(opt, i));
	str_add(out, "' ;;\n");
}

/* Opens a function that answers by what its arguments are. */
static void begin(struct str *out, const struct program *program, const char *name,
		  const char *arguments, const char *subject)
{
	str_addf(out, "_%s_%s() { # %s\n\tcase \"%s\" in\n", program->name, name, arguments,
		 subject);
}

static void end(struct str *out, const char *otherwise)
{
	str_addf(out, "\t*) REPLY='%s' ;;\n\tesac\n}\n\n", otherwise);
}

static void add_values(struct str *out, const struct program *program)
{
	begin(out, program, "value", "COMMAND OPTION: nothing when it takes no value", "$1 $2");
	each_command_and_verb(program, command)
	{
		each_opt(command->opts, opt)
		{
			if (!opt_is_flag(opt) && opt->show != SHOW_NEVER)
				add_value(out, command, opt);
		}
	}
	end(out, "");
}

/* What a group offers, or the program. */
static void add_verbs_of(struct str *out, const struct program *program,
			 const struct command *group)
{
	str_add(out, "\t'");
	if (group)
		add_path(out, group);
	str_add(out, "') REPLY='words");
	each_of_(command_list(program, group), command)
	{
		if (!command->hidden)
			str_addf(out, " %s", command->name);
	}
	str_add(out, group ? "' ;;\n" : " help' ;;\n");
}

static void add_verbs(struct str *out, const struct program *program)
{
	begin(out, program, "verbs", "COMMAND: false when it has none", "$1");
	add_verbs_of(out, program, NULL);
	each_command_and_verb(program, command)
	{
		if (command->verbs)
			add_verbs_of(out, program, command);
	}
	str_add(out, "\t*) return 1 ;;\n\tesac\n}\n\n");
}

static void add_operand(struct str *out, const struct command *command, int number,
			const struct operand *operand)
{
	str_add(out, "\t'");
	add_path(out, command);
	if (operand_takes_many(operand))
		str_add(out, " '*");
	else
		str_addf(out, " %d'", number);
	str_addf(out, ") REPLY='%s' ;;\n",
		 operand->kind == OPERAND_KIND_REST ? "rest" : kind_of(operand->completes));
}

static void add_operands(struct str *out, const struct program *program)
{
	begin(out, program, "operand", "COMMAND NUMBER", "$1 $2");
	each_command_and_verb(program, command)
	{
		int n = 0;

		each_operand(command->operands, operand) add_operand(out, command, ++n, operand);
	}
	end(out, "none");
}

static void add_names(struct str *out, const struct command *command)
{
	each_opt(command->opts, opt)
	{
		if (!usage_shows(opt, false))
			continue;
		if (opt->short_name)
			str_addf(out, "-%c ", opt->short_name);
		if (opt->name)
			str_addf(out, "--%s ", opt->name);
		if (opt->kind == OPT_KIND_FLAG_PAIR)
			str_addf(out, "--no-%s ", opt->name);
	}
}

static void add_options(struct str *out, const struct program *program)
{
	begin(out, program, "options", "COMMAND", "$1");
	each_command_and_verb(program, command)
	{
		str_add(out, "\t'");
		add_path(out, command);
		str_add(out, "') REPLY='");
		add_names(out, command);
		str_add(out, "--version -h --help' ;;\n");
	}
	end(out, "--version -h --help");
}

void complete_add_bash(struct str *out, const struct program *program)
{
	str_addf(out, "# bash completion for %s, made by %s --generate-completion-script bash\n\n",
		 program->name, program->name);
	add_values(out, program);
	add_verbs(out, program);
	add_operands(out, program);
	add_options(out, program);
	complete_add_replaced(out, engine, '~', program->name);
}
