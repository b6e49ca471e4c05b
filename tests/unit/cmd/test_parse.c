/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cmd/parse.h: the grammar of cli.md 1.1. */
#include "cmd/parse.h"

#include "base/mem.h"
#include "fake.h"
#include "unit.h"

#define ARGV_MAX 16

/* Splits at blanks; "''" stands for an empty argument. The first word is the program. */
struct line {
	char *text;
	char *argv[ARGV_MAX];
	int argc;
};

static struct line split(const char *text)
{
	struct line line = { .text = xasprintf("fake %s", text) };
	char *save = NULL;

	for (char *word = strtok_r(line.text, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		assert_true(line.argc < ARGV_MAX);
		line.argv[line.argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	return line;
}

static bool parse(struct line *line, struct invocation *invocation, struct err *err)
{
	return invocation_parse(&fake_program, line->argc, line->argv, invocation, err);
}

/* Everything the arguments of `paint` hold, in one text to compare with. */
static void describe(const struct fake_args *a, struct str *out)
{
	static const char *const refit[] = { "unset", "off", "on" };

	str_addf(out, "%s", a->name);
	if (a->path)
		str_addf(out, " path=%s", a->path);
	str_addf(out, "%s%s%s%s", a->quiet ? " quiet" : "", a->insecure ? " insecure" : "",
		 a->hidden ? " arcane" : "", a->secret ? " secret" : "");
	if (a->refit != UNSET)
		str_addf(out, " refit=%s", refit[a->refit + 1]);
	if (a->disk)
		str_addf(out, " disk=%s", a->disk);
	if (strcmp(a->options, "ro") != 0)
		str_addf(out, " options=%s", a->options);
	for (size_t i = 0; i < a->labels.n; i++)
		str_addf(out, " label=%s", a->labels.v[i]);
	if (a->wait_s != 0)
		str_addf(out, " wait=%u", a->wait_s);
	if (a->budget != 100)
		str_addf(out, " budget=%llu", (unsigned long long)a->budget);
	if (a->chunk != -1)
		str_addf(out, " chunk=%lld", (long long)a->chunk);
	if (a->cpu.set)
		str_addf(out, " cpu=%u", a->cpu.value);
	if (a->memory.set)
		str_addf(out, " memory=%llu", (unsigned long long)a->memory.value);
	if (a->color != GREEN)
		str_addf(out, " color=%d", (int)a->color);
	if (a->shape != 1)
		str_addf(out, " shape=%d", a->shape);
}

static const struct {
	const char *name;
	const char *line;
	const char *want;
} accepted[] = {
	{ "defaults", "vm", "vm" },
	{ "optional operand", "vm there", "vm path=there" },
	{ "option before the operand", "--insecure vm", "vm insecure" },
	{ "options on both sides", "--insecure vm --disk d path", "vm path=path insecure disk=d" },
	{ "short flag", "vm -q", "vm quiet" },
	{ "value as the next argument", "vm --disk d", "vm disk=d" },
	{ "value behind an equals sign", "vm --disk=d", "vm disk=d" },
	{ "value with an equals sign", "vm --disk=a=b", "vm disk=a=b" },
	{ "empty value behind an equals sign", "vm --options=", "vm options=" },
	{ "empty value as an argument", "vm --options ''", "vm options=" },
	{ "value that starts with a dash", "vm --disk=-x", "vm disk=-x" },
	{ "lone dash as a value", "vm --disk -", "vm disk=-" },
	{ "lone dash as an operand", "- -", "- path=-" },
	{ "empty operand", "''", "" },
	{ "short option with a value", "vm -t 5", "vm wait=5" },
	{ "short option with an equals sign", "vm -t=5", "vm wait=5" },
	{ "group whose last letter takes a value", "vm -qt 5", "vm quiet wait=5" },
	{ "group whose first letter takes a value", "vm -tq 5", "vm quiet wait=5" },
	{ "dashes end options", "--quiet -- --insecure -q", "--insecure path=-q quiet" },
	{ "only the first double dash counts", "-- --", "--" },
	{ "double dash behind the operands", "vm --", "vm" },
	{ "scalar: the last one counts", "vm --disk a --disk b", "vm disk=b" },
	{ "flag twice", "vm -q --quiet", "vm quiet" },
	{ "list accumulates", "vm --label a --label=b --label a", "vm label=a label=b label=a" },
	{ "pair on", "vm --display-refit", "vm refit=on" },
	{ "pair off", "vm --no-display-refit", "vm refit=off" },
	{ "pair: the last one counts", "vm --no-display-refit --display-refit", "vm refit=on" },
	{ "hidden option", "vm --arcane", "vm arcane" },
	{ "never shown option", "vm --classified", "vm secret" },
	{ "enumeration", "vm --color blue", "vm color=2" },
	{ "enumeration in any case", "vm --shape=SQUARE", "vm shape=2" },
	{ "explicit zero is a value", "vm --cpu 0 --memory 0", "vm cpu=0 memory=0" },
	{ "16 bits at most", "vm --wait 65535", "vm wait=65535" },
	{ "64 bits at most", "vm --budget 18446744073709551615", "vm budget=18446744073709551615" },
	{ "plus sign", "vm --cpu +4", "vm cpu=4" },
	{ "minus zero", "vm --cpu=-0", "vm cpu=0" },
	{ "leading zeros", "vm --cpu 0004", "vm cpu=4" },
	{ "largest signed", "vm --chunk-size 9223372036854775807", "vm chunk=9223372036854775807" },
	{ "smallest signed", "vm --chunk-size=-9223372036854775808",
	  "vm chunk=-9223372036854775808" },
	{ "negative", "vm --chunk-size=-7", "vm chunk=-7" },
};

static void accepts(void **state)
{
	(void)state;
	each_row(accepted, row) {
		CLEANUP_FREE char *text = xasprintf("paint %s", row->line);
		struct line line = split(text);
		CLEANUP(invocation_done) struct invocation invocation = { 0 };
		CLEANUP_STR struct str got = { 0 };
		struct err err = { 0 };

		check(parse(&line, &invocation, &err), "%s: %s", row->name, err.text);
		check(invocation.request == REQUEST_RUN, "%s: request %d", row->name,
		      (int)invocation.request);
		describe(invocation.args, &got);
		check(strcmp(str_text(&got), row->want) == 0, "%s: got %s", row->name,
		      str_text(&got));
		free(line.text);
	}
}

#define WAIT_HINT "--wait <wait>  Seconds to wait"

static const struct {
	const char *name;
	const char *line;
	const char *message;
	const char *hint;
} refused[] = {
	{ "missing operand", "paint", "Missing expected argument '<name>'", "<name>  VM name" },
	{ "missing list", "push vm", "Missing expected argument '<remote-names> ...'",
	  "<remote-names>  Where to push it" },
	{ "missing rest", "exec vm", "Missing expected argument '<command> ...'",
	  "<command>  Command to run" },
	{ "missing operand before an unknown option", "paint --foo",
	  "Missing expected argument '<name>'", "<name>  VM name" },
	{ "unknown long option", "paint vm --frobnicate", "Unknown option '--frobnicate'", "" },
	{ "unknown option with a value", "paint vm --frobnicate=5", "Unknown option '--frobnicate'",
	  "" },
	{ "unknown short option", "paint vm -x", "Unknown option '-x'", "" },
	{ "unknown letter in a group", "paint vm -qx", "Unknown option '-x'", "" },
	{ "unknown group", "paint vm -xyz", "Unknown option '-xyz'", "" },
	{ "group with a value", "paint vm -qt=5", "Unknown option '-qt'", "" },
	{ "single dash before a long name", "paint vm -insecure", "Unknown option '-insecure'",
	  "" },
	{ "abbreviation", "paint vm --insec",
	  "Unknown option '--insec'. Did you mean '--insecure'?", "" },
	{ "typo", "paint vm --qiet", "Unknown option '--qiet'. Did you mean '--quiet'?", "" },
	{ "case matters", "paint vm --Quiet", "Unknown option '--Quiet'. Did you mean '--quiet'?",
	  "" },
	{ "the nearest is suggested", "paint vm --wat",
	  "Unknown option '--wat'. Did you mean '--wait'?", "" },
	{ "distance 3", "paint vm --displayrefitxx",
	  "Unknown option '--displayrefitxx'. Did you mean '--display-refit'?", "" },
	{ "distance 4", "paint vm --displayrefitxxx", "Unknown option '--displayrefitxxx'", "" },
	{ "the negated form is suggested", "paint vm --no-display-refi",
	  "Unknown option '--no-display-refi'. Did you mean '--no-display-refit'?", "" },
	{ "no negation of a plain flag", "paint vm --no-insecure",
	  "Unknown option '--no-insecure'. Did you mean '--insecure'?", "" },
	{ "hidden options are not suggested", "paint vm --arcana", "Unknown option '--arcana'",
	  "" },
	{ "secret options are not suggested", "paint vm --classifie",
	  "Unknown option '--classifie'", "" },
	{ "unknown option before too many operands", "paint a b c --frobnicate",
	  "Unknown option '--frobnicate'", "" },
	{ "empty long name", "paint vm --=5", "Unknown option '--'. Did you mean '--cpu'?", "" },
	{ "no value at the end", "paint vm --wait", "Missing value for '--wait <wait>'",
	  WAIT_HINT },
	{ "no value before an option", "paint vm --wait --quiet",
	  "Missing value for '--wait <wait>'", WAIT_HINT },
	{ "no value before the double dash", "paint vm --wait -- 5",
	  "Missing value for '--wait <wait>'", WAIT_HINT },
	{ "detached negative number", "paint vm --wait -5", "Missing value for '--wait <wait>'",
	  WAIT_HINT },
	{ "short option without a value", "paint vm -t", "Missing value for '-t <wait>'",
	  "-t <wait>  Seconds to wait" },
	{ "value glued to a short option", "paint -t5 vm",
	  "The value 'vm' is invalid for '-t <wait>'", "-t <wait>  Seconds to wait" },
	{ "text for a number", "paint vm --wait x", "The value 'x' is invalid for '--wait <wait>'",
	  WAIT_HINT },
	{ "empty number", "paint vm --wait=", "The value '' is invalid for '--wait <wait>'",
	  WAIT_HINT },
	{ "sign alone", "paint vm --wait=-", "The value '-' is invalid for '--wait <wait>'",
	  WAIT_HINT },
	{ "two signs", "paint vm --wait=+-5", "The value '+-5' is invalid for '--wait <wait>'",
	  WAIT_HINT },
	{ "fraction", "paint vm --wait 1.5", "The value '1.5' is invalid for '--wait <wait>'",
	  WAIT_HINT },
	{ "hexadecimal", "paint vm --wait 0x5", "The value '0x5' is invalid for '--wait <wait>'",
	  WAIT_HINT },
	{ "negative for unsigned", "paint vm --wait=-1",
	  "The value '-1' is invalid for '--wait <wait>'", WAIT_HINT },
	{ "17 bits", "paint vm --wait 65536", "The value '65536' is invalid for '--wait <wait>'",
	  WAIT_HINT },
	{ "65 bits", "paint vm --budget 18446744073709551616",
	  "The value '18446744073709551616' is invalid for '--budget <n>'",
	  "--budget <n>  GiB to keep" },
	{ "above the largest signed", "paint vm --chunk-size 9223372036854775808",
	  "The value '9223372036854775808' is invalid for '--chunk-size <chunk-size>'",
	  "--chunk-size <chunk-size>  Size of a chunk" },
	{ "below the smallest signed", "paint vm --chunk-size=-9223372036854775809",
	  "The value '-9223372036854775809' is invalid for '--chunk-size <chunk-size>'",
	  "--chunk-size <chunk-size>  Size of a chunk" },
	{ "one of two words", "paint vm --shape oval",
	  "The value 'oval' is invalid for '--shape <shape>'. Please provide one of 'round' and 'square'.",
	  "--shape <shape>  Shape" },
	{ "one of three words", "paint vm --color Blue",
	  "The value 'Blue' is invalid for '--color <color>'. Please provide one of 'red', 'green' or 'blue'.",
	  "--color <color>  Color of the paint" },
	{ "the first bad value counts", "paint --wait x --color y",
	  "The value 'x' is invalid for '--wait <wait>'", WAIT_HINT },
	{ "bad value before --help", "paint --wait x --help",
	  "The value 'x' is invalid for '--wait <wait>'", WAIT_HINT },
	{ "value for a flag", "paint vm --insecure=x",
	  "The option '--insecure' does not take any value, but 'x' was specified.", "" },
	{ "empty value for a flag", "paint vm --insecure=",
	  "The option '--insecure' does not take any value, but '' was specified.", "" },
	{ "value for a short flag", "paint vm -q=1",
	  "The option '-q' does not take any value, but '1' was specified.", "" },
	{ "one operand too many", "paint a b c", "Unexpected argument 'c'", "" },
	{ "two operands too many", "paint a b c d", "2 unexpected arguments: 'c', 'd'", "" },
	{ "no operands at all", "quit now", "Unexpected argument 'now'", "" },
	{ "three dashes", "paint vm ---quiet", "Invalid option: ---quiet", "" },
	{ "equals sign without a name", "paint vm -=5", "Invalid option: -=5", "" },
	{ "unknown command", "nosuch", "Unexpected argument 'nosuch'", "" },
	{ "unknown command with arguments", "nosuch a", "2 unexpected arguments: 'nosuch', 'a'",
	  "" },
	{ "unknown command with an option", "nosuch --foo", "Unknown option '--foo'", "" },
	{ "option of a command before it", "--insecure paint", "Unknown option '--insecure'", "" },
	{ "command behind a double dash", "-- paint", "Unexpected argument 'paint'", "" },
	{ "command in capitals", "PAINT", "Unexpected argument 'PAINT'", "" },
	{ "exec: unknown option before the name", "exec -x vm ls", "Unknown option '-x'", "" },
	{ "unknown verb", "lab nosuch", "Unexpected argument 'nosuch'", "" },
	{ "unknown verb with arguments", "lab nosuch a", "2 unexpected arguments: 'nosuch', 'a'",
	  "" },
	{ "verb of another group", "mix", "Unexpected argument 'mix'", "" },
	{ "command in the place of a verb", "lab paint", "Unexpected argument 'paint'", "" },
	{ "option of a verb before it", "lab --with x mix", "Unknown option '--with'", "" },
	{ "groups make no completion scripts", "lab --generate-completion-script=bash",
	  "Unknown option '--generate-completion-script'", "" },
};

/* A verb that lacks something is named as a whole. */
static void names_the_verb(void **state)
{
	struct line line = split("lab mix a");
	CLEANUP(invocation_done) struct invocation invocation = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_false(parse(&line, &invocation, &err));
	assert_string_equal(err.text, "Missing expected argument '<remote-names> ...'");
	assert_ptr_equal(invocation.command, &fake_lab_mix);
	free(line.text);
}

static void refuses(void **state)
{
	(void)state;
	each_row(refused, row) {
		struct line line = split(row->line);
		CLEANUP(invocation_done) struct invocation invocation = { 0 };
		struct err err = { 0 };

		check(!parse(&line, &invocation, &err), "%s: accepted", row->name);
		check(err.kind == ERR_USAGE, "%s: kind %d", row->name, (int)err.kind);
		check(strcmp(err.text, row->message) == 0, "%s: got %s", row->name, err.text);
		check(strcmp(str_text(&invocation.hint), row->hint) == 0, "%s: hint %s", row->name,
		      str_text(&invocation.hint));
		check(invocation.command == command_find(&fake_program, NULL, line.argv[1]),
		      "%s: command", row->name);
		free(line.text);
	}
}

static const struct {
	const char *name;
	const char *line;
	enum request request;
	const struct command *command;
} requests[] = {
	{ "nothing at all", "", REQUEST_HELP, NULL },
	{ "only a double dash", "--", REQUEST_HELP, NULL },
	{ "help", "--help", REQUEST_HELP, NULL },
	{ "short help", "-h", REQUEST_HELP, NULL },
	{ "help and a command behind it", "--help paint", REQUEST_HELP, NULL },
	{ "help with an unknown command", "nosuch --help", REQUEST_HELP, NULL },
	{ "help with an unknown option", "paint --frobnicate --help", REQUEST_HELP, &fake_paint },
	{ "help without the operands", "paint --help", REQUEST_HELP, &fake_paint },
	{ "short help in a group", "paint -qh", REQUEST_HELP, &fake_paint },
	{ "help with too many operands", "paint a b c -h", REQUEST_HELP, &fake_paint },
	{ "help wins over version", "paint --version --help", REQUEST_HELP, &fake_paint },
	{ "hidden help", "paint --help-hidden", REQUEST_HELP_HIDDEN, &fake_paint },
	{ "version", "--version", REQUEST_VERSION, NULL },
	{ "version of a command", "paint --version", REQUEST_VERSION, &fake_paint },
	{ "dump", "--experimental-dump-help", REQUEST_DUMP, NULL },
	{ "dump of a command", "push --experimental-dump-help", REQUEST_DUMP, &fake_push },
	{ "help for exec", "exec --help", REQUEST_HELP, &fake_exec },
	{ "help for exec after a flag", "exec -i --help vm ls", REQUEST_HELP, &fake_exec },
	{ "run of a hidden command", "quit", REQUEST_RUN, &fake_quit },
	{ "group alone", "lab", REQUEST_HELP, &fake_lab },
	{ "help for a group", "lab --help", REQUEST_HELP, &fake_lab },
	{ "help for a group and a verb behind it", "lab --help mix", REQUEST_HELP, &fake_lab },
	{ "help for a group with an unknown verb", "lab nosuch -h", REQUEST_HELP, &fake_lab },
	{ "dump of a group", "lab --experimental-dump-help", REQUEST_DUMP, &fake_lab },
	{ "help for a verb", "lab mix --help", REQUEST_HELP, &fake_lab_mix },
	{ "version of a verb", "lab mix --version", REQUEST_VERSION, &fake_lab_mix },
	{ "run of a verb", "lab mix a b --with=c", REQUEST_RUN, &fake_lab_mix },
	{ "run of a hidden verb", "lab pour", REQUEST_RUN, &fake_lab_pour },
};

static void understands_requests(void **state)
{
	(void)state;
	each_row(requests, row) {
		struct line line = split(row->line);
		CLEANUP(invocation_done) struct invocation invocation = { 0 };
		struct err err = { 0 };

		check(parse(&line, &invocation, &err), "%s: %s", row->name, err.text);
		check(invocation.request == row->request, "%s: request %d", row->name,
		      (int)invocation.request);
		check(invocation.command == row->command, "%s: command", row->name);
		free(line.text);
	}
}

static const struct {
	const char *name;
	const char *line;
	const char *shell; /* NULL = the user's */
} scripts[] = {
	{ "shell as the next argument", "--generate-completion-script zsh", "zsh" },
	{ "shell behind an equals sign", "--generate-completion-script=fish", "fish" },
	{ "no shell", "--generate-completion-script", NULL },
	{ "before help", "--generate-completion-script bash --help", "bash" },
};

static void understands_script_requests(void **state)
{
	(void)state;
	each_row(scripts, row) {
		struct line line = split(row->line);
		CLEANUP(invocation_done) struct invocation invocation = { 0 };
		struct err err = { 0 };

		check(parse(&line, &invocation, &err), "%s: %s", row->name, err.text);
		check(invocation.request == REQUEST_SCRIPT, "%s: request %d", row->name,
		      (int)invocation.request);
		if (row->shell)
			assert_string_equal(invocation.shell, row->shell);
		else
			assert_null(invocation.shell);
		free(line.text);
	}
}

static const struct {
	const char *name;
	const char *line;
	bool interactive, tty;
	const char *command; /* words with a blank behind each */
} rests[] = {
	{ "plain", "exec vm ls", false, false, "ls " },
	{ "options of the command", "exec vm ls -i --foo", false, false, "ls -i --foo " },
	{ "our options before the name", "exec -it vm ls -l", true, true, "ls -l " },
	{ "apart", "exec -i -t vm ls", true, true, "ls " },
	{ "help is the command's", "exec vm --help", false, false, "--help " },
	{ "double dash is kept", "exec vm -- ls -- x", false, false, "-- ls -- x " },
	{ "double dash before the name", "exec -- vm ls", false, false, "ls " },
	{ "three dashes", "exec vm ---x", false, false, "---x " },
	{ "empty words", "exec vm '' x", false, false, " x " },
};

static void takes_the_rest_as_it_is(void **state)
{
	(void)state;
	each_row(rests, row) {
		struct line line = split(row->line);
		CLEANUP(invocation_done) struct invocation invocation = { 0 };
		CLEANUP_STR struct str words = { 0 };
		const struct exec_args *args;
		struct err err = { 0 };

		check(parse(&line, &invocation, &err), "%s: %s", row->name, err.text);
		args = invocation.args;
		check(invocation.request == REQUEST_RUN, "%s: request %d", row->name,
		      (int)invocation.request);
		check(args->interactive == row->interactive && args->tty == row->tty, "%s: flags",
		      row->name);
		assert_string_equal(args->name, "vm");
		for (size_t i = 0; i < args->command.n; i++)
			str_addf(&words, "%s ", args->command.v[i]);
		check(strcmp(str_text(&words), row->command) == 0, "%s: got %s", row->name,
		      str_text(&words));
		free(line.text);
	}
}

static void lists_take_all_operands(void **state)
{
	struct line line = split("push vm a/b:1 a/b:2");
	CLEANUP(invocation_done) struct invocation invocation = { 0 };
	struct err err = { 0 };
	const struct push_args *args;

	(void)state;
	assert_true(parse(&line, &invocation, &err));
	args = invocation.args;
	assert_string_equal(args->from, "vm");
	assert_int_equal(args->to.n, 2);
	assert_string_equal(args->to.v[1], "a/b:2");
	free(line.text);
}

static void no_arguments_not_even_a_name(void **state)
{
	CLEANUP(invocation_done) struct invocation invocation = { 0 };
	char *argv[] = { NULL };
	struct err err = { 0 };

	(void)state;
	assert_true(invocation_parse(&fake_program, 0, argv, &invocation, &err));
	assert_int_equal(invocation.request, REQUEST_HELP);
}

static void long_arguments_are_no_problem(void **state)
{
	CLEANUP_STR struct str option = { 0 };
	char *argv[] = { NULL, NULL, NULL, NULL };
	CLEANUP(invocation_done) struct invocation invocation = { 0 };
	struct err err = { 0 };

	(void)state;
	str_add(&option, "--");
	for (int i = 0; i < 100000; i++)
		str_add_char(&option, 'x');
	argv[0] = argv[1] = xstrdup("paint");
	argv[2] = xstrdup("vm");
	argv[3] = option.ptr;
	assert_false(invocation_parse(&fake_program, 4, argv, &invocation, &err));
	assert_memory_equal(err.text, "Unknown option '--xxx", strlen("Unknown option '--xxx"));
	free(argv[1]);
	free(argv[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(names_the_verb),
		cmocka_unit_test(understands_requests),
		cmocka_unit_test(understands_script_requests),
		cmocka_unit_test(takes_the_rest_as_it_is),
		cmocka_unit_test(lists_take_all_operands),
		cmocka_unit_test(no_arguments_not_even_a_name),
		cmocka_unit_test(long_arguments_are_no_problem),
	};

	return unit_main(tests);
}
