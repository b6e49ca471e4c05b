/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cmd/help.h and cmd/usage.h: whole texts, as a reader sees them. */
#include "cmd/help.h"

#include <stdio.h>

#include "cmd/table.h"
#include "cmd/usage.h"
#include "fake.h"
#include "unit.h"

/* Every case of the table prints the help of its command; what was got is shown whole when it differs. */
static void check_text(const char *name, const struct str *got, const char *want)
{
	if (strcmp(str_text(got), want) != 0)
		print_message("%s\n", str_text(got));
	check(strcmp(str_text(got), want) == 0, "%s: texts differ", name);
}

#define OPERANDS_OF_PAINT                      \
	"ARGUMENTS:\n"                         \
	"  <name>                  VM name\n"  \
	"  <path>                  Where to\n" \
	"\n"

static const struct {
	const char *name;
	const struct command *command;
	bool hidden;
	size_t width;
	const char *want;
} helps[] = {
	{ "program", NULL, false, 80,
	  "USAGE: fake <subcommand>\n"
	  "\n"
	  "OPTIONS:\n"
	  "  --version               Show the version.\n"
	  "  -h, --help              Show help information.\n"
	  "\n"
	  "SUBCOMMANDS:\n"
	  "  paint                   Paint a VM\n"
	  "  push                    Push a VM\n"
	  "  exec                    Run a command in a VM\n"
	  "  lab                     Make colors\n"
	  "\n"
	  "  See 'fake help <subcommand>' for detailed help.\n" },
	{ "group", &fake_lab, false, 80,
	  "OVERVIEW: Make colors\n"
	  "\n"
	  "USAGE: fake lab <subcommand>\n"
	  "\n"
	  "OPTIONS:\n"
	  "  --version               Show the version.\n"
	  "  -h, --help              Show help information.\n"
	  "\n"
	  "SUBCOMMANDS:\n"
	  "  mix                     Mix a color\n"
	  "  tidy                    Tidy up\n"
	  "\n"
	  "  See 'fake help lab <subcommand>' for detailed help.\n" },
	{ "verb of a group", &fake_lab_mix, false, 80,
	  "OVERVIEW: Mix a color\n"
	  "\n"
	  "USAGE: fake lab mix <local-name> <remote-names> ... [--with <with>]\n"
	  "\n"
	  "ARGUMENTS:\n"
	  "  <local-name>            VM to push\n"
	  "  <remote-names>          Where to push it\n"
	  "\n"
	  "OPTIONS:\n"
	  "  -w, --with <with>       What to mix it with\n"
	  "  --version               Show the version.\n"
	  "  -h, --help              Show help information.\n" },
	{ "operands only", &fake_push, false, 80,
	  "OVERVIEW: Push a VM\n"
	  "\n"
	  "USAGE: fake push <local-name> <remote-names> ...\n"
	  "\n"
	  "ARGUMENTS:\n"
	  "  <local-name>            VM to push\n"
	  "  <remote-names>          Where to push it\n"
	  "\n"
	  "OPTIONS:\n"
	  "  --version               Show the version.\n"
	  "  -h, --help              Show help information.\n" },
	{ "rest", &fake_exec, false, 80,
	  "OVERVIEW: Run a command in a VM\n"
	  "\n"
	  "USAGE: fake exec [-i] [-t] <name> <command> ...\n"
	  "\n"
	  "ARGUMENTS:\n"
	  "  <name>                  VM name\n"
	  "  <command>               Command to run\n"
	  "\n"
	  "OPTIONS:\n"
	  "  -i                      Forward stdin\n"
	  "  -t                      Allocate a terminal\n"
	  "  --version               Show the version.\n"
	  "  -h, --help              Show help information.\n" },
	{ "nothing, wrapped", &fake_quit, false, 50,
	  "OVERVIEW: Do nothing, with a summary that is too\n"
	  "long for one line of a terminal\n"
	  "\n"
	  "USAGE: fake quit\n"
	  "\n"
	  "OPTIONS:\n"
	  "  --version               Show the version.\n"
	  "  -h, --help              Show help information.\n" },
	{ "every kind of option", &fake_paint, false, 80,
	  "OVERVIEW: Paint a VM\n"
	  "\n"
	  "The color is kept.\n"
	  "\n"
	  "USAGE: fake paint [<options>] <name> [<path>]\n"
	  "\n" OPERANDS_OF_PAINT "OPTIONS:\n"
	  "  -q, --quiet             Say less\n"
	  "  --insecure              Use plain HTTP\n"
	  "  --display-refit/--no-display-refit\n"
	  "                          Follow the window\n"
	  "  --disk <path>           Disk to use\n"
	  "  --options <options>     Disk options (default: ro)\n"
	  "        Options are separated by commas:\n"
	  "        * ro: read-only\n"
	  "  --label <label>         Label to add\n"
	  "  -t, --wait <wait>       Seconds to wait (default: 0)\n"
	  "  --budget <n>            GiB to keep (default: 100)\n"
	  "  --chunk-size <chunk-size>\n"
	  "                          Size of a chunk (default: -1)\n"
	  "  --cpu <cpu>             Number of CPUs\n"
	  "  --memory <memory>       Memory in MiB\n"
	  "  --color <color>         Color of the paint (values: red, green, blue;\n"
	  "                          default: green)\n"
	  "  --shape <shape>         Shape (values: round, square; default: round)\n"
	  "  --version               Show the version.\n"
	  "  -h, --help              Show help information.\n" },
};

