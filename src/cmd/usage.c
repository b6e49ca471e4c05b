/* SPDX-License-Identifier: Apache-2.0 */
/* Usage lines, labels and suggestions, in the layout of Swift's ArgumentParser. */
#include "cmd/usage.h"

#include <assert.h>
#include <string.h>

#define LISTED_MAX       12 /* elements in a usage line before its options are left out */
#define SUGGEST_DISTANCE 4  /* names nearer than this are suggested */
#define NAME_MAX_LEN     63 /* of a long option, so that distances need no allocation */

bool usage_shows(const struct opt *opt, bool hidden)
{
	return opt->show == SHOW_ALWAYS || (hidden && opt->show == SHOW_HIDDEN);
}

void usage_add_operand(struct str *out, const struct operand *operand)
{
	str_addf(out, "<%s>%s", operand->name, operand_takes_many(operand) ? " ..." : "");
}

void usage_add_operand_label(struct str *out, const struct operand *operand)
{
	str_addf(out, "<%s>", operand->name);
}

void usage_add_opt_label(struct str *out, const struct opt *opt)
{
	if (opt->short_name)
		str_addf(out, "-%c%s", opt->short_name, opt->name ? ", " : "");
	if (opt->name)
		str_addf(out, "--%s", opt->name);
	if (opt->kind == OPT_KIND_FLAG_PAIR)
		str_addf(out, "/--no-%s", opt->name);
	if (!opt_is_flag(opt))
		str_addf(out, " <%s>", opt_value_name(opt));
}

static void add_opt(struct str *out, const struct opt *opt)
{
	str_add(out, " [");
	if (opt->name)
		str_addf(out, "--%s", opt->name);
	else
		str_addf(out, "-%c", opt->short_name);
	if (opt->kind == OPT_KIND_FLAG_PAIR)
		str_addf(out, "] [--no-%s", opt->name);
	if (!opt_is_flag(opt))
		str_addf(out, " <%s>", opt_value_name(opt));
	if (opt->kind == OPT_KIND_TEXTS)
		str_add(out, " ...");
	str_add(out, "]");
}

static void add_opts(struct str *out, const struct command *command, bool hidden)
{
	each_opt(command->opts, opt)
	{
		if (usage_shows(opt, hidden))
			add_opt(out, opt);
	}
}

static void add_operands(struct str *out, const struct command *command)
{
	each_operand(command->operands, operand)
	{
		bool required = operand_is_required(operand);

		str_add(out, required ? " " : " [");
		usage_add_operand(out, operand);
		str_add(out, required ? "" : "]");
	}
}

/* Options stop being options after the operand before the rest, so they are shown first. */
static bool takes_rest(const struct command *command)
{
	each_operand(command->operands, operand)
	{
		if (operand->kind == OPERAND_KIND_REST)
			return true;
	}
	return false;
}

static size_t count_elements(const struct command *command, bool hidden)
{
	size_t n = 0;

	each_operand(command->operands, operand) n++;
	each_opt(command->opts, opt)
	{
		if (usage_shows(opt, hidden))
			n += opt->kind == OPT_KIND_FLAG_PAIR ? 2 : 1;
	}
	return n;
}

static void add_arguments(struct str *out, const struct command *command, bool hidden)
{
	if (count_elements(command, hidden) > LISTED_MAX) {
		str_add(out, command->operands ? " [<options>]" : " <options>");
		add_operands(out, command);
	} else if (takes_rest(command)) {
		add_opts(out, command, hidden);
		add_operands(out, command);
	} else {
		add_operands(out, command);
		add_opts(out, command, hidden);
	}
}

/* "tart", "tart network show" */
static void add_program(struct str *out, const struct program *program,
			const struct command *command)
{
	str_add(out, program->name);
	if (command) {
		str_add_char(out, ' ');
		command_add_path(out, command, ' ');
	}
}

void usage_add_line(struct str *out, const struct program *program, const struct command *command,
		    bool hidden)
{
	add_program(out, program, command);
	if (command_list(program, command))
		str_add(out, " <subcommand>");
	else
		add_arguments(out, command, hidden);
}

