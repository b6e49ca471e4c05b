/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of the command line. */
#include "cmd/parse.h"

#include "base/vec.h"
#include "cmd/usage.h"

/* Options that every command has; when several are given, the first of this list counts. */
static const struct builtin {
	char short_name;
	const char *name;
	enum request request;
} builtins[] = {
	{ 'h', "help", REQUEST_HELP },
	{ 0, "help-hidden", REQUEST_HELP_HIDDEN },
	{ 0, "experimental-dump-help", REQUEST_DUMP },
	{ 0, "version", REQUEST_VERSION },
};

#define SCRIPT_OPTION "generate-completion-script"
#define CANDIDATES_ENTRY \
	"---completion" /* no option can look like this, so nothing is taken away */

struct parser {
	struct invocation *to;
	const struct command *command; /* NULL = the program; may be a group */
	char *const *argv;
	size_t n;
	size_t at;        /* the argument being read */
	bool only_values; /* after "--" */
	const struct builtin *builtin;
	struct str unknown; /* first unknown option, with its dashes */
	VEC(const char *) values;
	struct err *err;
};

/* How an option was spelled: messages repeat it. */
struct spelling {
	const struct opt *opt;
	const char *dashes;
	struct span name;
	const char *value; /* after '=', or NULL */
	bool negated;
};

/* "--wait <wait>" as typed. */
static void add_spelling(struct str *out, const struct spelling *s)
{
	str_addf(out, "%s%.*s <%s>", s->dashes, SPAN_ARG(s->name), opt_value_name(s->opt));
}

static void hint_at(struct parser *p, const struct spelling *s)
{
	add_spelling(&p->to->hint, s);
	str_addf(&p->to->hint, "  %s", s->opt->help);
}

/* "'a' and 'b'", "'a', 'b' or 'c'". */
static void add_choices(struct str *out, const struct opt_value *values)
{
	size_t n = 0;

	while (values[n].word)
		n++;
	for (size_t i = 0; i < n; i++) {
		const char *last = n == 2 ? " and " : " or ";

		str_addf(out, "%s'%s'", i == 0 ? "" : i + 1 < n ? ", " : last, values[i].word);
	}
}

static bool bad_value(struct parser *p, const struct spelling *s, const char *text)
{
	CLEANUP_STR struct str where = { 0 };
	CLEANUP_STR struct str choices = { 0 };

	hint_at(p, s);
	add_spelling(&where, s);
	if (s->opt->kind == OPT_KIND_ENUM) {
		str_add(&choices, ". Please provide one of ");
		add_choices(&choices, s->opt->values);
		str_add(&choices, ".");
	}
	return err_set(p->err, ERR_USAGE, "The value '%s' is invalid for '%s'%s", text,
		       str_text(&where), str_text(&choices));
}

/* A lone "-" is a value, anything else with a dash in front is an option. */
static bool is_value(const char *arg)
{
	return arg[0] != '-' || arg[1] == '\0';
}

/* The argument after the one being read, if it can be the value of an option. */
static const char *take_next_value(struct parser *p)
{
	if (p->at + 1 >= p->n || !is_value(p->argv[p->at + 1]))
		return NULL;
	return p->argv[++p->at];
}

static bool apply_flag(struct parser *p, const struct spelling *s, void *field)
{
	if (s->value)
		return err_set(
			p->err, ERR_USAGE,
			"The option '%s%.*s' does not take any value, but '%s' was specified.",
			s->dashes, SPAN_ARG(s->name), s->value);
	if (s->opt->kind == OPT_KIND_FLAG)
		*(bool *)field = true;
	else
		*(enum tristate *)field = s->negated ? OFF : ON;
	return true;
}

static bool apply(struct parser *p, const struct spelling *s)
{
	void *field = args_field(p->to->args, s->opt->offset);
	const char *value = s->value;

	if (opt_is_flag(s->opt))
		return apply_flag(p, s, field);
	if (!value)
		value = take_next_value(p);
	if (!value) {
		CLEANUP_STR struct str where = { 0 };

		hint_at(p, s);
		add_spelling(&where, s);
		return err_set(p->err, ERR_USAGE, "Missing value for '%s'", str_text(&where));
	}
	return opt_store(s->opt, p->to->args, value) || bad_value(p, s, value);
}

/* Notes one of the options that every command has. */
static bool note_builtin(struct parser *p, struct span name, char short_name)
{
	for (const struct builtin *b = builtins; b < builtins + ARRAY_LEN(builtins); b++) {
		if (short_name ? b->short_name != short_name : !span_is(name, b->name))
			continue;
		if (!p->builtin || b < p->builtin)
			p->builtin = b;
		return true;
	}
	return false;
}

