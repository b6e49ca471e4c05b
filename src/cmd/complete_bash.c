/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The completion script for bash: three functions that hold the tables, and one that knows how to use them.
 *
 * What a table says is a kind (none, files, dirs, words, all, local, running, rest) and, for `words`, the words.
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
	"\tall | local | running)\n"
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
	"\tlocal command='' operands=0 options=yes value='' attached REPLY\n"
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
	"\t\telif [[ -z $command ]]; then\n"
	"\t\t\tcommand=$word\n"
	"\t\telse\n"
	"\t\t\t((++operands))\n"
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
	"\t\t_~_operand \"$command\" $((operands + 1))\n"
	"\t\t_~_offer \"$current\" $REPLY\n"
	"\tfi\n"
	"\tCOMPREPLY=(\"${COMPREPLY[@]#\"$kept\"}\")\n"
	"}\n"
	"\n"
	"complete -F _~ ~\n";

static const char *kind_of(enum completes completes)
{
	switch (completes) {
	case COMPLETES_FILES:
		return "files";
	case COMPLETES_DIRS:
		return "dirs";
	default:
		return complete_list(completes) ? complete_list(completes) : "none";
	}
}

static void add_value(struct str *out, const struct command *command, const struct opt *opt)
{
	str_add(out, "\t");
	if (opt->short_name)
		str_addf(out, "'%s -%c'%s", command->name, opt->short_name, opt->name ? " | " : "");
	if (opt->name)
		str_addf(out, "'%s --%s'", command->name, opt->name);
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
	each_command(program, command)
	{
		each_opt(command->opts, opt)
		{
			if (!opt_is_flag(opt) && opt->show != SHOW_NEVER)
				add_value(out, command, opt);
		}
	}
	end(out, "");
}

static void add_command_names(struct str *out, const struct program *program)
{
	str_add(out, "words");
	each_command(program, command)
	{
		if (!command->hidden)
			str_addf(out, " %s", command->name);
	}
	str_add(out, " help");
}

static void add_operand(struct str *out, const struct program *program,
			const struct operand *operand)
{
	str_add(out, ") REPLY='");
	if (operand->kind == OPERAND_KIND_REST)
		str_add(out, "rest");
	else if (operand->completes == COMPLETES_COMMANDS)
		add_command_names(out, program);
	else
		str_add(out, kind_of(operand->completes));
	str_add(out, "' ;;\n");
}

static void add_operands(struct str *out, const struct program *program)
{
	begin(out, program, "operand", "COMMAND NUMBER", "$1 $2");
	str_add(out, "\t' 1') REPLY='");
	add_command_names(out, program);
	str_add(out, "' ;;\n");
	each_command(program, command)
	{
		int n = 0;

		each_operand(command->operands, operand)
		{
			if (operand_takes_many(operand))
				str_addf(out, "\t'%s '*", command->name);
			else
				str_addf(out, "\t'%s %d'", command->name, ++n);
			add_operand(out, program, operand);
		}
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
	each_command(program, command)
	{
		str_addf(out, "\t'%s') REPLY='", command->name);
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
	add_operands(out, program);
	add_options(out, program);
	complete_add_replaced(out, engine, '~', program->name);
}