void usage_add_default(struct str *out, const struct opt *opt)
{
	switch (opt->kind) {
	case OPT_KIND_U16:
	case OPT_KIND_U64:
		str_addf(out, "%llu", (unsigned long long)opt->fallback.u64);
		break;
	case OPT_KIND_I64:
		str_addf(out, "%lld", (long long)opt->fallback.i64);
		break;
	case OPT_KIND_TEXT:
		str_add(out, opt->fallback.text ? opt->fallback.text : "");
		break;
	case OPT_KIND_ENUM:
		for (const struct opt_value *v = opt->values; v->word; v++) {
			if (v->value == opt->fallback.value)
				str_add(out, v->word);
		}
		break;
	default:
		break;
	}
}

void usage_add_defaults(struct str *out, const struct opt *opt)
{
	CLEANUP_STR struct str fallback = { 0 };

	usage_add_default(&fallback, opt);
	if (opt->kind != OPT_KIND_ENUM) {
		if (fallback.len > 0)
			str_addf(out, "(default: %s)", fallback.ptr);
		return;
	}
	for (const struct opt_value *v = opt->values; v->word; v++)
		str_addf(out, "%s%s", v == opt->values ? "(values: " : ", ", v->word);
	if (fallback.len > 0)
		str_addf(out, "; default: %s", fallback.ptr);
	str_add_char(out, ')');
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance between the first `typed_len` bytes of `typed` and all of `name`. */
static size_t distance(const char *typed, size_t typed_len, const char *name, size_t name_len)
{
	size_t row[NAME_MAX_LEN + 1];

	for (size_t i = 0; i <= name_len; i++)
		row[i] = i;
	for (size_t t = 0; t < typed_len; t++) {
		size_t diagonal = row[0];

		row[0] = t + 1;
		for (size_t i = 0; i < name_len; i++) {
			size_t substituted = diagonal + (typed[t] != name[i]);

			diagonal = row[i + 1];
			row[i + 1] = min3(substituted, diagonal + 1, row[i] + 1);
		}
	}
	return row[name_len];
}

static size_t name_distance(const char *typed, const char *prefix, const char *name)
{
	char full[NAME_MAX_LEN + 1];
	size_t typed_len = strlen(typed);
	size_t prefix_len = strlen(prefix);
	size_t full_len = prefix_len + strlen(name);

	assert(full_len <= NAME_MAX_LEN);
	/* The distance is at least the difference in length; this also bounds the work that a long text can cause. */
	if (typed_len >= full_len + SUGGEST_DISTANCE)
		return SUGGEST_DISTANCE;
	memcpy(full, prefix, prefix_len);
	memcpy(full + prefix_len, name, full_len - prefix_len);
	return distance(typed, typed_len, full, full_len);
}

const struct opt *usage_suggest(const struct command *command, const char *typed, bool *ret_negated)
{
	static const char *const prefixes[] = { "", "no-" };
	const struct opt *nearest = NULL;
	size_t least = SUGGEST_DISTANCE;

	each_opt(command->opts, opt)
	{
		size_t n_prefixes = opt->kind == OPT_KIND_FLAG_PAIR ? 2 : 1;

		if (!opt->name || !usage_shows(opt, false))
			continue;
		for (size_t i = 0; i < n_prefixes; i++) {
			size_t d = name_distance(typed, prefixes[i], opt->name);

			if (d < least) {
				least = d;
				nearest = opt;
				*ret_negated = i == 1;
			}
		}
	}
	return nearest;
}

void usage_add_trailer(struct str *out, const struct program *program,
		       const struct command *command, const char *hint)
{
	if (hint[0])
		str_addf(out, "Help:  %s\n", hint);
	str_add(out, "Usage: ");
	usage_add_line(out, program, command, false);
	str_add(out, "\n  See '");
	add_program(out, program, command);
	str_add(out, " --help' for more information.\n");
}