static void prints_help(void **state)
{
	(void)state;
	each_row(helps, row) {
		CLEANUP_STR struct str got = { 0 };

		help_add(&got, &fake_program, row->command, row->hidden, row->width);
		check_text(row->name, &got, row->want);
	}
}

static void hidden_options_appear_on_request_only(void **state)
{
	CLEANUP_STR struct str shown = { 0 };
	CLEANUP_STR struct str hidden = { 0 };

	(void)state;
	help_add(&shown, &fake_program, &fake_paint, false, 80);
	help_add(&hidden, &fake_program, &fake_paint, true, 80);
	assert_null(strstr(shown.ptr, "--arcane"));
	assert_non_null(strstr(hidden.ptr, "\n  --arcane                For experts\n"));
	assert_null(strstr(hidden.ptr, "classified"));
}

static const struct {
	const char *name;
	const char *text;
	size_t width, indent;
	const char *want;
} wraps[] = {
	{ "nothing", "", 80, 4, "" },
	{ "one line", "one line", 80, 4, "    one line" },
	{ "exactly as wide", "12345678901234567890", 20, 0, "12345678901234567890" },
	{ "at the last blank", "123456789 123456789 1234", 20, 0, "123456789 123456789\n1234" },
	{ "a blank right behind the width does not count", "123456789 1234567890 1234", 20, 0,
	  "123456789\n1234567890 1234" },
	{ "indented", "123456789 123456789 1234", 24, 4, "    123456789 123456789\n    1234" },
	{ "long word alone", "1234567890123456789012345 x", 20, 0, "1234567890123456789012345\nx" },
	{ "long word at the end", "a 1234567890123456789012345", 20, 0,
	  "a\n1234567890123456789012345" },
	{ "line breaks stay", "one\n\ntwo", 20, 2, "  one\n\n  two" },
	{ "line break behind a full line", "1234567890 12345678\nx", 20, 0,
	  "1234567890 12345678\nx" },
	{ "code points, not bytes",
	  "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 123456789 x",
	  20, 0,
	  "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 123456789\nx" },
	{ "too narrow", "123456789 123456789 1234", 3, 26,
	  "                          123456789 123456789\n                          1234" },
};

static void wraps_at_blanks(void **state)
{
	(void)state;
	each_row(wraps, row) {
		CLEANUP_STR struct str got = { 0 };

		help_add_wrapped(&got, row->text, row->width, row->indent);
		check_text(row->name, &got, row->want);
	}
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(help_width("123", -1), 123);
	assert_int_equal(help_width(NULL, -1), 80);
	assert_int_equal(help_width("", -1), 80);
	assert_int_equal(help_width("0", -1), 80);
	assert_int_equal(help_width("-5", -1), 80);
	assert_int_equal(help_width("wide", -1), 80);
}

static struct opt few_opts[14];

/* 12 elements are listed, 13 are not. */
static void usage_line_shrinks(void **state)
{
	struct command few = { .name = "few", .opts = few_opts };
	CLEANUP_STR struct str got = { 0 };

	(void)state;
	for (size_t i = 0; i < 12; i++)
		few_opts[i] = (struct opt){ .kind = OPT_KIND_FLAG,
					    .short_name = (char)('a' + i),
					    .help = "" };
	usage_add_line(&got, &fake_program, &few, false);
	assert_string_equal(got.ptr,
			    "fake few [-a] [-b] [-c] [-d] [-e] [-f] [-g] [-h] [-i] [-j] [-k] [-l]");
	few_opts[12] = (struct opt){
		.kind = OPT_KIND_FLAG, .short_name = 'm', .show = SHOW_HIDDEN, .help = ""
	};
	str_clear(&got);
	usage_add_line(&got, &fake_program, &few, false);
	assert_string_equal(got.ptr,
			    "fake few [-a] [-b] [-c] [-d] [-e] [-f] [-g] [-h] [-i] [-j] [-k] [-l]");
	str_clear(&got);
	usage_add_line(&got, &fake_program, &few, true);
	assert_string_equal(got.ptr, "fake few <options>");
}

