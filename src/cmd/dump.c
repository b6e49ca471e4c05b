/* SPDX-License-Identifier: Apache-2.0 */
/* JSON description of the command tables. */
#include "cmd/dump.h"

#include <stdio.h>

#include "base/mem.h"
#include "cmd/usage.h"

static void add_name(struct json *names, const char *kind, const char *name)
{
	struct json *entry = json_append(names, json_object());

	json_set(entry, "kind", json_string(kind));
	json_set(entry, "name", json_string(name));
}

static void add_names(struct json *argument, const struct opt *opt)
{
	struct json *names = json_set(argument, "names", json_array());
	char letter[2] = { opt->short_name, '\0' };

	if (opt->short_name)
		add_name(names, "short", letter);
	if (opt->name)
		add_name(names, "long", opt->name);
	if (opt->kind == OPT_KIND_FLAG_PAIR) {
		CLEANUP_FREE char *negated = xasprintf("no-%s", opt->name);

		add_name(names, "long", negated);
	}
	/* The long name is the one to show; it comes after the short one. */
	json_set(argument, "preferredName",
		 json_dup(json_at(names, opt->short_name && opt->name ? 1 : 0)));
}

static struct json *new_argument(const char *kind, bool shown, bool optional, bool repeating)
{
	struct json *argument = json_object();

	json_set(argument, "kind", json_string(kind));
	json_set(argument, "shouldDisplay", json_bool(shown));
	json_set(argument, "isOptional", json_bool(optional));
	json_set(argument, "isRepeating", json_bool(repeating));
	return argument;
}

static void add_texts(struct json *argument, const char *help, const char *discussion)
{
	json_set(argument, "abstract", json_string(help));
	if (discussion)
		json_set(argument, "discussion", json_string(discussion));
}

static void add_default(struct json *argument, const struct opt *opt)
{
	CLEANUP_STR struct str text = { 0 };

	usage_add_default(&text, opt);
	if (text.len > 0)
		json_set(argument, "defaultValue", json_string(text.ptr));
	if (opt->kind == OPT_KIND_ENUM) {
		struct json *values = json_set(argument, "allValues", json_array());

		for (const struct opt_value *v = opt->values; v->word; v++)
			json_append(values, json_string(v->word));
	}
}

static struct json *describe_opt(const struct opt *opt)
{
	struct json *argument = new_argument(opt_is_flag(opt) ? "flag" : "option",
					     opt->show == SHOW_ALWAYS, true,
					     opt->kind == OPT_KIND_TEXTS);

	add_names(argument, opt);
	if (!opt_is_flag(opt))
		json_set(argument, "valueName", json_string(opt_value_name(opt)));
	add_default(argument, opt);
	add_texts(argument, opt->help, opt->discussion);
	return argument;
}

static struct json *describe_operand(const struct operand *operand)
{
	struct json *argument = new_argument("positional", true, !operand_is_required(operand),
					     operand_takes_many(operand));

	json_set(argument, "valueName", json_string(operand->name));
	add_texts(argument, operand->help, operand->discussion);
	return argument;
}

static void add_builtin(struct json *arguments, char letter, const char *name, const char *help)
{
	const struct opt opt = {
		.kind = OPT_KIND_FLAG,
		.short_name = letter,
		.name = name,
		.help = help,
	};

	json_append(arguments, describe_opt(&opt));
}

static void add_arguments(struct json *to, const struct command *command)
{
	struct json *arguments = json_set(to, "arguments", json_array());

	if (command) {
		each_operand(command->operands, operand)
			json_append(arguments, describe_operand(operand));
		each_opt(command->opts, opt)
		{
			if (usage_shows(opt, true))
				json_append(arguments, describe_opt(opt));
		}
	}
	add_builtin(arguments, 0, "version", "Show the version.");
	add_builtin(arguments, 'h', "help", "Show help information.");
}

/* The names in front of the command's own, from the program's on. */
static void add_super_commands(struct json *names, const struct program *program,
			       const struct command *group)
{
	if (group)
		add_super_commands(names, program, group->group);
	json_append(names, json_string(group ? group->name : program->name));
}

static struct json *describe_command(const struct program *program, const struct command *command);

static void add_subcommands(struct json *to, const struct program *program,
			    const struct command *group)
{
	struct json *commands = json_set(to, "subcommands", json_array());

	each_of_(command_list(program, group), command)
		json_append(commands, describe_command(program, command));
}

static struct json *describe_command(const struct program *program, const struct command *command)
{
	struct json *to = json_object();

	add_super_commands(json_set(to, "superCommands", json_array()), program, command->group);
	json_set(to, "commandName", json_string(command->name));
	json_set(to, "shouldDisplay", json_bool(!command->hidden));
	add_texts(to, command->summary, command->discussion);
	if (command->verbs)
		add_subcommands(to, program, command);
	add_arguments(to, command);
	return to;
}

static struct json *describe_program(const struct program *program)
{
	struct json *to = json_object();

	json_set(to, "commandName", json_string(program->name));
	add_subcommands(to, program, NULL);
	add_arguments(to, NULL);
	return to;
}

struct json *dump_make(const struct program *program, const struct command *command)
{
	struct json *root = json_object();

	json_set(root, "serializationVersion", json_u64(0));
	json_set(root, "command",
		 command ? describe_command(program, command) : describe_program(program));
	return root;
}

void dump_print(const struct program *program, const struct command *command)
{
	CLEANUP_JSON struct json *root = dump_make(program, command);
	CLEANUP_STR struct str text = { 0 };

	json_print(root, JSON_PRETTY, &text);
	puts(str_text(&text));
}