static void note_unknown(struct parser *p, const char *dashes, struct span name)
{
	if (p->unknown.len == 0)
		str_addf(&p->unknown, "%s%.*s", dashes, SPAN_ARG(name));
}

static bool matches_long(const struct opt *opt, struct spelling *s)
{
	if (!opt->name)
		return false;
	s->negated = opt->kind == OPT_KIND_FLAG_PAIR && span_starts_with(s->name, "no-") &&
		     span_is(span_from(s->name, 3), opt->name);
	return s->negated || span_is(s->name, opt->name);
}

static bool parse_long(struct parser *p, const char *arg)
{
	struct span text = span_of(arg + 2);
	size_t equals = span_find(text, '=');
	struct spelling s = { .dashes = "--", .name = span_first(text, equals) };

	if (equals < text.len)
		s.value = text.ptr + equals + 1;
	each_opt(p->command ? p->command->opts : NULL, opt)
	{
		if (matches_long(opt, &s)) {
			s.opt = opt;
			return apply(p, &s);
		}
	}
	if (!p->command && span_is(s.name, SCRIPT_OPTION)) {
		p->to->request = REQUEST_SCRIPT;
		p->to->shell = s.value ? s.value : take_next_value(p);
		return true;
	}
	if (!note_builtin(p, s.name, 0))
		note_unknown(p, "--", s.name);
	return true;
}

static const struct opt *find_short(const struct command *command, char name)
{
	each_opt(command ? command->opts : NULL, opt)
	{
		if (opt->short_name == name)
			return opt;
	}
	return NULL;
}

/* One letter of "-it". *known tells whether it is an option at all. */
static bool parse_short(struct parser *p, struct span letter, const char *value, bool *ret_known)
{
	struct spelling s = { .dashes = "-", .name = letter, .value = value };

	s.opt = find_short(p->command, letter.ptr[0]);
	*ret_known = s.opt || note_builtin(p, letter, letter.ptr[0]);
	return !s.opt || apply(p, &s);
}

/* "-t", "-t=5" or a group of flags "-it", whose last letter may take the next argument as its value. */
static bool parse_shorts(struct parser *p, const char *arg)
{
	struct span text = span_of(arg + 1);
	size_t equals = span_find(text, '=');
	struct span unknown = { .ptr = NULL };
	size_t n_known = 0;

	if (equals == 0)
		return err_set(p->err, ERR_USAGE, "Invalid option: %s", arg);
	if (equals < text.len && equals > 1) {
		note_unknown(p, "-", span_first(text, equals));
		return true;
	}
	for (size_t i = 0; i < equals; i++) {
		struct span letter = span_first(span_from(text, i), 1);
		bool known;

		if (!parse_short(p, letter, equals < text.len ? text.ptr + equals + 1 : NULL,
				 &known))
			return false;
		n_known += known;
		if (!known && !unknown.ptr)
			unknown = letter;
	}
	if (unknown.ptr)
		note_unknown(p, "-", n_known > 0 ? unknown : span_first(text, equals));
	return true;
}

static bool parse_arg(struct parser *p, const char *arg)
{
	if (p->only_values || is_value(arg)) {
		*vec_push(&p->values) = arg;
		return true;
	}
	if (strcmp(arg, "--") == 0) {
		p->only_values = true;
		return true;
	}
	if (strncmp(arg, "---", 3) == 0)
		return err_set(p->err, ERR_USAGE, "Invalid option: %s", arg);
	return arg[1] == '-' ? parse_long(p, arg) : parse_shorts(p, arg);
}

/* How many operands come before the one that takes the rest as it is; SIZE_MAX when there is none like that. */
static size_t operands_before_rest(const struct command *command)
{
	size_t n = 0;

	each_operand(command ? command->operands : NULL, operand)
	{
		if (operand->kind == OPERAND_KIND_REST)
			return n;
		n++;
	}
	return SIZE_MAX;
}

static bool scan(struct parser *p)
{
	size_t rest_after = operands_before_rest(p->command);

	for (p->at = 0; p->at < p->n; p->at++) {
		if (p->values.n >= rest_after)
			p->only_values = true;
		if (!parse_arg(p, p->argv[p->at]))
			return false;
	}
	return true;
}