static const struct {
	const char *name;
	const struct opt opt;
	const char *want;
} synopses[] = {
	{ "flag",
	  { .kind = OPT_KIND_FLAG, .name = "quiet", .short_name = 'q' },
	  "fake x [--quiet]" },
	{ "short only", { .kind = OPT_KIND_FLAG, .short_name = 'q' }, "fake x [-q]" },
	{ "pair",
	  { .kind = OPT_KIND_FLAG_PAIR, .name = "refit" },
	  "fake x [--refit] [--no-refit]" },
	{ "value",
	  { .kind = OPT_KIND_TEXT, .name = "disk", .value_name = "path" },
	  "fake x [--disk <path>]" },
	{ "value named like the option",
	  { .kind = OPT_KIND_U16, .name = "cpu" },
	  "fake x [--cpu <cpu>]" },
	{ "list", { .kind = OPT_KIND_TEXTS, .name = "label" }, "fake x [--label <label> ...]" },
};

static void writes_synopses(void **state)
{
	(void)state;
	each_row(synopses, row) {
		const struct opt opts[] = { row->opt, OPT_END };
		const struct command command = { .name = "x", .opts = opts };
		CLEANUP_STR struct str got = { 0 };

		usage_add_line(&got, &fake_program, &command, false);
		check_text(row->name, &got, row->want);
	}
}

static void ends_usage_errors(void **state)
{
	CLEANUP_STR struct str got = { 0 };

	(void)state;
	usage_add_trailer(&got, &fake_program, &fake_push, "<local-name>  VM to push");
	assert_string_equal(got.ptr, "Help:  <local-name>  VM to push\n"
				     "Usage: fake push <local-name> <remote-names> ...\n"
				     "  See 'fake push --help' for more information.\n");
	str_clear(&got);
	usage_add_trailer(&got, &fake_program, NULL, "");
	assert_string_equal(got.ptr, "Usage: fake <subcommand>\n"
				     "  See 'fake --help' for more information.\n");
	str_clear(&got);
	usage_add_trailer(&got, &fake_program, &fake_lab, "");
	assert_string_equal(got.ptr, "Usage: fake lab <subcommand>\n"
				     "  See 'fake lab --help' for more information.\n");
	str_clear(&got);
	usage_add_trailer(&got, &fake_program, &fake_lab_tidy, "");
	assert_string_equal(got.ptr, "Usage: fake lab tidy <name> [<path>]\n"
				     "  See 'fake lab tidy --help' for more information.\n");
}

/* Groups before their verbs, and every verb knows its group. */
static void walks_all_commands(void **state)
{
	CLEANUP_STR struct str got = { 0 };

	(void)state;
	each_command_and_verb(&fake_program, command)
	{
		command_add_path(&got, command, '-');
		str_add_char(&got, ' ');
		each_verb(command, verb) assert_ptr_equal(verb->group, command);
	}
	assert_string_equal(got.ptr, "paint push exec lab lab-mix lab-pour lab-tidy quit help ");
}

/* The program's own tables: what a group lists are commands, and its verbs; nothing is both. */
static void groups_of_the_program_are_sound(void **state)
{
	(void)state;
	each_command_and_verb(&tart_program, command)
	{
		check(!command->run == !!command->verbs, "%s: run", command->name);
		check(!command->verbs || (!command->operands && !command->opts),
		      "%s: a group with arguments", command->name);
		each_verb(command, verb) check(verb->group == command, "%s: group", verb->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_help),
		cmocka_unit_test(hidden_options_appear_on_request_only),
		cmocka_unit_test(wraps_at_blanks),
		cmocka_unit_test(widths),
		cmocka_unit_test(usage_line_shrinks),
		cmocka_unit_test(writes_synopses),
		cmocka_unit_test(ends_usage_errors),
		cmocka_unit_test(walks_all_commands),
		cmocka_unit_test(groups_of_the_program_are_sound),
	};

	return unit_main(tests);
}