static bool missing_operand(struct parser *p, const struct operand *operand)
{
	CLEANUP_STR struct str name = { 0 };

	usage_add_operand(&name, operand);
	str_addf(&p->to->hint, "<%s>  %s", operand->name, operand->help);
	return err_set(p->err, ERR_USAGE, "Missing expected argument '%s'", str_text(&name));
}

/* Hands the values to the operands; *ret_used says how many found a place. */
static bool assign_operands(struct parser *p, size_t *ret_used)
{
	size_t used = 0;

	each_operand(p->command->operands, operand)
	{
		void *field = args_field(p->to->args, operand->offset);

		if (used == p->values.n) {
			if (operand_is_required(operand))
				return missing_operand(p, operand);
		} else if (!operand_takes_many(operand)) {
			*(const char **)field = p->values.v[used++];
		} else {
			while (used < p->values.n)
				*vec_push((struct text_list *)field) = p->values.v[used++];
		}
	}
	*ret_used = used;
	return true;
}

static bool unknown_option(struct parser *p)
{
	const char *typed = str_text(&p->unknown);
	bool negated = false;
	const struct opt *near = NULL;

	if (p->command && strncmp(typed, "--", 2) == 0)
		near = usage_suggest(p->command, typed + 2, &negated);
	if (!near)
		return err_set(p->err, ERR_USAGE, "Unknown option '%s'", typed);
	return err_set(p->err, ERR_USAGE, "Unknown option '%s'. Did you mean '--%s%s'?", typed,
		       negated ? "no-" : "", near->name);
}

static bool unexpected_values(struct parser *p, size_t first)
{
	CLEANUP_STR struct str list = { 0 };
	size_t n = p->values.n - first;

	if (n == 1)
		return err_set(p->err, ERR_USAGE, "Unexpected argument '%s'", p->values.v[first]);
	for (size_t i = first; i < p->values.n; i++)
		str_addf(&list, "%s'%s'", i == first ? "" : ", ", p->values.v[i]);
	return err_set(p->err, ERR_USAGE, "%zu unexpected arguments: %s", n, str_text(&list));
}

static bool check_leftovers(struct parser *p, size_t n_used)
{
	if (p->unknown.len > 0)
		return unknown_option(p);
	return n_used == p->values.n || unexpected_values(p, n_used);
}

/* The program itself, or a group: without a command, all it can do is to explain itself. */
static bool parse_group(struct parser *p)
{
	if (!scan(p))
		return false;
	if (p->to->request == REQUEST_SCRIPT)
		return true;
	if (p->builtin || (p->values.n == 0 && p->unknown.len == 0)) {
		p->to->request = p->builtin ? p->builtin->request : REQUEST_HELP;
		return true;
	}
	return check_leftovers(p, 0);
}

static bool parse_command(struct parser *p)
{
	size_t n_used = 0;

	p->to->args = xcalloc(1, p->command->args_size > 0 ? p->command->args_size : 1);
	each_opt(p->command->opts, opt) opt_set_default(opt, p->to->args);
	if (!scan(p))
		return false;
	if (p->builtin) {
		p->to->request = p->builtin->request;
		return true;
	}
	return assign_operands(p, &n_used) && check_leftovers(p, n_used);
}

/* "network show": the names at the front, as long as there is something by that name. */
static void take_command(struct parser *p)
{
	while (p->n > 0) {
		const struct command *named = command_find(p->to->program, p->to->command,
							   p->argv[0]);

		if (!named)
			break;
		p->to->command = named;
		p->argv++;
		p->n--;
	}
	p->command = p->to->command;
}

bool invocation_parse(const struct program *program, int argc, char *const *argv,
		      struct invocation *ret, struct err *err)
{
	struct parser p = {
		.to = ret, .argv = argv + 1, .n = argc > 0 ? (size_t)argc - 1 : 0, .err = err
	};
	bool ok;

	ret->program = program;
	ret->argc = argc;
	ret->argv = argv;
	if (p.n > 0 && strcmp(p.argv[0], CANDIDATES_ENTRY) == 0) {
		ret->request = REQUEST_CANDIDATES;
		ret->list = p.n > 1 ? p.argv[1] : "";
		return true;
	}
	take_command(&p);
	ok = command_list(program, p.command) ? parse_group(&p) : parse_command(&p);
	str_done(&p.unknown);
	vec_done(&p.values);
	return ok;
}

void invocation_done(struct invocation *invocation)
{
	if (invocation->command && invocation->args)
		args_done(invocation->command->operands, invocation->command->opts,
			  invocation->args);
	free(invocation->args);
	str_done(&invocation->hint);
	*invocation = (struct invocation){ 0 };
}
